"""A registrar on UDP that keeps everybody who asks, and notes what it is asked."""

import asyncio
import socket
from collections.abc import Callable

from sipstrobe.sip.message import Request, Response, parse, respond

HOST = "127.0.0.1"
Answer = Callable[[Request], Response | None]


class Registrar:
    """Answers REGISTER, OPTIONS and BYE with 200, others as `answer` says; None: not at all.

    contacts: by user; asked: all requests but OPTIONS, as they came. silent: it says nothing.
    """

    def __init__(self) -> None:
        self.contacts: dict[str, str] = {}
        self.asked: list[Request] = []
        self.silent = False
        self.refuse: dict[str, int] = {}  # a status by user, for REGISTER
        self.answer: Answer = lambda request: None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    @property
    def place(self) -> str:
        return f"{HOST}:{self.port}"

    def requests(self, method: str) -> list[Request]:
        """Those of one method; what was repeated counts once."""
        found = {r.via.branch: r for r in self.asked if r.method == method}
        return list(found.values())

    def say(self, data: bytes, port: int) -> None:
        """Send something of its own to a port here."""
        self._socket.sendto(data, (HOST, port))

    def close(self) -> None:
        """As when the process ends: whoever sends here is told that nobody is there."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _receive(self) -> None:
        data, source = self._socket.recvfrom(65_535)
        if not data.strip() or data[0] < 4:
            return  # a keep-alive: an empty line, or STUN
        message = parse(data)
        if self.silent or not isinstance(message, Request):
            return
        if message.method != "OPTIONS":
            self.asked.append(message)
        response = self._respond(message)
        if response is not None:
            self._socket.sendto(bytes(response), source)

    def _respond(self, request: Request) -> Response | None:
        match request.method:
            case "REGISTER":
                return self._register(request)
            case "OPTIONS" | "BYE" | "CANCEL":
                return respond(request, 200, to_tag="registrar")
            case "ACK":
                return None
            case _:
                return self.answer(request)

    def _register(self, request: Request) -> Response:
        user = request.to.uri.user or ""
        if user in self.refuse:
            return respond(request, self.refuse[user], to_tag="registrar")
        [contact, *_] = request.headers.all("Contact")
        address, _, expires = contact.partition(";expires=")
        if expires == "0":
            self.contacts.pop(user, None)
            return respond(request, 200, to_tag="registrar")
        self.contacts[user] = address
        fields = (("Contact", f"{address};expires=600"),)
        return respond(request, 200, to_tag="registrar", headers=fields)
