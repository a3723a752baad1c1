"""`sipstrobe calls`: who has called and was called, and what became of it."""

import argparse
import json
from datetime import UTC, datetime

from msgspec.structs import asdict

from sipstrobe.cli import add_state_argument, existing
from sipstrobe.io.files import left_to_owner
from sipstrobe.services.call_log import CallRecord, read_calls


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help="the newest so many (default: 50)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    with left_to_owner(existing(options.state)):
        records = read_calls(options.state, max(0, options.limit))
    for record in records:
        print(json.dumps(asdict(record)) if options.json else _line(record))
    return 0


def _line(record: CallRecord) -> str:
    started = datetime.fromtimestamp(record.started, UTC).astimezone()
    who = f"{'from' if record.direction == 'incoming' else 'to'} {record.remote_uri}"
    where = f" at {record.extension}" if record.extension else ""
    spoken = ""
    if record.answered is not None and record.ended is not None:
        spoken = f", {record.ended - record.answered:.0f} s"
    reason = record.reason.replace("_", " ") or "running"
    judged = record.verdict not in (None, "not_yet")  # a short call has no verdict
    sound = f", sound {record.verdict}".replace("_", " ") if judged else ""
    return f"{started:%Y-%m-%d %H:%M:%S}  {who}{where}: {reason}{spoken}{sound}"
