"""Somebody who asks the web door, without a network in between."""

import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from sipstrobe.web.exchange import Request, Response
from sipstrobe.web.server import WebServer
from tests.support.web import PASSWORDS

HOST = "192.0.2.10"
TODAY = time.monotonic()  # when all requests are made, unless a test says otherwise


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Visitor:
    """A browser, or a program with a token. headers: of the last answer; at: monotonic seconds."""

    def __init__(
        self,
        server: WebServer,
        address: str = "192.0.2.77",
        *,
        secure: bool = False,
        token: str = "",
        host: str = HOST,
    ) -> None:
        self.headers: dict[str, str] = {}
        self.at = TODAY
        self.cookie = ""
        self.credentials = f"Bearer {token}" if token else ""
        self._server = server
        self._address = address
        self._secure = secure
        self._host = host

    def request(self, method: str, path: str, body: object = None) -> Request:
        """What it would send."""
        scheme = "https" if self._secure else "http"
        origin = f"{scheme}://{self._host}"
        headers = {"host": self._host, "origin": origin, "cookie": self.cookie}
        if self.credentials:
            headers["authorization"] = self.credentials
        data = b"" if body is None else msgspec.json.encode(body)
        streamed = self._server.is_streamed(method, path.partition("?")[0])
        return Request(
            method=method,
            path=path.partition("?")[0],
            target=path,
            headers=headers,
            body=b"" if streamed else data,
            peer=self._address,
            secure=self._secure,
            at=self.at,
            content=_pieces(data) if streamed else None,
        )

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status and what the JSON of the answer says."""
        answer = await self._server.respond(self.request(method, "/api/v1" + path, body))
        self.headers = dict(answer.headers)
        if cookie := self.headers.get("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, _said(answer)

    async def log_in(self, name: str, password: str | None = None) -> int:
        """As one of the accounts that every device of the tests has; the status."""
        word = PASSWORDS[name] if password is None else password
        return (await self.ask("POST", "/login", {"name": name, "password": word}))[0]


def _said(answer: Response) -> Any:
    return msgspec.json.decode(answer.body) if answer.body.startswith((b"{", b"[")) else None
