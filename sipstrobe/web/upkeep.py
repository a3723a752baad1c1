"""Backup, restore, restart and the ways back to the defaults over HTTP: OPS-01…03.

All for administrators. What puts everything in the place of something else wants the serial number
of the device as a confirmation, so that nobody does it to another one than he thinks.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.secret import Secret
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    Handler,
    HttpProblem,
    Media,
    Request,
    Response,
    Route,
    json,
)
from sipstrobe.web.system_views import UpkeepView

BACKUP: Final = "/api/v1/backup"
RESTORE: Final = "/api/v1/restore"
RESET: Final = "/api/v1/reset"
ZIP: Final = "application/zip"
BACKUP_MAX: Final = 1 << 30  # bytes
PASSWORD_HEADER: Final = "Backup-Password"  # noqa: S105  UTF-8, percent-encoded
Kind = Literal["restart", "restore", "factory"]

WHAT: Final = {
    "restart": "Calls end. All settings stay.",
    "restore": "Calls end. Settings, accounts and clips return to those of a new device; where its"
    " page is served and the certificates for that stay, and so do recordings, histories and logs."
    " Maintenance mode is on, and whoever opens the page next makes the administrator.",
    "factory": "Calls end. Everything returns to that of a new device: settings, accounts, clips,"
    " recordings, certificates, histories and logs. Maintenance mode is on, the page is where a"
    " new device has it, and whoever opens it next makes the administrator.",
}

BackupPassword = Annotated[
    str,
    Meta(max_length=128, description="Encrypts passwords and keys; empty: they are left out."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOrder:
    """What is to be in a backup."""

    password: BackupPassword = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetOrder:
    """confirm: the serial number of the device, but for a restart."""

    kind: Kind
    confirm: str = ""


class ResetTold(msgspec.Struct, frozen=True):
    """What happens now: the device ends, and is there again after some seconds."""

    kind: Kind
    words: str


class ResetKind(msgspec.Struct, frozen=True):
    """What may be ordered. words: what it does."""

    kind: Kind
    words: str
    confirm: str


class ResetKinds(msgspec.Struct, frozen=True):
    """All there are."""

    kinds: list[ResetKind]


class RestoreTold(msgspec.Struct, frozen=True):
    """What happens now. missing: the JSON pointers of the passwords and keys that were left out of
    the backup, and that the device does not have either."""

    words: str
    missing: list[str]


class UpkeepDoor:
    """The routes."""

    def __init__(self, upkeep: UpkeepView, serial: Callable[[], str]) -> None:
        self._upkeep = upkeep
        self._serial = serial

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Handler, about: About) -> Route:
            role = Role.ADMINISTRATOR
            return Route(method=method, path=path, handler=handler, role=role, about=about)

        backup = Media(ZIP, "Settings and clips as one file.")
        busy = {409: ("busy",), 507: ("storage",)}
        return [
            route(
                "GET",
                BACKUP,
                self._plain,
                About(summary="A backup without secrets", answer=backup, problems=busy),
            ),
            route(
                "POST",
                BACKUP,
                self._backup,
                About(
                    summary="A backup, with secrets if a password is given",
                    words="They are encrypted by it: AES-256-GCM under a key of scrypt.",
                    body=BackupOrder,
                    answer=backup,
                    problems=busy,
                ),
            ),
            Route(
                method="POST",
                path=RESTORE,
                handler=self._restore,
                role=Role.ADMINISTRATOR,
                streamed=True,
                body_max_bytes=BACKUP_MAX,
                about=About(
                    summary="Take a backup over and begin anew",
                    words="All of it is looked through first; if anything is wrong with it, nothing"
                    f" changes. The password of its secrets goes into the field {PASSWORD_HEADER},"
                    " percent-encoded.",
                    body=Media(ZIP, "A backup."),
                    answer=RestoreTold,
                    status=(202,),
                    problems={**busy, 413: ("too_large",), 422: ()},
                ),
            ),
            route(
                "GET",
                RESET,
                self._kinds,
                About(summary="What a restart and the ways back would do", answer=ResetKinds),
            ),
            route(
                "POST",
                RESET,
                self._reset,
                About(
                    summary="Restart, restore the defaults, or factory default",
                    body=ResetOrder,
                    answer=ResetTold,
                    status=(202,),
                    problems=busy,
                ),
            ),
        ]

    async def _plain(self, _: Request) -> Response:
        return await self._file(Secret(""))

    async def _backup(self, request: Request) -> Response:
        return await self._file(Secret(read_body(BackupOrder, request.body).password))

    async def _file(self, password: Secret) -> Response:
        try:
            content = await self._upkeep.backup(password)
        except OSError as error:
            raise _no_room(error) from None
        name = f"sipstrobe-{self._serial()}.zip"
        disposition = ("Content-Disposition", f'attachment; filename="{name}"')
        return Response(200, content_type=ZIP, headers=(disposition,), stream=content)

    async def _restore(self, request: Request) -> Response:
        assert request.content is not None
        password = Secret(unquote(request.header(PASSWORD_HEADER.lower())))
        content: AsyncIterator[bytes] = request.content
        try:
            missing = await self._upkeep.restore(content, password)
        except OSError as error:
            raise _no_room(error) from None
        words = "The backup is valid. The device begins anew with it."
        return json(RestoreTold(words, list(missing)), 202)

    def _kinds(self, _: Request) -> Response:
        return json(
            ResetKinds(
                [
                    ResetKind(kind, WHAT[kind], "" if kind == "restart" else self._serial())
                    for kind in ("restart", "restore", "factory")
                ]
            )
        )

    async def _reset(self, request: Request) -> Response:
        order = read_body(ResetOrder, request.body)
        serial = self._serial()
        if order.kind != "restart" and order.confirm.strip().upper() != serial:
            words = f"must be {serial}, the serial number of this device"
            raise HttpProblem(400, words, field="confirm")
        try:
            await self._upkeep.reset(order.kind)
        except OSError as error:
            raise _no_room(error) from None
        return json(ResetTold(order.kind, WHAT[order.kind]), 202)


def _no_room(error: OSError) -> HttpProblem:
    return HttpProblem(507, f"the disk does not take it: {error}", code="storage")
