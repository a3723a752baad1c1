"""A TURN server for stories, as far as one client sees it: RFC 8656, on a fake clock."""

from collections import deque
from itertools import count

from sipstrobe.nat.stun import (
    Address,
    Attr,
    Attribute,
    Class,
    Message,
    Method,
    build,
    error_code,
    long_term_key,
    parse,
    xor_address,
)
from sipstrobe.nat.turn import Allocated, Allocation, Failed, Send
from sipstrobe.secret import Secret

REALM, USER, PASSWORD = "example.org", "user", "secret"
RELAYED, MAPPED = ("198.51.100.1", 49152), ("203.0.113.9", 61000)


class Server:
    """Answers one message with another. Its faults are switched on by stories."""

    def __init__(self) -> None:
        self.nonce = b"first"
        self.asked: list[Message] = []  # whatever has come
        self.refuses: dict[
            int, tuple[int, str]
        ] = {}  # by method: what it says to a genuine request
        self.lifetime = 600
        self.silent = False
        self.forgetful = False  # no nonce is good twice
        self.forged = False  # the answers are signed by somebody else
        self.channels: dict[int, Address] = {}
        self.permitted: set[str] = set()

    def take(self, data: bytes) -> bytes | None:
        message = parse(data)
        self.asked.append(message)
        if self.silent:
            return None
        key = long_term_key(USER, REALM, PASSWORD)
        if message.get(Attr.NONCE) is None or not message.is_signed_with(key):
            return self._challenge(message, 401, "Unauthorized")
        if self.forgetful:
            self.nonce += b"x"
        if message.get(Attr.NONCE) != self.nonce:
            return self._challenge(message, 438, "Stale Nonce")
        refusal = self.refuses.get(message.method)
        kind = Class.SUCCESS if refusal is None else Class.ERROR
        attributes = self._granted(message) if refusal is None else [_error(*refusal)]
        signed = b"forged" if self.forged else key
        return build(message.method, kind, message.transaction_id, attributes, key=signed)

    def methods(self) -> list[Method]:
        return [Method(message.method) for message in self.asked]

    def _challenge(self, message: Message, code: int, words: str) -> bytes:
        attributes = [_error(code, words), (Attr.REALM, REALM.encode()), (Attr.NONCE, self.nonce)]
        return build(message.method, Class.ERROR, message.transaction_id, attributes)

    def _granted(self, message: Message) -> list[Attribute]:
        peer = message.address(Attr.XOR_PEER_ADDRESS)
        lifetime = (Attr.LIFETIME, self.lifetime.to_bytes(4, "big"))
        match message.method:
            case Method.ALLOCATE:
                key = message.transaction_id
                relayed = (Attr.XOR_RELAYED_ADDRESS, xor_address(RELAYED, key))
                return [relayed, (Attr.XOR_MAPPED_ADDRESS, xor_address(MAPPED, key)), lifetime]
            case Method.REFRESH:
                return [lifetime]
            case Method.CHANNEL_BIND:
                assert peer is not None
                number = int.from_bytes((message.get(Attr.CHANNEL_NUMBER) or b"")[:2], "big")
                self.channels[number] = peer
                self.permitted.add(peer[0])
                return []
            case _:
                assert peer is not None
                self.permitted.add(peer[0])
                return []


class Scene:
    """A client and its server, one way 10 ms apart."""

    def __init__(self, password: str = PASSWORD, *, reliable: bool = False) -> None:
        serials = count(1)
        self.server = Server()
        self.client = Allocation(
            lambda n: next(serials).to_bytes(n, "big"), USER, Secret(password), reliable=reliable
        )
        self.now = 0.0
        self.told: list[tuple[float, Allocated | Failed]] = []
        self.channel_data: list[bytes] = []
        self._flying: deque[tuple[float, bytes]] = deque()

    def run(self, until: float) -> None:
        self._settle()
        while (at := self._next()) is not None and at <= until:
            self.now = at
            if self._flying and self._flying[0][0] <= at:
                self.client.receive(self._flying.popleft()[1], now=at)
            else:
                self.client.wake(now=at)
            self._settle()
        self.now = until

    def allocate(self) -> None:
        self.client.allocate(now=self.now)
        self.run(self.now + 0.1)

    def send(self, data: bytes, peer: Address) -> None:
        wrapped = self.client.wrap(data, peer, now=self.now)
        if wrapped is not None:
            self.channel_data.append(wrapped)
        self.run(self.now + 0.05)

    def _next(self) -> float | None:
        instants = [self.client.deadline, self._flying[0][0] if self._flying else None]
        return min((at for at in instants if at is not None), default=None)

    def _settle(self) -> None:
        while self.client.outbox:
            output = self.client.outbox.popleft()
            if not isinstance(output, Send):
                self.told.append((round(self.now, 3), output))
            elif output.data[0] >> 6 == 1:
                self.channel_data.append(output.data)
            elif (answer := self.server.take(output.data)) is not None:
                self._flying.append((self.now + 0.02, answer))


def _error(code: int, words: str) -> Attribute:
    return Attr.ERROR_CODE, error_code(code, words)
