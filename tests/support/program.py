"""A control program that asks the web door, without a network in between."""

from base64 import b64encode

import msgspec

from sipstrobe.web.exchange import Request, Response
from sipstrobe.web.server import WebServer
from tests.support.web import PASSWORDS

HOST = "192.0.2.10"


class Program:
    """Comes by HTTPS and shows its password with each request (RFC 7617), or nothing at all.

    headers: what it sends beside that.
    """

    def __init__(self, server: WebServer, name: str = "", password: str = "") -> None:
        self.headers = {"host": HOST}
        self._server = server
        if name:
            word = f"{name}:{password or PASSWORDS[name]}"
            self.headers["authorization"] = "Basic " + b64encode(word.encode()).decode()

    async def ask(self, method: str, target: str, body: object = b"") -> Response:
        """body: bytes as they are, or what is sent as JSON."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        request = Request(
            method=method,
            path=target.partition("?")[0],
            target=target,
            headers=self.headers,
            body=data,
            peer="192.0.2.77",
            secure=True,
        )
        return await self._server.respond(request)
