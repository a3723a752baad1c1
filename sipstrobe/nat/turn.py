"""A relay that a TURN server lends us: RFC 8656, long-term credentials of RFC 8489 §9.2.

Media takes the quick way: `wrap` makes of it what the server is to be sent, `receive` returns what
it has passed on. All else waits in the outbox.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.nat.stun import (
    HEADER_BYTES,
    Address,
    Attr,
    Attribute,
    Class,
    Message,
    Method,
    build,
    is_stun,
    long_term_key,
    parse,
    xor_address,
)
from sipstrobe.nat.transactions import Transactions
from sipstrobe.secret import Secret

LIMIT: Final = 3.0  # seconds that one request may take
LIFETIME: Final = 600  # seconds; RFC 8656 §2.2, what we ask for
SHORTEST: Final = 30.0  # seconds until a refresh, whatever the server grants
REFRESH_PEERS: Final = 240.0  # seconds; §9: a permission lasts 300, §12: a channel 600
ASK_AGAIN: Final = 5.0  # seconds until a peer is asked for again that was refused
CHANNELS: Final = range(0x4000, 0x5000)  # §12
MAX_PEERS: Final = 64  # of one relay
MAX_WAITING: Final = 8  # datagrams for a peer whose channel is being bound; older ones are lost
MAX_STALE: Final = 3  # new nonces in a row for one request
MAX_FRAME: Final = 65535 + HEADER_BYTES + 3
_CHANNEL: Final = 4  # §12: the first four bits of ChannelData
_UDP: Final = bytes((17, 0, 0, 0))  # §18.7 REQUESTED-TRANSPORT
_UNAUTHORIZED, _STALE_NONCE, _MISMATCH = 401, 438, 437  # RFC 8489 §14.8, RFC 8656 §19


class State(Enum):
    IDLE = auto()
    ALLOCATING = auto()
    ALLOCATED = auto()
    ENDED = auto()


class Send(Struct, frozen=True):
    """Put these bytes on the way to the server."""

    data: bytes


class Allocated(Struct, frozen=True):
    """There is a relay. mapped: our address as the server sees it. after: seconds it took."""

    relayed: Address
    mapped: Address | None
    after: float


class Failed(Struct, frozen=True):
    """There is no relay, or none any more; words: why."""

    words: str


Output = Send | Allocated | Failed


@dataclass(slots=True)
class _Peer:
    address: Address
    channel: int | None  # None: only what it sends is let in
    bound: bool = False
    refresh_at: float | None = None  # None: a request is on its way
    waiting: deque[bytes] = field(default_factory=lambda: deque[bytes](maxlen=MAX_WAITING))


class _Purpose(Struct, frozen=True):
    method: Method
    began: float
    peer: _Peer | None = None
    signed: bool = False
    stale: int = 0  # nonces that it was told to be too old


class Allocation:
    """One relayed address, from `allocate` until `release`.

    reliable: the way to the server is a stream, on which nothing is repeated and all is padded.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        user: str,
        password: Secret,
        *,
        reliable: bool = False,
    ) -> None:
        self.outbox: deque[Output] = deque()
        self.state = State.IDLE
        self.relayed: Address | None = None
        self.dropped = 0  # datagrams for peers that there was no way to
        self._user = user
        self._password = password
        self._reliable = reliable
        self._requests: Transactions[_Purpose] = Transactions(
            random_bytes, limit=LIMIT, reliable=reliable
        )
        self._key: bytes | None = None
        self._realm = self._nonce = b""
        self._refresh_at: float | None = None
        self._peers: dict[Address, _Peer] = {}
        self._by_channel: dict[int, _Peer] = {}
        self._permitted: dict[str, _Peer] = {}  # by host

    @property
    def deadline(self) -> float | None:
        instants = [self._requests.deadline, self._refresh_at]
        instants += [peer.refresh_at for peer in self._all_peers()]
        return min((at for at in instants if at is not None), default=None)

    # --- life -----------------------------------------------------------------------------------

    def allocate(self, *, now: float) -> None:
        """Ask for a relay; Allocated or Failed follows."""
        self.state = State.ALLOCATING
        self._request(_Purpose(Method.ALLOCATE, now), now)

    def release(self, *, now: float) -> None:
        """Give it back: one request, whose answer nobody waits for."""
        if self.state is State.ALLOCATED:
            self._refresh_at = None
            self._request(_Purpose(Method.REFRESH, now), now, lifetime=0)
        self._end()

    def permit(self, host: str, *, now: float) -> None:
        """Let in what comes from this host, from whatever port (§9)."""
        if host not in self._permitted and self._room():
            peer = self._permitted[host] = _Peer((host, 0), None)
            self._bind(peer, now)

    def wake(self, *, now: float) -> None:
        for data, purpose in list(self._requests.due(now)):
            if data is not None:
                self.outbox.append(Send(data))
            else:
                self._timed_out(purpose, now)
        if self._refresh_at is not None and now >= self._refresh_at:
            self._refresh_at = None
            self._request(_Purpose(Method.REFRESH, now), now)
        for peer in list(self._all_peers()):
            if peer.refresh_at is not None and now >= peer.refresh_at:
                self._bind(peer, now)

    # --- media ----------------------------------------------------------------------------------

    def wrap(self, data: bytes, peer: Address, *, now: float) -> bytes | None:
        """What the server is to be sent so that the peer gets `data`.

        None: it waits until the channel is bound, or is lost since there can be none.
        """
        known = self._peers.get(peer)
        if known is not None and known.bound:
            assert known.channel is not None
            return self._channel_data(known.channel, data)
        if known is None:
            if self.state is not State.ALLOCATED or not self._room():
                self.dropped += 1
                return None
            known = self._peers[peer] = _Peer(peer, CHANNELS[len(self._peers)])
            self._by_channel[CHANNELS[len(self._peers) - 1]] = known
            self._bind(known, now)
        self.dropped += len(known.waiting) == MAX_WAITING
        known.waiting.append(data)
        return None

    def receive(self, data: bytes, *, now: float) -> tuple[bytes, Address] | None:
        """What the server has sent: a peer's datagram and its sender, or None if it was for us."""
        if len(data) >= 4 and data[0] >> 4 == _CHANNEL:
            return self._from_channel(data)
        try:
            return self._from_server(parse(data), now)
        except RemoteProtocolError:
            return None

    def _from_channel(self, data: bytes) -> tuple[bytes, Address] | None:
        peer = self._by_channel.get(int.from_bytes(data[:2], "big"))
        end = 4 + int.from_bytes(data[2:4], "big")
        if peer is None or end > len(data):
            return None  # §12.6
        return data[4:end], peer.address

    def _channel_data(self, channel: int, data: bytes) -> bytes:
        """§12.4, §12.5: over a stream it is padded."""
        padding = bytes(-len(data) % 4) if self._reliable else b""
        return channel.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data + padding

    # --- requests -------------------------------------------------------------------------------

    def _request(self, purpose: _Purpose, now: float, *, lifetime: int = LIFETIME) -> None:
        if self.state is State.ENDED:
            return
        signed = _Purpose(
            purpose.method, purpose.began, purpose.peer, self._key is not None, purpose.stale
        )

        def make(transaction_id: bytes) -> bytes:
            attributes = [*_attributes(purpose, transaction_id, lifetime), *self._credentials()]
            return build(
                purpose.method,
                Class.REQUEST,
                transaction_id,
                attributes,
                key=self._key,
                fingerprint=True,
            )

        self.outbox.append(Send(self._requests.begin(make, signed, now=now)))

    def _credentials(self) -> list[Attribute]:
        if self._key is None:
            return []
        return [
            (Attr.USERNAME, self._user.encode()),
            (Attr.REALM, self._realm),
            (Attr.NONCE, self._nonce),
        ]

    def _bind(self, peer: _Peer, now: float) -> None:
        method = Method.CREATE_PERMISSION if peer.channel is None else Method.CHANNEL_BIND
        peer.refresh_at = None
        self._request(_Purpose(method, now, peer), now)

    def _timed_out(self, purpose: _Purpose, now: float) -> None:
        if purpose.peer is None:
            self._fail("does not answer")
        else:
            self._unbound(purpose.peer, now)

    # --- responses ------------------------------------------------------------------------------

    def _from_server(self, message: Message, now: float) -> tuple[bytes, Address] | None:
        if message.kind is Class.INDICATION:
            peer, data = message.address(Attr.XOR_PEER_ADDRESS), message.get(Attr.DATA)
            if message.method != Method.DATA or peer is None or data is None:
                return None
            return data, peer
        purpose = self._requests.awaited(message)
        if purpose is None or message.method != purpose.method:
            return None
        error = message.error if message.kind is Class.ERROR else None
        challenged = error is not None and error[0] in (_UNAUTHORIZED, _STALE_NONCE)
        if purpose.signed and not challenged and not self._is_genuine(message):
            return None
        self._requests.end(message)
        if error is not None:
            self._refused(purpose, message, *error, now)
        elif message.kind is Class.SUCCESS:
            self._granted(purpose, message, now)
        return None

    def _is_genuine(self, message: Message) -> bool:
        """RFC 8489 §9.2.5: nobody else answers for the server."""
        return self._key is not None and message.is_signed_with(self._key)

    def _granted(self, purpose: _Purpose, message: Message, now: float) -> None:
        if purpose.peer is not None:
            self._bound(purpose.peer, now)
            return
        lifetime = message.number(Attr.LIFETIME) or LIFETIME
        self._refresh_at = now + max(SHORTEST, lifetime - 60.0)
        if purpose.method is Method.ALLOCATE:
            self.relayed = message.address(Attr.XOR_RELAYED_ADDRESS)
            if self.relayed is None:
                self._fail("names no relay")
                return
            self.state = State.ALLOCATED
            self.outbox.append(Allocated(self.relayed, message.mapped, now - purpose.began))

    def _refused(
        self, purpose: _Purpose, message: Message, code: int, words: str, now: float
    ) -> None:
        if self._challenged(purpose, message, code):
            again = _Purpose(
                purpose.method, purpose.began, purpose.peer, stale=purpose.stale + purpose.signed
            )
            self._request(again, now)
        elif purpose.peer is not None:
            self._unbound(purpose.peer, now)
        elif code == _UNAUTHORIZED and purpose.signed:
            self._fail("does not accept our name and password")
        elif code == _MISMATCH and purpose.method is Method.REFRESH:
            self._fail("has forgotten the relay")
        else:
            self._fail(f"refused: {code} {words}".rstrip())

    def _challenged(self, purpose: _Purpose, message: Message, code: int) -> bool:
        """Take realm and nonce; whether it makes sense to ask again with them."""
        nonce = message.get(Attr.NONCE)
        if nonce is None or not self._user or purpose.stale >= MAX_STALE:
            return False
        if code == _UNAUTHORIZED and not purpose.signed:
            self._realm = message.get(Attr.REALM) or b""
            realm = self._realm.decode("utf-8", "replace")
            self._key = long_term_key(self._user, realm, self._password.reveal())
        elif code != _STALE_NONCE or self._key is None:
            return False
        self._nonce = nonce
        return True

    def _bound(self, peer: _Peer, now: float) -> None:
        peer.refresh_at = now + REFRESH_PEERS
        if peer.channel is None:
            return
        peer.bound = True
        while peer.waiting:
            self.outbox.append(Send(self._channel_data(peer.channel, peer.waiting.popleft())))

    def _unbound(self, peer: _Peer, now: float) -> None:
        """The server does not let us talk to this one (§12.3: 403, 443), or not at this moment."""
        self.dropped += len(peer.waiting)
        peer.waiting.clear()
        peer.bound = False
        peer.refresh_at = now + ASK_AGAIN

    # --- common ---------------------------------------------------------------------------------

    def _all_peers(self) -> Iterable[_Peer]:
        return (*self._peers.values(), *self._permitted.values())

    def _room(self) -> bool:
        return len(self._peers) + len(self._permitted) < MAX_PEERS

    def _fail(self, words: str) -> None:
        self._end()
        self.outbox.append(Failed(words))

    def _end(self) -> None:
        self.state = State.ENDED
        self.relayed = None
        self._refresh_at = None
        self._requests.forget()
        self._peers.clear()
        self._by_channel.clear()
        self._permitted.clear()


