"""Two SIP endpoints on a link that loses, repeats, reorders and delays by a given pattern."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import CloseConnection, Output, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport

Fate = Callable[[int], Sequence[float]]
"""How many seconds after it was sent each copy of the n-th message arrives; none: it is lost."""

Handler = Callable[["Side", Output, float], None]


def at_once(n: int) -> Sequence[float]:
    return (0.01,)


def counting(seed: int) -> Callable[[int], bytes]:
    """Randomness for tests: all different, and the same in each run."""
    serials = count(seed << 32)
    return lambda n: (next(serials) * 2654435761 % (1 << 8 * n)).to_bytes(n, "big")


@dataclass
class Side:
    """One end: an endpoint, what its phone does with the news, and the news so far."""

    endpoint: Endpoint
    address: Address
    handler: Handler | None = None
    news: list[tuple[float, Output]] = field(default_factory=list[tuple[float, Output]])

    def told(self, kind: type[Output]) -> list[Output]:
        return [output for _, output in self.news if isinstance(output, kind)]


class Link:
    """Run both sides on one fake clock."""

    def __init__(
        self,
        fate: Fate = at_once,
        *,
        transport: Transport = Transport.UDP,
        settings: tuple[SipSettings, SipSettings] = (SipSettings(), SipSettings()),
    ) -> None:
        self.now = 0.0
        self.fate: Fate = fate
        self.transport = transport
        self.a = Side(Endpoint(settings[0], counting(1)), Address("192.0.2.1", 5060))
        self.b = Side(Endpoint(settings[1], counting(2)), Address("192.0.2.2", 5060))
        self.wire: list[tuple[float, Side, bytes]] = []  # what was sent, by whom
        self.done: set[tuple[str, str]] = set()  # a test's own notes
        self._flying: list[tuple[float, int, Side, Flow, bytes]] = []
        self._serials = count()

    def flow(self, side: Side) -> Flow:
        """The way from this side to the other."""
        connection = 1 if self.transport.reliable else None
        return Flow(self.transport, side.address, self.other(side).address, connection)

    def other(self, side: Side) -> Side:
        return self.b if side is self.a else self.a

    def settle(self) -> None:
        """Send and tell what waits on both sides."""
        while self.a.endpoint.outbox or self.b.endpoint.outbox:
            for side in (self.a, self.b):
                while side.endpoint.outbox:
                    self._carry_out(side, side.endpoint.outbox.popleft())

    def run(self, until: float) -> None:
        """Let everything happen that happens until then."""
        self.settle()
        while (at := self._next()) is not None and at <= until:
            self.now = max(self.now, at)
            if self._flying and self._flying[0][0] <= self.now:
                _, _, side, flow, data = heappop(self._flying)
                if self.transport.reliable:
                    side.endpoint.receive_stream(data, flow, now=self.now)
                else:
                    side.endpoint.receive(data, flow, now=self.now)
            for side in (self.a, self.b):
                deadline = side.endpoint.deadline
                if deadline is not None and deadline <= self.now:
                    side.endpoint.wake(now=self.now)
            self.settle()
        self.now = until

    def _next(self) -> float | None:
        instants = [self.a.endpoint.deadline, self.b.endpoint.deadline]
        if self._flying:
            instants.append(self._flying[0][0])
        return min((at for at in instants if at is not None), default=None)

    def _carry_out(self, side: Side, output: Output) -> None:
        if isinstance(output, Send):
            n = len(self.wire)
            self.wire.append((self.now, side, output.data))
            other = self.other(side)
            assert output.flow.remote == other.address, output
            for delay in self.fate(n):
                at = self.now + delay
                flight = (at, next(self._serials), other, self.flow(other), output.data)
                heappush(self._flying, flight)
        else:
            assert not isinstance(output, CloseConnection)
            side.news.append((self.now, output))
            if side.handler is not None:
                side.handler(side, output, self.now)
