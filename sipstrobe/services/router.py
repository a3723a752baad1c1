"""A router that is asked to let others in (UPnP): at our SIP port for as long as we run, and at the
ports of each call."""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Final

from sipstrobe.context import Context
from sipstrobe.io.udp import Endpoint, local_address_for

if TYPE_CHECKING:
    from sipstrobe.io.igd import Gateway

logger = logging.getLogger(__name__)

LEASE: Final = 3600  # seconds for which the router is asked each time; UDA says one hour or more
LOOK_SOON: Final = 30.0  # seconds until a router is looked for again that did not answer
LEAVE_LIMIT: Final = 2.0  # seconds for taking leave of the router
_OUTSIDE: Final = "192.0.2.1"  # RFC 5737: any address that is not ours, to find the way out
_BEHIND: Final = tuple(  # RFC 1918, RFC 6598: nobody outside can reach these
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
)

Mapping = tuple[int, str]  # port, protocol


class Router:
    """Found, asked and asked again until `aclose`; changed: told when something is known anew."""

    def __init__(self, context: Context, sip_port: int, changed: Callable[[], None]) -> None:
        self.problem = ""
        self.name = ""
        self.external = ""  # our public address
        self.seconds: float | None = None  # until it had answered
        self.public: Endpoint | None = None  # where our SIP port can be reached from outside
        self._context = context
        self._sip_port = sip_port
        self._changed = changed
        self._gateway: Gateway | None = None
        self._own = ""  # our address on the way out
        self._open: set[Mapping] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._task = self._spawn(self._run())

    async def aclose(self) -> None:
        """Close what was opened, as far as the router answers."""
        self._task.cancel()
        gateway, self._gateway = self._gateway, None
        try:
            async with asyncio.timeout(LEAVE_LIMIT):
                await asyncio.gather(self._task, return_exceptions=True)
                if gateway is not None:
                    await self._delete(gateway, tuple(self._open))
                await asyncio.gather(*self._tasks)
        except TimeoutError:
            logger.warning("the router %s keeps ports open that are of no use", self.name)

    # --- calls ----------------------------------------------------------------------------------

    async def open(self, ports: tuple[int, ...]) -> tuple[Endpoint, ...]:
        """Let others in at these UDP ports; where they are reached, () when they are not."""
        gateway = self._gateway
        if gateway is None:
            return ()
        try:
            await self._add(gateway, [(port, "UDP") for port in ports])
        except OSError as error:
            logger.warning("%s", error)
            return ()
        return tuple((self.external, port) for port in ports)

    def close(self, ports: tuple[int, ...]) -> None:
        """Nobody need be let in there any more."""
        gateway = self._gateway
        if gateway is not None:
            self._spawn(self._delete(gateway, [(port, "UDP") for port in ports]))

    # --- the router -----------------------------------------------------------------------------

    async def _run(self) -> None:
        # Imported beside the loop, which it would hold up.
        await asyncio.to_thread(__import__, "sipstrobe.io.igd")
        while True:
            began = self._context.clock.now()
            try:
                await self._look()
            except OSError as error:
                self._gateway, self.public, self.external = None, None, ""
                self.problem = f"UPnP: {error}"
            else:
                self.seconds = self.seconds or self._context.clock.now() - began
                self.problem = self._judge()
            self._changed()
            await asyncio.sleep(LOOK_SOON if self.problem else LEASE / 2)

    async def _look(self) -> None:
        """Find the router, and have it open what should be; raises OSError."""
        from sipstrobe.io.igd import Gateway

        gateway = self._gateway
        if gateway is None:
            self._own = local_address_for(_OUTSIDE)
            gateway = await Gateway.find(self._own)
            self.name = gateway.name
        self.external = await gateway.external_address()
        sip = {(self._sip_port, "UDP"), (self._sip_port, "TCP")}
        await self._add(gateway, self._open | sip)
        self._gateway = gateway
        self.public = (self.external, self._sip_port)

    def _judge(self) -> str:
        try:
            external = ipaddress.ip_address(self.external)
        except ValueError:
            return f"UPnP: the router {self.name} has no public address"
        if external.version == 4 and any(external in network for network in _BEHIND):
            return f"UPnP: the router {self.name} is itself behind one, as {external}"
        return ""

    async def _add(self, gateway: "Gateway", mappings: Iterable[Mapping]) -> None:
        for port, protocol in mappings:
            await gateway.add(port, protocol, self._own, LEASE)
            self._open.add((port, protocol))

    async def _delete(self, gateway: "Gateway", mappings: Iterable[Mapping]) -> None:
        for port, protocol in mappings:
            self._open.discard((port, protocol))
            try:
                await gateway.delete(port, protocol)
            except OSError as error:
                logger.debug("%s", error)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