class Framer:
    """Messages and ChannelData out of a stream (RFC 8656 §3.1, §12.5)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """What is complete. Raises RemoteProtocolError when the stream can be nothing of this."""
        self._rest += data
        found: list[bytes] = []
        while len(self._rest) >= 4:
            size = self._size()
            if len(self._rest) < size:
                break
            found.append(self._rest[:size])
            self._rest = self._rest[size:]
        return found

    def _size(self) -> int:
        length = int.from_bytes(self._rest[2:4], "big")
        if self._rest[0] >> 4 == _CHANNEL:
            return 4 + length + -length % 4
        if self._rest[0] >> 6 or (len(self._rest) >= HEADER_BYTES and not is_stun(self._rest)):
            raise RemoteProtocolError("what the TURN server sends is neither STUN nor ChannelData")
        return HEADER_BYTES + length


def _attributes(purpose: _Purpose, transaction_id: bytes, lifetime: int) -> list[Attribute]:
    match purpose.method:
        case Method.ALLOCATE:
            return [
                (Attr.REQUESTED_TRANSPORT, _UDP),
                (Attr.LIFETIME, lifetime.to_bytes(4, "big")),
            ]
        case Method.REFRESH:
            return [(Attr.LIFETIME, lifetime.to_bytes(4, "big"))]
        case _:
            assert purpose.peer is not None
            peer = purpose.peer
            address = (Attr.XOR_PEER_ADDRESS, xor_address(peer.address, transaction_id))
            if peer.channel is None:
                return [address]
            return [(Attr.CHANNEL_NUMBER, peer.channel.to_bytes(2, "big") + bytes(2)), address]
