"""Keep-alives by STUN over real sockets: RFC 5626 §4.4.2."""

import asyncio
import socket

from sipstrobe.context import Context
from sipstrobe.nat import stun
from sipstrobe.services.keepalives import KeepAlives
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Binding, Identity, Registered
from sipstrobe.sip.message import Request, parse, respond
from sipstrobe.sip.outputs import KeepAlive, KeepAliveAnswer, Output, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Transport
from tests.services.phones import HOST, PATIENCE, free_port
from tests.support.leap import LeapClock

ME = Binding(Identity("sip:100@pbx.example"), "sip:pbx.example", 3600, "urn:uuid:1")


class Bench:
    """An endpoint with its transports, and a registrar's socket."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.news: asyncio.Queue[Output] = asyncio.Queue()
        context = Context(self.clock)
        endpoint = Endpoint(SipSettings(), context.random_bytes)
        self.driver = context.driver(endpoint, self._deliver, name="SIP timer")
        self.endpoint = endpoint
        self.transports = SipTransports(context, self.driver, endpoint, lambda port: False)
        parts = (self.driver, endpoint, self.transports)
        self._keepalives = KeepAlives(context.random_bytes, *parts)
        self._registrar = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._registrar.bind((HOST, 0))
        self._registrar.setblocking(False)

    def _deliver(self, output: Output) -> None:
        match output:
            case Send():
                self.transports.send(output.flow, output.data)
            case KeepAlive():
                self._keepalives.ask(output)
            case KeepAliveAnswer():
                self._keepalives.take(output)
            case _:
                self.news.put_nowait(output)

    async def register(self) -> None:
        self.transports.apply(SipSettings(enabled=True, port=free_port()))
        await self.transports.ready()
        flow = self.transports.flow_to(Transport.UDP, *self._registrar.getsockname()[:2])
        assert flow is not None
        self.driver.feed(self.endpoint.register, "gate", ME, flow)

    async def receive(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            loop = asyncio.get_running_loop()
            data, self._source = await loop.sock_recvfrom(self._registrar, 2048)
        return data

    async def told(self) -> Output:
        async with asyncio.timeout(PATIENCE):
            return await self.news.get()

    async def request(self) -> Request:
        request = parse(await self.receive())
        assert isinstance(request, Request)
        return request

    def send(self, data: bytes) -> None:
        self._registrar.sendto(data, self._source)

    def grant(self, request: Request) -> None:
        contact = request.headers.all("Contact")[0]
        fields = (("Contact", contact), ("Require", "outbound"))
        self.send(bytes(respond(request, 200, to_tag="pbx", headers=fields)))

    async def close(self) -> None:
        self._registrar.close()
        await self.transports.aclose()
        self.driver.close()


async def test_an_answer_that_shows_another_address_registers_it() -> None:
    """The translator between us and the registrar has been restarted."""
    bench = Bench()
    try:
        await bench.register()
        bench.grant(await bench.request())
        assert isinstance(await bench.told(), Registered)

        bench.clock.leap(29.0)
        asked = stun.parse(await bench.receive())
        mapped = stun.xor_address(("203.0.113.9", 40000), asked.transaction_id)
        success = (stun.Method.BINDING, stun.Class.SUCCESS)
        attributes = [(stun.Attr.XOR_MAPPED_ADDRESS, mapped)]
        bench.send(stun.build(*success, b"not so asked", attributes))
        bench.send(stun.build(*success, asked.transaction_id, attributes)[:-1])
        bench.send(stun.build(*success, asked.transaction_id, attributes))

        again = await bench.request()
        assert str(again.contacts[0].uri) == "sip:100@203.0.113.9:40000"
    finally:
        await bench.close()


async def test_a_question_without_answer_is_asked_again_as_it_was() -> None:
    """RFC 8489 §6.2.1: the same transaction."""
    bench = Bench()
    try:
        await bench.register()
        bench.grant(await bench.request())
        assert isinstance(await bench.told(), Registered)

        bench.clock.leap(29.0)
        first = await bench.receive()
        bench.clock.leap(0.5)

        assert await bench.receive() == first
    finally:
        await bench.close()
