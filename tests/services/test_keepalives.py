"""Keep-alives by STUN over real sockets: RFC 5626 §4.4.2."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sipstrobe.nat import stun
from sipstrobe.sip.identity import Binding, Identity, Registered
from sipstrobe.sip.message import Request, parse, respond
from sipstrobe.sip.transport import Transport
from tests.services.binder import Binder
from tests.services.phones import HOST, PATIENCE

ME = Binding(Identity("sip:100@pbx.example"), "sip:pbx.example", 3600, "urn:uuid:1")

OPTIONS = (
    b"OPTIONS sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\n"
    b"From: <sip:pbx.example>;tag=1\r\nTo: <sip:100@pbx.example>\r\nCall-ID: 1\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


class Registrar:
    """A socket that says what the test wants it to say."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.setblocking(False)
        self._source: tuple[str, int] = ("", 0)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def receive(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            loop = asyncio.get_running_loop()
            data, self._source = await loop.sock_recvfrom(self._socket, 2048)
        return data

    async def request(self) -> Request:
        request = parse(await self.receive())
        assert isinstance(request, Request)
        return request

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._source)

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def registered() -> AsyncGenerator[tuple[Binder, Registrar]]:
    """With a registrar that has agreed to keep the flow."""
    binder, registrar = Binder(), Registrar()
    try:
        await binder.register(ME, Transport.UDP, HOST, registrar.port)
        request = await registrar.request()
        fields = (("Contact", request.headers.all("Contact")[0]), ("Require", "outbound"))
        registrar.send(bytes(respond(request, 200, to_tag="pbx", headers=fields)))
        assert isinstance(await binder.told(), Registered)
        yield binder, registrar
    finally:
        registrar.close()
        await binder.close()


async def test_an_answer_that_shows_another_address_registers_it() -> None:
    """The translator between us and the registrar has been restarted."""
    async with registered() as (binder, registrar):
        binder.clock.leap(29.0)
        asked = stun.parse(await registrar.receive())
        mapped = stun.xor_address(("203.0.113.9", 40000), asked.transaction_id)
        success = (stun.Method.BINDING, stun.Class.SUCCESS)
        attributes = [(stun.Attr.XOR_MAPPED_ADDRESS, mapped)]
        registrar.send(stun.build(*success, b"not so asked", attributes))
        registrar.send(stun.build(*success, asked.transaction_id, attributes)[:-1])
        registrar.send(stun.build(*success, asked.transaction_id, attributes))

        again = await registrar.request()

        assert str(again.contacts[0].uri) == "sip:100@203.0.113.9:40000"


async def test_a_question_without_answer_is_asked_again_as_it_was() -> None:
    """RFC 8489 §6.2.1: the same transaction; a new one after an answer, if only of an error."""
    async with registered() as (binder, registrar):
        binder.clock.leap(29.0)
        first = await registrar.receive()
        binder.clock.leap(0.5)
        assert await registrar.receive() == first

        asked = stun.parse(first)
        registrar.send(stun.build(stun.Method.BINDING, stun.Class.ERROR, asked.transaction_id))
        registrar.send(OPTIONS)
        assert (await registrar.receive()).startswith(b"SIP/2.0 200")  # it has read both
        binder.clock.leap(29.0)

        assert stun.parse(await registrar.receive()).transaction_id != asked.transaction_id
