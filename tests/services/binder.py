"""An endpoint with its transports and keep-alives, as the phone has them, that only registers."""

import asyncio

from sipstrobe.context import Context
from sipstrobe.services.keepalives import KeepAlives
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Binding
from sipstrobe.sip.outputs import CloseConnection, KeepAlive, KeepAliveAnswer, Output, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Transport
from tests.services.phones import PATIENCE
from tests.support.leap import LeapClock
from tests.support.ports import free_port


class Binder:
    """Its clock can leap over the pauses between keep-alives."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.keep_alives = 0  # that were sent
        self._news: asyncio.Queue[Output] = asyncio.Queue()
        context = Context(self.clock)
        self.endpoint = Endpoint(SipSettings(), context.random_bytes)
        self.driver = context.driver(self.endpoint, self._deliver, name="SIP timer")
        self.transports = SipTransports(context, self.driver, self.endpoint, lambda port: False)
        parts = (self.driver, self.endpoint, self.transports)
        self._keepalives = KeepAlives(context.random_bytes, *parts)

    def _deliver(self, output: Output) -> None:
        match output:
            case Send():
                self.keep_alives += not output.data.strip()
                self.transports.send(output.flow, output.data)
            case CloseConnection():
                self.transports.close_connection(output.connection)
            case KeepAlive():
                self.keep_alives += 1
                self._keepalives.ask(output)
            case KeepAliveAnswer():
                self._keepalives.take(output)
            case _:
                self._news.put_nowait(output)

    async def register(self, wanted: Binding, transport: Transport, host: str, port: int) -> None:
        self.transports.apply(SipSettings(enabled=True, port=free_port()))
        await self.transports.ready()
        flow = self.transports.flow_to(transport, host, port)
        assert flow is not None
        self.driver.feed(self.endpoint.register, "gate", wanted, flow)

    async def told(self) -> Output:
        async with asyncio.timeout(PATIENCE):
            return await self._news.get()

    @property
    def silent(self) -> bool:
        """There is no news."""
        return self._news.empty()

    async def close(self) -> None:
        await self.transports.aclose()
        self.driver.close()
