"""`sipstrobe --host URL …`: another device, over its API.

Who asks: --user, with the password from SIPSTROBE_PASSWORD or typed; or an API token from
SIPSTROBE_TOKEN. Neither is ever an argument, which everybody on a machine can see.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

from sipstrobe import control
from sipstrobe.cli.password import ask
from sipstrobe.config import patch
from sipstrobe.errors import ConfigError, Problem

if TYPE_CHECKING:
    from sipstrobe.client import Client

T = TypeVar("T")

PASSWORD, TOKEN = "SIPSTROBE_PASSWORD", "SIPSTROBE_TOKEN"
WITH_VALUE = ("--host", "--user", "--fingerprint")  # options that the next word belongs to
HERE_ONLY = "this works on the device's own machine only, without --host"


def add_arguments(parser: argparse.ArgumentParser, *, default: str = "") -> None:
    """What says which device, before the subcommand or after it."""
    device = parser.add_argument_group("another device")
    options = {
        "--host": ("URL", "such as http://192.0.2.7:8080"),
        "--user": ("NAME", f"password: {PASSWORD}, or typed"),
        "--fingerprint": ("SHA256", "of its certificate, if self-signed"),
    }
    for name, (metavar, words) in options.items():
        device.add_argument(name, metavar=metavar, default=default, help=words)


def run(options: argparse.Namespace, work: "Callable[[Client], Awaitable[T]]") -> T:
    """Do this with the device that the command line names. Raises ConfigError without one."""
    if not options.host:
        raise ConfigError([Problem("--host", "say which device: --host http://192.0.2.7:8080")])
    return asyncio.run(_run(options, work))


async def _run(options: argparse.Namespace, work: "Callable[[Client], Awaitable[T]]") -> T:
    from sipstrobe.client import Client  # a third of a second, which other subcommands save

    url = options.host if "//" in options.host else f"http://{options.host}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password:
        words = "must be http://… or https://…, without a password in it"
        raise ConfigError([Problem("--host", words)])
    token = os.environ.get(TOKEN, "")
    user = options.user or parts.username or ""
    if not (token or user):
        raise ConfigError([Problem("--user", f"say who asks, or set {TOKEN}")])
    password = ""
    if not token:
        password = os.environ.get(PASSWORD) or ask(f"Password of {user}", f"set {PASSWORD}")
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    async with Client(
        base, user=user, password=password, token=token, fingerprint=options.fingerprint
    ) as client:
        return await work(client)


def call(options: argparse.Namespace, request: dict[str, Any]) -> Any:
    """Carry out a request on the settings in a folder, or on those of another device.

    Raises ConfigError with what is wrong.
    """
    if not options.host:
        return control.call(options.state, request)
    return run(options, lambda client: _answer(client, request))


async def _answer(client: "Client", request: dict[str, Any]) -> Any:
    match request:
        case {"do": "get", "pointer": str(pointer)}:
            return patch.get((await client.get("/settings"))["settings"], pointer)
        case {"do": "put", "pointer": str(pointer), "value": value}:
            return await _put(client, pointer, value)
        case {"do": "accounts"}:
            return [(user["name"], user["role"]) for user in (await client.get("/users"))["users"]]
        case {"do": "add-account", "name": str(name), "role": role, "password": password}:
            return await _add_account(client, name, {"role": role, "password": password})
        case {"do": "remove-account", "name": str(name)}:
            return await client.delete(f"/users/{quote(name, safe='')}")
        case _:
            raise ConfigError([Problem("", HERE_ONLY)])


async def _put(client: "Client", pointer: str, value: object) -> list[str]:
    """One of the settings, if nobody else changes them meanwhile; the pointers that differ.

    Only these are sent, since of what else there is some may be for administrators alone.
    """
    steps = patch.steps_of(pointer)
    if not steps:
        raise ConfigError([Problem(pointer, "say which of the settings, such as /sip/port")])
    section = await client.settings(steps[0])
    before = {section.name: section.values}
    after = patch.put(before, pointer, value)
    change = patch.between(before[section.name], after[section.name])
    await client.change(section.name, change, revision=section.revision)
    return list(patch.differences(before, after))


async def _add_account(client: "Client", name: str, account: dict[str, Any]) -> None:
    known = {user["name"] for user in (await client.get("/users"))["users"]}
    if name in known:
        await client.request("PATCH", f"/users/{quote(name, safe='')}", account)
    else:
        await client.post("/users", {"name": name, **account})


def tell(words: str) -> None:
    """A line at once, whoever reads it."""
    print(words)
    sys.stdout.flush()
