"""The adaptive jitter buffer: in which order, when, and how fast packets become sound.

The buffer of samples is the ring that the sound card reads; what comes in order goes there at once,
and only what must wait for a missing packet waits here. The card is the only audio clock. From how
much it has consumed and from the timestamps of the sender follows, free of all jitter, how long a
punctual packet waits in the ring: the *slack*. From how late the packets of the last seconds were
follows how much slack is wanted: the *target*. The difference is worked off by playing a little
faster or slower, or, when it is large, by leaving out or repeating pitch periods.

Where many speakers play together, a common clock says the *place* of each packet in the ring. How
far it is off its place is then worked off instead, more closely.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from sipstrobe.rtp.lateness import Lateness, RecentLeast
from sipstrobe.rtp.quality import Bursts, Counts, Losses

# By a common clock: how many seconds of sound belong before that of a timestamp; None: not known.
Place = Callable[[int], float | None]

MAX_WAITING: Final = 64  # packets that wait for a missing one
MAX_DROPOUT: Final = 3000  # sequence numbers: a larger step begins a new run
MAX_GAP: Final = 0.2  # seconds of one gap that are filled
USUAL: Final = 0.020  # seconds that sound waits; where it is less, so are LOW and OFF
LOW: Final = 0.006  # seconds of sound left when a missing packet is given up
STEP: Final = 0.010  # seconds concealed at a time while nothing comes
FADED: Final = 0.060  # seconds of concealment after which the rhythm may change unheard
RESTING: Final = 1.0  # seconds of concealment after which nothing is written any more …
PAUSED: Final = 30.0  # … where the sender has said that it would be silent
EXCESS: Final = 0.012  # seconds above the target that call for leaving out pitch periods
DEFICIT: Final = 0.006  # seconds below it that call for repeating them
URGENT: Final = 0.060  # seconds off it that call for that even where it can be heard
PAUSE: Final = 0.2  # seconds from one such change to the next, and to the next attempt …
URGENT_PAUSE: Final = 0.05  # … and when it is urgent
PACE: Final = 0.0005  # relative change of speed, if any: less than a cent, which nobody hears
OFF: Final = 0.008  # seconds off the target from which on the speed is changed …
ON: Final = 0.001  # … until it is as near as this
PLACE_OFF: Final = 0.0002  # seconds off its place from which on the speed is changed …
PLACE_ON: Final = 0.00003  # … until it is as near as this, …
PLACE_PACE: Final = 0.003  # … by so much at the most: 5 cents …
PLACE_TIME: Final = 1.0  # … and by less than what would do it in so many seconds
STALL: Final = 0.1  # seconds after which a card that takes nothing counts as standing still
_HALF: Final = 1 << 31
_WRAP: Final = 1 << 32


class Play(NamedTuple):
    """Decode this payload and play it; received_at: when the packet came."""

    payload_type: int
    payload: bytes
    received_at: float


class Conceal(NamedTuple):
    """Fill a gap of this many timestamp units; 0: only soften the seam to what follows."""

    units: int


class Shift(NamedTuple):
    """Let so many seconds pass in silence; negative: leave out so much of what comes next."""

    seconds: float


Step = Play | Conceal | Shift


class Splice(Enum):
    """What else is to be done to the next block."""

    NONE = 0
    SHORTEN = 1
    LENGTHEN = 2


class _Waiting(NamedTuple):
    timestamp: int
    units: int  # 0: no sound
    media: float  # the timestamp in seconds, unwrapped
    payload_type: int
    payload: bytes
    received_at: float


class JitterBuffer:
    """One stream on its way from the network to the card.

    `push` each packet, then `take` until it returns None; `take` also whenever `low_at` is reached.
    The limits are seconds: the target stays between shortest and longest, and the ring never
    holds much more than longest. A buffer shorter than USUAL keeps closer to its target.
    """

    def __init__(self, clock_rate: int, *, shortest: float = 0.020, longest: float = 0.200) -> None:
        self.clock_rate = clock_rate
        self.shortest = shortest
        self.longest = longest
        self.target = shortest
        share = min(1.0, shortest / USUAL)
        self.low = LOW * share
        self._off = OFF * share
        self.slack = shortest  # how long a punctual packet waits in the ring, in seconds
        self.late = 0  # packets that came after their turn, or twice
        self.concealed = 0  # timestamp units
        self.dropped = 0  # packets given up because too much was waiting
        self.skipped = 0  # packets that have not been played though later ones have
        self.paused = False  # the sender has said that it is silent now: nothing is lost meanwhile
        self.more = False  # what comes next is there, and will be pushed
        self._waiting: dict[int, _Waiting] = {}
        self._lateness = Lateness()
        self._card = RecentLeast()  # of our clock minus the card's
        self._consumed: float = -1.0
        self._consumed_at: float = 0.0
        self._correcting = False
        self._splice_after = float("-inf")
        self._running = False  # the ring is kept from running dry
        self.place: Place | None = None
        self.offset: float | None = None  # seconds that the last packet is heard after its place
        self._least = 0.0  # slack without which sound would be missing
        self._step = round(STEP * clock_rate)
        self.losses = Losses()
        self._next: int | None = None  # extended sequence number
        self.reset()

    def reset(self) -> None:
        """Another sender follows: its numbers and timestamps have nothing to do with the last."""
        self.resume()
        self._behind = False
        self._lateness.reset()
        self._media = 0.0
        self._media_timestamp: int | None = None

    def resume(self) -> None:
        """What has come for a while was not for us: go on in the middle of what is pushed next."""
        self._waiting.clear()
        self.paused = False
        if self._next is not None:
            self.losses.end(self._next)
        self._next = None
        self._timestamp = 0  # that the next sample to be written has
        self._filled = 0  # units concealed since the last packet and not yet put against a gap
        self._fresh = True  # the next packet begins a rhythm of its own
        self._behind = True  # of which what should have been played already is left out
        self._omitted = 0.0  # seconds of what is still to be played that are left out
        self._cut = False  # packets before the next one were dropped

    def push(
        self,
        sequence: int,
        timestamp: int,
        units: int,
        payload_type: int,
        payload: bytes,
        now: float,
    ) -> bool:
        """A packet has come; False when it is of no use any more.

        sequence: the extended number (rtp.sequence); units: how long the payload lasts, 0 for a
        packet that only takes up a number (a telephone event).
        """
        upcoming = self._next
        if upcoming is None or sequence - upcoming > MAX_DROPOUT:
            if upcoming is not None:
                self.losses.end(upcoming)
            self.losses.begin(sequence)
            self._waiting.clear()
            self._next = sequence
            self._fresh = True
        elif sequence < upcoming or sequence in self._waiting:
            self.late += 1
            self.losses.discard(sequence)
            return False
        if units:
            lateness = self._lateness
            lateness.update(now, self._unwrap(timestamp))
            self._least = min(self.longest, self.low + lateness.quantile)
            self.target = max(self.shortest, self._least)
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
            self.losses.give_up()
            del self._waiting[min(self._waiting)]
        self._waiting[sequence] = _Waiting(
            timestamp, units, self._media, payload_type, payload, now
        )
        return True

    def take(self, written: float, consumed: float, now: float) -> Step | None:
        """What goes into the ring next, None when nothing need or can.

        written, consumed: seconds of sound that have gone into the ring and out of it so far.
        """
        left = self._left(written, consumed, now)
        while True:
            if self._next is not None and (found := self._waiting.get(self._next)) is not None:
                if not found.units:
                    del self._waiting[self._next]
                    self._next += 1
                elif written - consumed <= self.longest:
                    return self._play(found, written)
                else:
                    self._drop(found, counts=now - self._consumed_at <= STALL)
            elif left > self.low or written - consumed > self.longest:
                return None
            elif self._waiting and self._next is not None:
                upcoming = min(self._waiting)
                self.losses.miss(self._next, upcoming - self._next)  # they are given up
                self.skipped += upcoming - self._next
                self._next = upcoming
            else:
                return None if self.more else self._extend()

    def low_at(self, written: float, consumed: float, now: float) -> float | None:
        """When `take` must be called at the latest if no packet comes before; None: not at all."""
        return now + self._left(written, consumed, now) - self.low if self._running else None

    def instant_of(self, consumed: float) -> float:
        """When the card has taken the sample before which there were so many seconds of others."""
        return consumed + self._card.value

    @property
    def upcoming(self) -> tuple[int, bytes] | None:
        """Payload type and payload of what comes after the gap, where that has come already."""
        found = self._waiting.get(self._next) if self._next is not None else None
        return None if found is None else (found.payload_type, found.payload)

    @property
    def counts(self) -> Counts:
        """How many packets should have been played so far, and were not."""
        return self.losses.counts(self._next)

    @property
    def bursts(self) -> Bursts:
        return self.losses.bursts(self._next)

    @property
    def speed(self) -> float:
        """By how much faster (> 0) or slower than the sender to play, to keep to the target."""
        placed, excess = self.offset is not None, self.excess
        if abs(excess) > (PLACE_OFF if placed else self._off):
            self._correcting = True
        elif abs(excess) < (PLACE_ON if placed else ON):
            self._correcting = False
        if not self._correcting:
            return 0.0
        if placed:
            return min(max(excess / PLACE_TIME, -PLACE_PACE), PLACE_PACE)
        return PACE if excess > 0.0 else -PACE

    def splice(self, now: float) -> Splice:
        """Whether the next block should be a pitch period shorter or longer."""
        excess = self.excess
        if -DEFICIT <= excess <= EXCESS or now < self._splice_after:
            return Splice.NONE
        self._splice_after = now + (URGENT_PAUSE if self.urgent else PAUSE)
        return Splice.SHORTEN if excess > 0.0 else Splice.LENGTHEN

    @property
    def urgent(self) -> bool:
        """The splice is due even where it can be heard."""
        return self.offset is None and abs(self.slack - self.target) > URGENT

    @property
    def excess(self) -> float:
        """Seconds that the sound waits longer than it should; on its place as well, nothing may
        be missing."""
        if self.offset is None:
            return self.slack - self.target
        return min(self.offset, self.slack - self._least)

    @property
    def backlog(self) -> bool:
        """Whether packets wait for a missing one."""
        return bool(self._waiting)

    def _left(self, written: float, consumed: float, now: float) -> float:
        """Seconds of sound before the card, as they are just after it has taken its share.

        The card takes sound in portions; the least difference between our clock and its count is
        seen right after each of them, and from there time goes on evenly.
        """
        card = self._card
        if consumed != self._consumed:
            self._consumed, self._consumed_at = consumed, now
        elif now - self._consumed_at > STALL:
            card.reset()
        left = written - now + card.update(now - consumed, now)
        if left < 0.0:  # it has run dry
            card.reset()
            left = written - now + card.update(now - consumed, now)
        return left

    def _play(self, found: _Waiting, written: float) -> Step:
        begins = written - self._omitted
        self.slack = begins - found.media - self._lateness.punctual + self._card.value
        place = None if self.place is None else self.place(found.timestamp)
        self.offset = None if place is None else begins - place
        if self._filled >= FADED * self.clock_rate or self._fresh:  # a new rhythm
            shift = self._shift()
            if shift is not None:
                self._timestamp = found.timestamp
                return shift
            gap = round(min(-self.excess, MAX_GAP) * self.clock_rate)
        else:
            gap = (found.timestamp - self._timestamp + _HALF) % _WRAP - _HALF - self._filled
            if gap > MAX_GAP * self.clock_rate:
                gap = 0
            elif gap > 0 and not self.paused:
                self.concealed += gap
        if gap > 0 or self._cut:
            self._fresh = self._cut = False
            self._filled = 0
            self._timestamp = found.timestamp
            return Conceal(max(gap, 0))
        self._pass(found)
        self._running = True
        return Play(found.payload_type, found.payload, found.received_at)

    def _shift(self) -> Shift | None:
        """How a new rhythm begins where it cannot be by concealment: on its place, to the sample,
        or in the middle of a packet."""
        wanted = -self.excess
        if wanted > 0.0 and self.offset is not None:
            wanted = min(wanted, self.longest)
        elif wanted < 0.0 and self._behind:
            self._omitted = -wanted
        else:
            return None
        self._fresh = self._behind = self._cut = False
        self._filled = 0
        return Shift(wanted)

    def _drop(self, found: _Waiting, *, counts: bool) -> None:
        """counts: as missing; what our own card does not take is not the network's fault."""
        assert self._next is not None
        self.dropped += 1
        self.skipped += 1
        if counts:
            self.losses.miss(self._next)
            self.losses.discard(self._next)
        self._cut = True
        self._pass(found)

    def _pass(self, found: _Waiting) -> None:
        assert self._next is not None
        del self._waiting[self._next]
        self._next += 1
        self._timestamp = found.timestamp + found.units
        self._filled = 0
        self._fresh = self._behind = False
        if self._omitted:
            self._omitted = max(0.0, self._omitted - found.units / self.clock_rate)

    def _extend(self) -> Conceal | None:
        """Nothing has come: go on with what was heard last, and rest when that lasts."""
        if not self._running:
            return None
        if self._filled >= (PAUSED if self.paused else RESTING) * self.clock_rate:
            self._running = False
            self._fresh = True
            return None
        self._filled += self._step
        if self._filled <= FADED * self.clock_rate and not self.paused:
            self.concealed += self._step
        return Conceal(self._step)

    def _unwrap(self, timestamp: int) -> float:
        """The timestamp in seconds, going on from the one before."""
        if self._media_timestamp is not None:
            step = (timestamp - self._media_timestamp + _HALF) % _WRAP - _HALF
            self._media += step / self.clock_rate
        self._media_timestamp = timestamp
        return self._media
