"""`sipstrobe --host URL status`: what another device does just now."""

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sipstrobe.cli.remote import run

if TYPE_CHECKING:
    from sipstrobe.client import Client


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="all of it, as JSON")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    status = run(options, _status)
    text = json.dumps(status, indent=2, ensure_ascii=False)
    print(text if options.json else "\n".join(_lines(status)))
    return 0


async def _status(client: "Client") -> Mapping[str, Any]:
    return await client.status()


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    device = status["device"]
    yield f"{device['name']}, sipstrobe {device['version']}, serial number {device['serial']}"
    if status["maintenance"]["active"]:
        yield "maintenance mode: no siren, and a white light on three sides"
    for function in status["functions"]:
        shown = next((o for o in function["operations"] if o["shown"]), None)
        hidden = len(function["operations"]) - (shown is not None)
        yield f"{function['name']}: {_operation(shown)}" + (f", {hidden} hidden" if hidden else "")
    for call in status["calls"]:
        who = "from" if call["direction"] == "incoming" else "to"
        yield f"call {call['id']} {who} {call['remote_uri']}: {call['state']}"
    for account in status["registrations"]:
        yield f"account {account['account']}: {account.get('words') or account['state']}"
    active = [rule["name"] for rule in status["rules"] if rule["active"]]
    if active:
        yield "rules that hold: " + ", ".join(active)
    for part, problem in status["services"].items():
        if problem:
            yield f"{part} does not work: {problem}"


def _operation(shown: Mapping[str, Any] | None) -> str:
    if shown is None:
        return "nothing"
    profile = f" of {shown['profile']}" if shown["profile"] else ""
    left = shown["seconds_left"]
    time = "" if left is None else f", {left:.0f} s left"
    return f"{shown['pattern']}{profile}, priority {shown['priority']}{time}"
