"""An MQTT client without I/O: connects, stays connected, and keeps what must not be lost.

MQTT 3.1.1 and 5. Whatever a broker does wrong ends the connection, and it is tried again after a
while that grows. What comes is taken at a bounded rate: while it is too much, nothing is read, so
that the broker has to wait.
"""

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final
from zlib import crc32

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.mqtt.delivery import MAX_IN_FLIGHT, NOBODY, Delivery, Limits, Token
from sipstrobe.mqtt.outputs import (
    Arrived,
    Close,
    Delivered,
    Dial,
    Down,
    Hold,
    Options,
    Output,
    Send,
    Trouble,
    Up,
)
from sipstrobe.mqtt.packets import (
    DISCONNECT,
    PINGREQ,
    Ack,
    ConnAck,
    Disconnect,
    Message,
    Packet,
    PingResp,
    Property,
    Publish,
    Reader,
    SubAck,
    Type,
    Version,
    subscribe,
    unsubscribe,
)
from sipstrobe.mqtt.words import refusal
from sipstrobe.timers import Timers

FIRST_WAIT: Final = 1.0  # seconds until a lost broker is tried again; then twice as long each time
LONGEST_WAIT: Final = 60.0
HELD: Final = 30.0  # seconds after which a connection was a good one
PONG_LIMIT: Final = 20.0  # seconds for the answer to a PINGREQ, or the keep-alive if that is less
RATE: Final = 500.0  # messages a second that are taken …
BURST: Final = 20  # … and how many at once
PUMP_BYTES: Final = 64 * 1024  # that are sent at once; then others on the loop have their turn
FILTERS_AT_ONCE: Final = 20  # in one SUBSCRIBE
MAX_SUBSCRIPTION_ID: Final = 268_435_455  # MQTT 5 §3.8.2.1.2
_SOON: Final = 1e-4  # seconds: the next turn of the loop


class State(Enum):
    OFF = auto()
    WAITING = auto()  # until it is tried again
    DIALLING = auto()
    GREETING = auto()  # CONNECT has been sent
    UP = auto()


class _Timer(Enum):
    CONNECT, RETRY, PING, PONG, PUMP, TAKE = range(6)


