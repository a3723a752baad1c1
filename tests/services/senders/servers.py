"""Receivers of every kind, on ports of their own on this machine."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aioftp
import asyncssh
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.waiting import turns

USER, PASSWORD = "horn", "open sesame"


@asynccontextmanager
async def listening(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncGenerator[int]:
    """A TCP server; its port."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await turns()


@asynccontextmanager
async def silent() -> AsyncGenerator[int]:
    """Takes connections, and says nothing until it closes them in the end."""
    ended = asyncio.Event()

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with listening(keep) as port:
        try:
            yield port
        finally:
            ended.set()


@dataclass
class Inbox:
    """The mails that have come. refuse: what is answered to a recipient, by address."""

    mails: list[Envelope] = field(default_factory=list[Envelope])
    refuse: dict[str, str] = field(default_factory=dict[str, str])

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        return "250 OK"


def _known(_s: object, _se: object, _e: object, _m: str, data: object) -> AuthResult:
    assert isinstance(data, LoginPassword)
    good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def mail_server(
    inbox: Inbox,
    *,
    log_in: bool = False,
    tls: ssl.SSLContext | None = None,
    at_once: bool = False,
) -> AsyncGenerator[int]:
    """aiosmtpd; its port. tls: of STARTTLS, or from the first byte on (at_once)."""

    def make() -> SMTP:
        return SMTP(
            inbox,
            hostname="mx.test",
            authenticator=_known,
            auth_required=log_in,
            auth_require_tls=False,
            enable_SMTPUTF8=False,
            tls_context=None if at_once else tls,
            require_starttls=tls is not None and not at_once,
        )

    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=tls if at_once else None
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await turns()


@asynccontextmanager
async def ftp_server(folder: Path) -> AsyncGenerator[int]:
    """aioftp, which knows one user and his folder; its port."""
    user = aioftp.User(USER, PASSWORD, base_path=folder)
    server = aioftp.Server([user])
    await server.start("127.0.0.1", 0)
    try:
        yield server.server.sockets[0].getsockname()[1]  # pyright: ignore[reportUnknownMemberType]
    finally:
        await server.close()
        await turns()


class _OneUser(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@asynccontextmanager
async def sftp_server(folder: Path, *keys: asyncssh.SSHKey) -> AsyncGenerator[int]:
    """asyncssh, which knows one user and shows these host keys; its port."""

    def files(channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=str(folder).encode())

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=list(keys), server_factory=_OneUser, sftp_factory=files
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def web_server(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[int]:
    """aiohttp; its port."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
