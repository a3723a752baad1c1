"""`sipstrobe --host URL watch`: what happens at another device, as it happens, and why."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sipstrobe.cli.remote import run, tell

if TYPE_CHECKING:
    from sipstrobe.client import Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="each message of the feed, as JSON")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    run(options, lambda client: _watch(client, as_json=options.json))
    return 0


async def _watch(client: "Client", *, as_json: bool) -> None:
    seen = Watch()
    async for message in client.live():
        if as_json:
            tell(json.dumps(message, ensure_ascii=False))
        else:
            for line in seen.lines_of(message, datetime.now(UTC).astimezone()):
                tell(line)


class Watch:
    """Of each event a line with its time; of what was before, which a feed begins with, none."""

    def __init__(self) -> None:
        self._since: float | None = None  # by the clock of the device, which a reboot begins anew
        self._zero: datetime | None = None  # when that clock began

    def lines_of(self, message: Mapping[str, Any], now: datetime) -> Iterator[str]:
        """Of a message of the feed, which has come just now."""
        if message["type"] == "hello":
            at = float(message["at"])
            self._since = at if self._since is None else min(self._since, at)
            self._zero = now - timedelta(seconds=at)
        elif message["type"] == "events":
            for event in message["events"]:
                yield from self._told(event["chain"])
            if message["skipped"]:
                yield f"({message['skipped']} more were left out)"

    def _told(self, chain: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        at = float(chain[0]["at"])
        if self._zero is not None and self._since is not None and at >= self._since:
            yield f"{self._zero + timedelta(seconds=at):%H:%M:%S}  {_line(chain)}"


def _line(chain: Sequence[Mapping[str, Any]]) -> str:
    """From the effect back to what began it."""
    return "  ← ".join(_words(link) for link in chain)


def _words(link: Mapping[str, Any]) -> str:
    items = link["items"]
    if link["kind"] == "input":
        return str(items["words"])
    told = " ".join(
        f"{name}={_said(value)}" for name, value in items.items() if value not in ("", None)
    )
    return f"{link['name']} {told}".rstrip()


def _said(value: object) -> str:
    """As it is written to the device: true, not True."""
    return value if isinstance(value, str) else json.dumps(value)
