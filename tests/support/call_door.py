"""A program that speaks with /vapix/call, without a network in between."""

from typing import Any
from urllib.parse import quote

import msgspec

from sipstrobe.config.users import Role
from sipstrobe.web.compat.call import PATH
from sipstrobe.web.exchange import Response
from sipstrobe.web.server import WebServer
from tests.support.visitor import Visitor
from tests.support.web import ROLES

SENDER_NOT_FOUND = ("env:Sender", "ter:InvalidArgVal", "ter:NotFound")
SENDER_INVALID = ("env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")
SENDER_MISSING = ("env:Sender", "ter:InvalidArgs", "")
FAILURE = ("env:Receiver", "ter:Action", "ter:Failure")
NOT_SUPPORTED = ("env:Receiver", "ter:ActionNotSupported", "ter:NotSupported")


class Program:
    """One with a token for all that its account may do."""

    def __init__(self, server: WebServer, visitor: Visitor) -> None:
        self._server = server
        self._visitor = visitor

    @classmethod
    async def of(cls, server: WebServer, name: str) -> "Program":
        person = Visitor(server)
        assert await person.log_in(name) == 200
        system = ["system"] if ROLES[name] is Role.ADMINISTRATOR else []
        scopes = ["commands", "settings", *system]
        new = {"name": "test", "role": ROLES[name], "scopes": scopes}
        status, told = await person.ask("POST", "/tokens", new)
        assert status == 201
        return cls(server, Visitor(server, token=told["token"]))

    async def send(self, body: object) -> Response:
        return await self._server.respond(self._visitor.request("POST", PATH, body))

    async def fetch(self, query: str) -> Response:
        return await self._server.respond(self._visitor.request("GET", f"{PATH}?{query}"))

    async def order(self, command: str, **arguments: object) -> Any:
        """The result of a command."""
        answer = await self.send({f"axcall:{command}": arguments})
        told = msgspec.json.decode(answer.body)
        assert answer.status == 200, told
        return told

    async def refused(self, command: str, **arguments: object) -> tuple[str, ...]:
        """The triple of the fault that a command ends with."""
        answer = await self.send({f"axcall:{command}": arguments})
        assert answer.status == 400, answer.body
        return triple(answer)

    async def simply(self, command: str, **arguments: str) -> str:
        """The lines of its result in the key-value form."""
        fields = "".join(f"&{name}={quote(value)}" for name, value in arguments.items())
        answer = await self.fetch(f"format=simple&action=axcall:{command}{fields}")
        assert answer.content_type.startswith("text/plain")
        return answer.body.decode()


def triple(answer: Response) -> tuple[str, ...]:
    """Of a fault, which has five members, always the same."""
    told = msgspec.json.decode(answer.body)
    assert list(told) == ["Fault", "FaultCode", "FaultSubCode", "FaultReason", "FaultMsg"]
    assert told["FaultReason"]
    assert told["FaultMsg"] is None
    return told["Fault"], told["FaultCode"], told["FaultSubCode"]
