"""How much one source may ask of us, decided before anything of it is parsed.

Who floods us can forge as many sources as he likes, but he does not see what we answer to them. So
whoever has shown that he does (by the tag that we gave a call, by a connection, or since we have
asked him first) is *known*, and has a measure of his own. All others are *strangers*: each has a
small measure, and all of them together draw on another one, however many they are. A flood with
forged sources thus costs the strangers their chance, and never those who are known.

Measures are token buckets, kept as the instant at which a bucket is full again (the "generic cell
rate algorithm"): taking from one is an addition and a comparison.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec import Struct

from sipstrobe.sources import network_of, source_of

MAX_STRANGERS: Final = 1024  # that are told apart; the oldest makes room
MAX_KNOWN: Final = 1024  # the one not heard for the longest makes room
NOTICE_EVERY: Final = 60.0  # seconds from one notice of a flooding source to the next of the same
NOTICES: Final = 10  # at once, and then one every NOTICE_EVERY / NOTICES seconds
MALFORMED: Final = 20  # messages that one counts as which cannot be understood
ASTRAY: Final = 5  # the same of a request or response that belongs to nothing here
EVERYBODY: Final = "many addresses"  # in a notice


class Measure(Struct, frozen=True):
    """What may come in a second; twice that may come at once.

    INVITEs count as calls, those within calls too. Any other message takes its part of the messages
    and, by its length, of the octets from the same bucket. share: of all the calls at once.
    """

    messages: float
    octets: float
    calls: float
    share: float


STRANGER: Final = Measure(messages=50, octets=100e3, calls=5, share=1 / 4)
STRANGERS: Final = Measure(messages=500, octets=1e6, calls=25, share=1 / 4)  # all together
KNOWN: Final = Measure(messages=1000, octets=4e6, calls=200, share=1 / 2)
TRUSTED: Final = Measure(messages=20e3, octets=80e6, calls=5e3, share=1)  # servers of ours
_BURST: Final = 2.0  # seconds
_LEAST_SHARE: Final = 8  # calls; a few must be possible where not many are


class Flood(NamedTuple):
    """A source is being slowed down. what: "requests", "calls", "bytes"."""

    address: str
    what: str


class _Source:
    """What one source has left."""

    __slots__ = (
        "call",
        "calls_full_at",
        "full_at",
        "message",
        "octet",
        "share",
        "told_at",
        "trusted",
    )

    def __init__(self, measure: Measure) -> None:
        self.full_at = self.calls_full_at = self.told_at = float("-inf")
        self.measure(measure)

    def measure(self, measure: Measure) -> None:
        """Seconds until each is made good again."""
        self.message = 1.0 / measure.messages
        self.octet = 1.0 / measure.octets
        self.call = 1.0 / measure.calls
        self.share = measure.share
        self.trusted = measure is TRUSTED

    def take(self, data: bytes, now: float) -> bool:
        """Whether there is enough left for this message; then it is taken."""
        if data.startswith(b"INVITE"):
            full_at = max(self.calls_full_at, now) + self.call
            if full_at - now > _BURST:
                return False
            self.calls_full_at = full_at
            return True
        full_at = max(self.full_at, now) + self.message + len(data) * self.octet
        if full_at - now > _BURST:
            return False
        self.full_at = full_at
        return True


class Limits:
    """Ask `admit` for each message, and tell what became of it.

    trusted: whether an address is that of a server of ours, or one that the owner has named.
    `noticed` collects floods for whoever tells people of them; it never holds more than NOTICES.
    """

    def __init__(self, trusted: Callable[[str], bool]) -> None:
        self.noticed: deque[Flood] = deque(maxlen=NOTICES)
        self.dropped = 0  # messages
        self._trusted = trusted
        self._known: dict[str, _Source] = {}
        self._strangers: dict[str, _Source] = {}
        self._everybody = _Source(STRANGERS)
        self._held: dict[str, int] = {}  # calls at this moment, by source
        self._notices_full_at = float("-inf")

    @property
    def size(self) -> int:
        """Sources that are told apart at this moment."""
        return len(self._known) + len(self._strangers)

    # --- before parsing ---------------------------------------------------------------------

    def admit(self, host: str, data: bytes, *, now: float) -> bool:
        """Whether to take on this message from a numeric address; else it is to be dropped."""
        name = host if ":" not in host else network_of(host)  # as source_of does
        source = self._known.get(name) or self._strangers.get(name)
        if source is None:
            if self._trusted(host):
                source = self._know(name, TRUSTED)
            elif name in self._held or self._everybody.take(data, now):
                return self._meet(name).take(data, now)
            else:
                return self._drop(self._everybody, EVERYBODY, data, now)
        if not source.take(data, now):
            return self._drop(source, host, data, now)
        if name in self._known or name in self._held or self._everybody.take(data, now):
            return True
        return self._drop(self._everybody, EVERYBODY, data, now)

    # --- after parsing ----------------------------------------------------------------------

    def charge(self, host: str, messages: int, *, now: float) -> None:
        """What this source has sent was worth less than nothing: count it as so many messages.

        A server of ours is not charged: whatever it says wrong, we depend on it.
        """
        name = source_of(host)
        source = self._known.get(name) or self._strangers.get(name)
        for hit in (source,) if name in self._known else (source, self._everybody):
            if hit is not None and not hit.trusted:
                hit.full_at = min(max(hit.full_at, now) + messages * hit.message, now + 2 * _BURST)

    def prove(self, host: str) -> None:
        """It really is at this address: it has seen what we sent there."""
        name = source_of(host)
        if name not in self._known:
            self._know(name, TRUSTED if self._trusted(host) else KNOWN)

    def judge_again(self, host: str) -> None:
        """It has become trusted, or is so no longer."""
        if source := self._known.get(source_of(host)):
            source.measure(TRUSTED if self._trusted(host) else KNOWN)

    def forget(self) -> None:
        """The owner trusts others than before: everybody has to show again who he is."""
        self._known.clear()

    # --- calls at once ----------------------------------------------------------------------

    def may_hold(self, host: str, max_calls: int) -> bool:
        """Whether this source may have one more of the device's calls."""
        name = source_of(host)
        source = self._known.get(name)
        if source is None:
            held = sum(n for other, n in self._held.items() if other not in self._known)
            share = STRANGERS.share
        else:
            held, share = self._held.get(name, 0), source.share
        return held < max(_LEAST_SHARE, share * max_calls)

    def hold(self, host: str) -> None:
        """A call of this source has begun."""
        name = source_of(host)
        self._held[name] = self._held.get(name, 0) + 1

    def release(self, host: str) -> None:
        """A call of this source is over."""
        name = source_of(host)
        held = self._held.pop(name, 0) - 1
        if held > 0:
            self._held[name] = held

    # --- who is who -------------------------------------------------------------------------

    def _meet(self, name: str) -> _Source:
        if len(self._strangers) >= MAX_STRANGERS:
            del self._strangers[next(iter(self._strangers))]
        source = self._strangers[name] = _Source(STRANGER)
        return source

    def _know(self, name: str, measure: Measure) -> _Source:
        source = self._known.get(name)
        if source is None:
            self._strangers.pop(name, None)
            if len(self._known) >= MAX_KNOWN:
                del self._known[min(self._known, key=lambda one: self._known[one].full_at)]
            source = self._known[name] = _Source(measure)
        else:
            source.measure(measure)
        return source

    # --- too much ---------------------------------------------------------------------------

    def _drop(self, source: _Source, address: str, data: bytes, now: float) -> bool:
        self.dropped += 1
        if now - source.told_at > NOTICE_EVERY:
            source.told_at = now
            self._notice(source, address, data, now)
        return False

    def _notice(self, source: _Source, address: str, data: bytes, now: float) -> None:
        full_at = max(self._notices_full_at, now) + NOTICE_EVERY / NOTICES
        if full_at - now > NOTICE_EVERY:
            return
        self._notices_full_at = full_at
        if data.startswith(b"INVITE"):
            what = "calls"
        else:
            what = "bytes" if len(data) * source.octet > source.message else "requests"
        self.noticed.append(Flood(address, what))
