"""`sipstrobe --host URL watch`: what happens at another device, as it happens, and why."""

import argparse
import json
from collections.abc import Mapping, Sequence
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
    async for message in client.live():
        if as_json:
            tell(json.dumps(message, ensure_ascii=False))
        elif message["type"] == "events":
            for event in message["events"]:
                tell(_line(event["chain"]))
            if message["skipped"]:
                tell(f"({message['skipped']} more were left out)")


def _line(chain: Sequence[Mapping[str, Any]]) -> str:
    """From the effect back to what began it."""
    return "  ← ".join(_words(link) for link in chain)


def _words(link: Mapping[str, Any]) -> str:
    items = link["items"]
    if link["kind"] == "input":
        return str(items["words"])
    told = " ".join(f"{name}={value}" for name, value in items.items() if value not in ("", None))
    return f"{link['name']} {told}".rstrip()
