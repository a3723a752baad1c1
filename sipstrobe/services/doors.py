"""The ports on which SIP listens: opened, retried, and kept as long as somebody needs them."""

import asyncio
import errno
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.signalling import SignallingSocket
from sipstrobe.io.tcp import TcpHub
from sipstrobe.sip.transport import Transport

logger = logging.getLogger(__name__)

RETRY = 5.0  # seconds until a port that was taken is tried again
TIDY = 1.0  # seconds from one look at ports that calls still need to the next
ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - a phone listens to everybody; by IP version
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


class Door(NamedTuple):
    """Something to listen on."""

    transport: Transport
    port: int


class Doors:
    """Open what is wanted. A port that is no longer wanted stays open for the calls that peers know
    it by, and closes after the last of them."""

    def __init__(
        self,
        context: Context,
        hubs: Mapping[Transport, TcpHub],
        open_udp: Callable[[str, int], SignallingSocket],
        trouble: Callable[[], Awaitable[str]],
        needed: Callable[[int], bool],
    ) -> None:
        """open_udp: raises OSError. trouble: what keeps us from speaking TLS. needed: whether
        something still goes on over a port that is no longer wanted."""
        self.problem = ""
        self.udp: dict[tuple[int, int], SignallingSocket] = {}  # by port and IP version
        self._context = context
        self._hubs = hubs
        self._open_udp = open_udp
        self._trouble = trouble
        self._needed = needed
        self._wanted: frozenset[Door] = frozenset()
        self._open: dict[tuple[Door, int], None] = {}  # with the IP version, oldest first
        self._opening: asyncio.Task[None] | None = None
        self._tidying: Handle | None = None
        self._tried = asyncio.Event()

    def apply(self, wanted: frozenset[Door]) -> None:
        """Have these open, on IPv4 and IPv6."""
        self._stop_opening()
        self._wanted = wanted
        if wanted:
            self._tried.clear()
            self._opening = asyncio.get_running_loop().create_task(self._open_all(wanted))
        else:
            self._report("")
        self._tidy()

    async def ready(self) -> None:
        """Wait until everything is open, or could not be opened."""
        if self._opening is not None:
            await self._tried.wait()

    def is_open(self, door: Door) -> bool:
        return any((door, version) in self._open for version in ANY)

    @property
    def in_words(self) -> list[str]:
        """What is wanted and open: "UDP 5060 (IPv4, IPv6)"."""
        found: list[str] = []
        for door in _in_order(self._wanted):
            versions = [f"IPv{version}" for version in ANY if (door, version) in self._open]
            if versions:
                found.append(f"{door.transport} {door.port} ({', '.join(versions)})")
        return found

    async def aclose(self) -> None:
        opening = self._opening
        self._stop_opening()
        for door in {door for door, _ in self._open}:
            self._close(door)
        if self._tidying is not None:
            self._tidying.cancel()
        if opening is not None:
            await asyncio.gather(opening, return_exceptions=True)

    # --- opening --------------------------------------------------------------------------------

    async def _open_all(self, wanted: frozenset[Door]) -> None:
        while True:
            problems = [
                words for door in _in_order(wanted) for words in await self._open_door(door)
            ]
            with self._context.trace.input("network", "listening", self._context.clock.now()):
                self._report("; ".join(dict.fromkeys(problems)))
            self._tried.set()
            if not problems:
                return
            await asyncio.sleep(RETRY)

    async def _open_door(self, door: Door) -> list[str]:
        if door.transport.secure and (trouble := await self._trouble()):
            return [trouble]
        problems: list[str] = []
        for version, host in ANY.items():
            if (door, version) in self._open:
                continue
            try:
                await self._open_at(door, version, host)
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY:
                    words = os.strerror(error.errno or 0)
                    problems.append(f"{door.transport} {door.port} on {host}: {words}")
            else:
                self._open[door, version] = None
        return problems

    async def _open_at(self, door: Door, version: int, host: str) -> None:
        if door.transport is Transport.UDP:
            self.udp[door.port, version] = self._open_udp(host, door.port)
        else:
            await self._hubs[door.transport].listen(host, door.port)

    def _stop_opening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    # --- closing --------------------------------------------------------------------------------

    def _tidy(self) -> None:
        """Close what is neither wanted nor needed."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        unwanted = {door for door, _ in self._open} - self._wanted
        for door in unwanted:
            if not self._needed(door.port):
                self._close(door)
        if any(door in unwanted for door, _ in self._open):
            clock = self._context.clock
            self._tidying = clock.call_at(clock.now() + TIDY, self._tidy)
        elif not self._wanted:
            for hub in self._hubs.values():
                hub.close()

    def _close(self, door: Door) -> None:
        for version in ANY:
            self._open.pop((door, version), None)
            if door.transport is Transport.UDP and (
                udp := self.udp.pop((door.port, version), None)
            ):
                udp.close()
        if door.transport is not Transport.UDP:
            self._hubs[door.transport].stop_listening(door.port)

    def _report(self, problem: str) -> None:
        if problem != self.problem or not problem:
            self.problem = problem
            if problem:
                logger.warning("cannot listen: %s; trying again every %g s", problem, RETRY)
            self._context.bus.publish(
                ServiceStateChanged(service="sip", working=not problem, problem=problem)
            )


def _in_order(doors: frozenset[Door]) -> list[Door]:
    return sorted(doors, key=lambda door: list(Transport).index(door.transport))
