"""A door for the command line of the same machine: a socket in the state folder.

Only the owner of the folder can open it (mode 0600), so whoever can is the administrator. One line
of JSON in, one line of JSON out: ``{"do": "put", "pointer": "/sip/port", "value": 5070}``.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sipstrobe.config.passwords import SALT_BYTES, hash_password
from sipstrobe.config.store import Change, Store
from sipstrobe.config.users import Role, check_password, make_user
from sipstrobe.errors import CommandRefused, ConfigError, Problem
from sipstrobe.io.files import left_to_owner
from sipstrobe.services.audit_chain import AuditFiles, Entry
from sipstrobe.services.settings import SettingsService
from sipstrobe.web import accounts

logger = logging.getLogger(__name__)

SOCKET = "control.sock"
MAX_REQUEST_BYTES = 4 << 20
CALL_LIMIT = 10.0  # seconds


class ControlServer:
    """Answers the command line while the device runs."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        settings: SettingsService,
        reset: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None:
        """reset: begins anew, with more or less of the defaults."""
        self._path = folder / SOCKET
        self._store = store
        self._settings = settings
        self._reset = reset
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(
            self._answer, sock=listener, limit=MAX_REQUEST_BYTES
        )

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CALL_LIMIT):
                request = json.loads(await reader.readline())
                reply = await self._reply(request)
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError, RecursionError):
            pass  # the other side has gone, or is no command line of ours
        finally:
            writer.close()

    async def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"result": await self._do(request)}
        except ConfigError as error:
            return {"problems": [[p.path, p.message] for p in error.problems]}
        except CommandRefused as refused:
            return {"problems": [["", str(refused)]]}
        except OSError as error:
            return {"problems": [["", f"could not be stored: {error}"]]}

    async def _do(self, request: dict[str, Any]) -> Any:
        match request:
            case {"do": "reset", "kind": "restart" | "restore" | "factory" as kind} if self._reset:
                await self._reset(kind)
                return "begins anew"
            case _:
                pass
        doing = act(_Live(self._store, self._settings), request)
        return await self._settings.by_command_line("sipstrobe", doing)


class _Live:
    """Changes while the device runs."""

    def __init__(self, store: Store, settings: SettingsService) -> None:
        self.store = store
        self.change = settings.change
        self.put = settings.put
        self.replace = settings.replace


class _Resting:
    """Changes while no device runs."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def change(self, patch: object, *, revision: int | None = None) -> Change:
        return self.store.change_now(patch, revision=revision)

    async def put(self, pointer: str, value: object) -> Change:
        return self.store.carry_out(self.store.prepare_put(pointer, value))

    async def replace(self, data: bytes) -> Change:
        return self.store.carry_out(self.store.prepare_import(data))


async def act(on: _Live | _Resting, request: dict[str, Any]) -> Any:
    """Carry out one request of the command line. Raises ConfigError."""
    store = on.store
    match request:
        case {"do": "get", "pointer": str(pointer)}:
            return store.get(pointer)
        case {"do": "export", "secrets": bool(secrets)}:
            return store.export(secrets=secrets).decode()
        case {"do": "put", "pointer": str(pointer), "value": value}:
            return _changed(await on.put(pointer, value))
        case {"do": "import", "data": str(data)}:
            return _changed(await on.replace(data.encode()))
        case {"do": "accounts"}:
            return [[user.name, user.role.value] for user in store.current.web.users]
        case {"do": "add-account", "name": str(name), "role": str(role), "password": str(word)}:
            check_password(word)
            hashed = await asyncio.to_thread(hash_password, word, os.urandom(SALT_BYTES))
            user = make_user(name, _role(role), word, hashed)
            patch = accounts.added(store.current.web.users, user)
            return _changed(await on.change(patch, revision=store.revision))
        case {"do": "remove-account", "name": str(name)}:
            patch = accounts.removed(store.current.web, name)
            return _changed(await on.change(patch, revision=store.revision))
        case _:
            raise ConfigError([Problem("", "the running device does not know this request")])


def call(folder: Path, request: dict[str, Any]) -> Any:
    """Carry out a request on the settings in this folder, through the device if one runs on it.

    Raises ConfigError with what is wrong.
    """
    with left_to_owner(folder):
        return _call(folder, request)


def _call(folder: Path, request: dict[str, Any]) -> Any:
    try:
        store = Store.open(folder)
    except ConfigError:
        reply = ask_device(folder, request)
        if reply is None:
            raise
        return reply
    revision = store.revision
    try:
        reply = asyncio.run(act(_Resting(store), request))
        if store.revision != revision:
            _note(folder, request["do"], reply)
        return reply
    finally:
        store.close()


def _note(folder: Path, what: str, paths: list[str]) -> None:
    """In the audit trail, which no device writes just now."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    files = AuditFiles(folder)
    done = Entry(at=at, way="command line", what=what, paths=tuple(paths), result="changed")
    try:
        words = files.open()
        found = Entry(at=at, way="device", what=f"audit trail: {words}")
        files.append([found, done] if words else [done])
    except OSError as error:
        logger.warning("this is done, and cannot be noted in the audit trail: %s", error)


def is_running(folder: Path) -> bool:
    """Whether a device runs on the settings in this folder."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(folder / SOCKET))
        except OSError:
            return False
    return True


def ask_device(folder: Path, request: dict[str, Any]) -> Any:
    """What the device that runs on this folder answers; None: there is none. Raises ConfigError."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(CALL_LIMIT)
        try:
            line.connect(str(folder / SOCKET))
        except PermissionError:
            owner = f"user {folder.stat().st_uid}"
            words = (
                f"the device that runs on {folder} hears its owner only: try as {owner}, or root"
            )
            raise ConfigError([Problem("", words)]) from None
        except OSError:
            return None
        try:
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as file:
                reply = cast("dict[str, Any]", json.loads(file.readline()))
        except (OSError, ValueError):
            return None
    if "problems" in reply:
        raise ConfigError(Problem(path, message) for path, message in reply["problems"])
    return reply["result"]


def _role(word: str) -> Role:
    try:
        return Role(word)
    except ValueError:
        raise ConfigError([Problem("/role", f"there is no role {word!r}")]) from None


def _changed(change: Change) -> list[str]:
    return list(change.paths)
