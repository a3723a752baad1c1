"""What others see as the address of one of our sockets: the Binding of RFC 8489 §2, asked for from
the socket itself, and kept open while it is of use (RFC 6263 §4.6)."""

from collections import deque
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.nat.stun import Address, Class, Method, build, parse
from sipstrobe.nat.transactions import Transactions

LIMIT: Final = 1.5  # seconds for which somebody who calls can be kept waiting
RTO: Final = 0.2  # seconds; Deviation: RFC 8489 §6.2.1 says 0.5, which is one repetition in LIMIT
KEEP_ALIVE: Final = 15.0  # seconds; RFC 6263 §4.6, RFC 8445 §11: no NAT forgets sooner


class Send(Struct, frozen=True):
    """Put these bytes on the wire, from the socket that this is about."""

    data: bytes
    to: Address


class Mapped(Struct, frozen=True):
    """The address that the server has seen. after: seconds that this took."""

    address: Address
    after: float


class Failed(Struct, frozen=True):
    """No address could be learnt; words: why."""

    words: str


Output = Send | Mapped | Failed


class Binding:
    """One socket and its mapping. It is asked for once, and from `keep` on over and over."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self.outbox: deque[Output] = deque()
        self.address: Address | None = None  # as it was seen last
        self._requests: Transactions[float] = Transactions(random_bytes, limit=LIMIT, rto=RTO)
        self._server: Address | None = None
        self._again_at: float | None = None
        self._kept = False

    @property
    def deadline(self) -> float | None:
        instants = (self._requests.deadline, self._again_at)
        return min((at for at in instants if at is not None), default=None)

    def ask(self, server: Address, *, now: float) -> None:
        """Learn the mapping from this server."""
        self._server = server
        self._requests.forget()
        request = self._requests.begin(_request, now, now=now)
        self.outbox.append(Send(request, server))

    def keep(self, *, now: float) -> None:
        """Keep the mapping from now on; news of it come when it changes."""
        if self._server is not None and not self._kept:
            self._kept = True
            self._again_at = now + KEEP_ALIVE

    def receive(self, data: bytes, source: Address, *, now: float) -> None:
        """What has come and looks like STUN; anything but the server's answer is passed over."""
        try:
            message = parse(data)
            began = self._requests.awaited(message)
            if began is None or source != self._server or message.method != Method.BINDING:
                return
            if message.kind is Class.SUCCESS and not message.unknown:
                self._learn(message.mapped, now - began)
            elif message.kind is Class.ERROR:
                self._fail("refused: {} {}".format(*(message.error or (0, "without a reason"))))
            else:
                return
        except RemoteProtocolError:
            return
        self._requests.end(message)

    def wake(self, *, now: float) -> None:
        for data, _ in list(self._requests.due(now)):
            if data is None:
                self._fail("does not answer")
            elif self._server is not None:
                self.outbox.append(Send(data, self._server))
        if self._again_at is not None and now >= self._again_at and self._server is not None:
            self._again_at = now + KEEP_ALIVE
            self.ask(self._server, now=now)

    def _learn(self, address: Address | None, after: float) -> None:
        if address is None:
            self._fail("names no address")
        elif address != self.address or not self._kept:
            self.address = address
            self.outbox.append(Mapped(address, after))

    def _fail(self, what: str) -> None:
        assert self._server is not None
        self.outbox.append(Failed(f"{_words(self._server)} {what}"))


def _request(transaction_id: bytes) -> bytes:
    return build(Method.BINDING, Class.REQUEST, transaction_id, fingerprint=True)


def _words(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