class Client:
    """One client of one broker at a time."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self.outbox: deque[Output] = deque()
        self.state = State.OFF
        self.received = 0
        self.oversize = 0  # messages that came and were too large
        self.delivery = Delivery(int.from_bytes(random(2), "big"))
        self._random = random
        self._timers: Timers[_Timer] = Timers()
        self._options: Options | None = None
        self._reader = Reader("3.1.1")
        self._wanted: dict[str, int] = {}  # filters with their QoS
        self._held: dict[str, int] = {}  # those that the broker has, or may have
        self._asked: dict[int, list[str]] = {}  # by packet id
        self._numbered = False  # the broker says for which filters it sends a message
        self._released: set[int] = set()  # QoS 2: received, and not released yet; 65,535 at most
        self._ours = False  # a session that the broker has is the one that we know
        self._writable = True
        self._holding = False
        self._keep_alive = 0.0
        self._sent_at = self._heard_at = self._up_at = 0.0
        self._wait = FIRST_WAIT
        self._tokens, self._filled_at = float(BURST), 0.0
        self._told_dropped = 0
        self._dropping = False

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    # --- orders ---------------------------------------------------------------------------------

    def start(self, options: Options, goodbye: Message | None = None, *, now: float) -> None:
        """Be connected like this; nothing happens when that is so already. goodbye: for the broker
        that we leave for it."""
        if options == self._options and self.state is not State.OFF:
            return
        before = self._options
        if self.state is not State.OFF:
            self.stop(goodbye, now=now)
        if before is not None and before.where != options.where:
            self._ours = False
            self.delivery.clear()
            self._lost_tokens()
        elif before is not None and before.connect.client_id != options.connect.client_id:
            self._ours = False
        self._options = options
        self._wait = FIRST_WAIT
        self._dial(now)

    def stop(self, goodbye: Message | None, *, now: float) -> None:
        """Take leave, with a last message if there is one."""
        if self.state is State.OFF:
            return
        if self.state is State.UP:
            if goodbye is not None:
                self._send(self.delivery.last_word(self._version, goodbye), now)
            self._send(DISCONNECT, now)
        self._end(State.OFF)
        self.outbox.append(Down("", None))

    def publish(
        self,
        message: Message,
        *,
        now: float,
        state: bool = False,
        token: Token = 0,
        first: bool = False,
    ) -> None:
        """See Delivery.put; what merely happens is dropped without a broker, with QoS 0."""
        if self.state is State.OFF and not message.retain:
            return
        kept = state or message.retain or message.qos
        if self.state is State.UP or kept:
            ordered = self.state is State.UP
            self.delivery.put(message, state=state, ordered=ordered, token=token, first=first)
        else:
            self.delivery.dropped += 1
            if token:
                self.delivery.lost.append((token, NOBODY))
        self._pump(now)

    def cancel(self, token: Token, *, now: float) -> None:
        self.delivery.cancel(token)

    def subscribe(self, filters: Mapping[str, int], *, now: float) -> None:
        """Hear these and no others. A filter that is asked for anew, as with another QoS, is told
        its retained messages again."""
        self._wanted = dict(filters)
        if self.state is State.UP:
            self._ask(now)

    # --- from the wire --------------------------------------------------------------------------

    def opened(self, *, now: float) -> None:
        """There is a connection, and something can be said on it."""
        assert self._options is not None
        self.state = State.GREETING
        self._writable = True
        self._holding = False
        self._reader = Reader(self._options.connect.version)
        self._send(bytes(self._options.connect), now)

    def closed(self, words: str, *, now: float) -> None:
        """The connection has ended, or there was none."""
        if self.state is not State.OFF:
            self._lose(words or "the broker has closed the connection", now)

    def writable(self, so: bool, *, now: float) -> None:
        """Whether the connection takes more."""
        self._writable = so
        self._pump(now)
        if so and self._holding:
            self._take(now)

    def feed(self, data: bytes, *, now: float) -> None:
        """What has come."""
        if self.state not in (State.GREETING, State.UP):
            return
        self._heard(now)
        self._reader.feed(data)
        self._take(now)

    def wake(self, *, now: float) -> None:
        for timer in self._timers.due(now):
            match timer:
                case _Timer.CONNECT:
                    self._lose("the broker does not answer", now)
                case _Timer.RETRY:
                    self._dial(now)
                case _Timer.PING:
                    self._ping(now)
                case _Timer.PONG:
                    self._lose("the broker does not answer any more", now)
                case _Timer.PUMP:
                    self._pump(now)
                case _Timer.TAKE:
                    self._take(now)

    # --- the connection -------------------------------------------------------------------------

    @property
    def _version(self) -> Version:
        assert self._options is not None
        return self._options.connect.version

    def _dial(self, now: float) -> None:
        assert self._options is not None
        self.state = State.DIALLING
        self._timers.start(_Timer.CONNECT, now + self._options.connect_timeout)
        self.outbox.append(Dial())

    def _lose(self, words: str, now: float) -> None:
        """The broker is gone; try again, later each time."""
        assert self._options is not None
        if self.state is State.UP:
            self.delivery.blame()
            if now - self._up_at >= HELD:
                self._wait = FIRST_WAIT
        self._end(State.WAITING)
        retry = None
        if self._options.reconnect:
            retry = self._wait * (0.5 + self._random(1)[0] / 512)  # not all devices at once
            self._wait = min(2 * self._wait, LONGEST_WAIT)
            self._timers.start(_Timer.RETRY, now + retry)
        self.outbox.append(Down(words, retry))

    def _end(self, state: State) -> None:
        self.state = state
        for timer in _Timer:
            self._timers.stop(timer)
        self._asked.clear()
        self._tokens = float(BURST)
        self.delivery.leave()
        self._lost_tokens()
        self.outbox.append(Close())

    def _let_in(self, ack: ConnAck, now: float) -> None:
        if self.state is not State.GREETING:
            raise RemoteProtocolError("it does not speak MQTT: CONNACK twice")
        assert self._options is not None
        if ack.reason:
            words = refusal(self._version, ack.reason)
            said = ack.properties.get(Property.REASON_STRING)
            raise RemoteProtocolError(f"{words}: {said}" if said else words)
        connect = self._options.connect
        if connect.clean and ack.session_present:
            raise RemoteProtocolError("it does not speak MQTT: an old session for a new one")
        self.state = State.UP
        self._up_at = now
        self._timers.stop(_Timer.CONNECT)
        keep_alive = ack.properties.get(Property.SERVER_KEEP_ALIVE, connect.keep_alive)
        self._keep_alive = float(int(keep_alive))
        self._next_ping()
        self.delivery.limits = _limits(ack)
        self._numbered = connect.version == "5" and bool(
            ack.properties.get(Property.SUBSCRIPTION_IDENTIFIERS_AVAILABLE, 1)
        )
        known = ack.session_present and self._ours
        self._ours = True
        if not known:
            self._held.clear()
            self._released.clear()
        self.outbox.append(Up())
        if dropped := self.delivery.dropped - self._told_dropped:
            words = (
                f"messages that could not wait were dropped while there was no broker: {dropped}"
            )
            self.outbox.append(Trouble(words))
        self._told_dropped, self._dropping = self.delivery.dropped, False
        for packet in self.delivery.greet(known=known):
            self._send(packet, now)
        self._ask(now, anew=True)
        self._timers.start(_Timer.PUMP, now + _SOON)  # who is told that we are up may speak first

    def _next_ping(self) -> None:
        if self._keep_alive:
            since = min(self._sent_at, self._heard_at)
            self._timers.start(_Timer.PING, since + self._keep_alive)

    def _ping(self, now: float) -> None:
        """§3.1.2.10: nothing was said for so long; also when nothing was heard."""
        if now - min(self._sent_at, self._heard_at) >= self._keep_alive:
            self._send(PINGREQ, now)
            self._timers.start(_Timer.PONG, now + min(PONG_LIMIT, self._keep_alive))
            self._timers.start(_Timer.PING, now + self._keep_alive)
        else:
            self._next_ping()

    def _send(self, data: bytes, now: float) -> None:
        self._sent_at = now
        self.outbox.append(Send(data))

    # --- outwards -------------------------------------------------------------------------------

    def _pump(self, now: float) -> None:
        """Send what waits, as far as broker and connection take it."""
        delivery, sent = self.delivery, 0
        version = self._options.connect.version if self._options else "3.1.1"
        while self.state is State.UP and self._writable:
            found = delivery.next(version)
            if found is None:
                break
            packet, token = found
            self._send(packet, now)
            if token:
                self.outbox.append(Delivered(token))
            sent += len(packet)
            if sent >= PUMP_BYTES:
                self._timers.start(_Timer.PUMP, now + _SOON)
                break
        self._lost_tokens()
        if self.state is State.UP:
            self._tell_dropped()

    def _tell_dropped(self) -> None:
        """Once, until nothing waits any more."""
        if not self.delivery.waiting:
            self._dropping = False
        elif self.delivery.dropped > self._told_dropped and not self._dropping:
            self._dropping = True
            self.outbox.append(Trouble("messages are dropped: the broker takes too few"))
        self._told_dropped = self.delivery.dropped

    def _lost_tokens(self) -> None:
        for token, words in self.delivery.lost:
            self.outbox.append(Delivered(token, words))
        self.delivery.lost.clear()

    def _ask(self, now: float, *, anew: bool = False) -> None:
        """Bring the broker's subscriptions to what is wanted."""
        assert self._options is not None
        version = self._options.connect.version
        gone = [name for name in self._held if name not in self._wanted]
        fresh = [f for f in self._wanted.items() if anew or self._held.get(f[0]) != f[1]]
        for n in range(0, len(gone), FILTERS_AT_ONCE):
            some = gone[n : n + FILTERS_AT_ONCE]
            self._send(unsubscribe(version, self.delivery.packet_id(), some), now)
        at_once = 1 if self._numbered else FILTERS_AT_ONCE
        for n in range(0, len(fresh), at_once):
            several = fresh[n : n + at_once]
            packet_id = self.delivery.packet_id()
            self._asked[packet_id] = [name for name, _ in several]
            number = _number_of(several[0][0]) if self._numbered else 0
            self._send(subscribe(version, packet_id, several, number), now)
        self._held = dict(self._wanted)

    # --- inwards --------------------------------------------------------------------------------

    def _heard(self, now: float) -> None:
        """The broker is there, be it that we read only now what it has said."""
        self._heard_at = now
        self._timers.stop(_Timer.PONG)

    def _take(self, now: float) -> None:
        """Read packets, as many as we can take just now."""
        self._tokens = min(float(BURST), self._tokens + (now - self._filled_at) * RATE)
        self._filled_at = now
        try:
            while self._tokens >= 1 and self._writable:
                packet = self._reader.next()
                if packet is None:
                    self._hold(False)
                    return
                self._tokens -= 1
                self._heard(now)
                self._handle(packet, now)
        except RemoteProtocolError as error:
            self._lose(str(error), now)
            return
        self._hold(True)
        if self._writable:  # else our answers would pile up
            self._timers.start(_Timer.TAKE, now + (BURST - self._tokens) / RATE)

    def _hold(self, on: bool) -> None:
        if on is not self._holding:
            self._holding = on
            self.outbox.append(Hold(on))

    def _handle(self, packet: Packet, now: float) -> None:
        if self.state is not State.UP and not isinstance(packet, ConnAck):
            raise RemoteProtocolError("it does not speak MQTT: no CONNACK")
        match packet:
            case ConnAck():
                self._let_in(packet, now)
            case Publish():
                self._arrive(packet, now)
            case Ack(Type.PUBREL):
                self._released.discard(packet.packet_id)
                self._send(bytes(Ack(Type.PUBCOMP, packet.packet_id)), now)
            case Ack():
                self._acknowledge(packet, now)
            case SubAck():
                self._answered(packet)
            case PingResp():
                pass
            case Disconnect():
                words = packet.words or refusal("5", packet.reason)
                raise RemoteProtocolError(f"it has sent us away: {words}")

    def _arrive(self, packet: Publish, now: float) -> None:
        message, packet_id = packet.message, packet.packet_id
        again = message.qos == 2 and packet_id in self._released
        if message.qos == 1:
            self._send(bytes(Ack(Type.PUBACK, packet_id)), now)
        elif message.qos == 2:
            self._released.add(packet_id)
            self._send(bytes(Ack(Type.PUBREC, packet_id)), now)
        if again:
            return
        self.received += 1
        if packet.cut:
            self.oversize += 1
            self.outbox.append(Trouble(f"a message on {message.topic[:80]} is too large"))
        else:
            named = tuple(name for name in self._wanted if _number_of(name) in packet.subscriptions)
            if named or not packet.subscriptions:  # else it is for a filter of earlier days
                self.outbox.append(Arrived(message, named))

    def _acknowledge(self, ack: Ack, now: float) -> None:
        answer, token, refused = self.delivery.acknowledge(ack)
        if answer:
            self._send(answer, now)
        problem = refusal("5", ack.reason) if refused else ""
        if token:
            self.outbox.append(Delivered(token, problem))
        elif problem:
            self.outbox.append(Trouble(f"the broker refuses a message: {problem}"))
        self._pump(now)

    def _answered(self, ack: SubAck) -> None:
        if ack.type is Type.UNSUBACK:
            return
        names = self._asked.pop(ack.packet_id, [])
        for name, reason in zip(names, ack.reasons, strict=False):
            if reason >= 0x80:
                self._held.pop(name, None)
                self.outbox.append(Trouble(f"the broker refuses the subscription to {name[:80]}"))


def _number_of(topic_filter: str) -> int:
    """Its identifier (MQTT 5 §3.8.2.1.2): the same in each run, since a broker may still send what
    it has kept for one before."""
    return crc32(topic_filter.encode()) % MAX_SUBSCRIPTION_ID + 1


def _limits(ack: ConnAck) -> Limits:
    found = ack.properties
    size = found.get(Property.MAXIMUM_PACKET_SIZE)
    return Limits(
        in_flight=int(found.get(Property.RECEIVE_MAXIMUM, MAX_IN_FLIGHT)) or MAX_IN_FLIGHT,
        qos=int(found.get(Property.MAXIMUM_QOS, 2)),
        retain=bool(found.get(Property.RETAIN_AVAILABLE, 1)),
        packet_bytes=None if size is None else int(size),
    )
