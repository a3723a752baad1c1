"""How well a stream can be understood: bursts and gaps of RFC 3611 §4.7.2, E-model of ITU-T G.107.

A packet that was played costs nothing here: only those that were missing when their turn came are
looked at, and what lies between two of them follows from their sequence numbers.
"""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

GMIN: Final = 16  # packets played in a row that end a burst; RFC 3611 §4.7.2
MAX_REMEMBERED: Final = 128  # missing packets that are still known when they come late
R_DEFAULT: Final = 93.2  # Ro - Is; G.107 §7.7 with all parameters at their defaults
_DELAY_SEEN: Final = 177.3  # ms; from here on delay disturbs the conversation (G.107 figure 1)


class Impairment(NamedTuple):
    """What a codec does to speech: G.113 appendix I."""

    equipment: float  # Ie
    robustness: float  # Bpl


_ROBUSTNESS: Final = 25.1  # G.113 table I.4: G.711 with the concealment of its appendix I
# Ie of G.113 table I.1. Bpl is that of G.711 for all of them: our concealment is of that kind,
# and Opus knows a better one. Deviation: this is the scale of narrow-band telephony, on which
# wide-band sound counts as G.711 without fault, and not as the better thing that it is.
IMPAIRMENTS: Final[Mapping[str, Impairment]] = MappingProxyType(
    {"G726-32": Impairment(7.0, _ROBUSTNESS)}
    | {
        codec: Impairment(0.0, _ROBUSTNESS)
        for codec in ("PCMU", "PCMA", "G722", "opus", "L16/8000", "L16/16000", "L16/48000")
    }
)


class Counts(NamedTuple):
    """Packets whose turn to be played has come, so far; two of them make an interval."""

    expected: int = 0
    missing: int = 0  # lost or too late
    runs: int = 0  # of packets missing in a row
    discarded: int = 0  # of the missing, those that did come

    def since(self, before: "Counts") -> "Counts":
        """What has come in between; everything if the counting has begun anew."""
        if before.expected > self.expected:
            return self
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))

    @property
    def missing_share(self) -> float:
        return self.missing / self.expected if self.expected else 0.0

    @property
    def burst_ratio(self) -> float:
        """G.107 §7.5: the mean run of missing packets to what it were if each were missing by
        chance; 1 when they are, more when they come in bursts."""
        if not self.runs:
            return 1.0
        return max(1.0, self.missing / self.runs * (1.0 - self.missing_share))


class Bursts(NamedTuple):
    """RFC 3611 §4.7.2. Densities are shares of packets missing, durations are in packets."""

    burst_density: float = 0.0
    gap_density: float = 0.0
    burst_length: float = 0.0  # mean
    gap_length: float = 0.0  # mean


class Losses:
    """Which packets of a stream were missing when they were to be played.

    A *burst* begins and ends with a missing packet, and GMIN packets played in a row are nowhere in
    it; a single missing packet is no burst. All the rest is *gap*.
    """

    __slots__ = (
        "_base",
        "_before",
        "_burst_missing",
        "_burst_packets",
        "_bursts",
        "_count",
        "_discarded",
        "_last",
        "_missing",
        "_remembered",
        "_runs",
        "_start",
    )

    def __init__(self) -> None:
        self._before = 0  # packets of earlier runs of numbers
        self._base = 0  # the first number of this one
        self._missing = 0
        self._runs = 0
        self._discarded = 0
        self._bursts = 0  # that are over
        self._burst_packets = 0
        self._burst_missing = 0
        self._start = 0  # of what may become a burst
        self._last = -1  # the last missing number; -1: none in this run of numbers
        self._count = 0  # missing from start to last
        self._remembered: deque[int] = deque(maxlen=MAX_REMEMBERED)

    def begin(self, number: int) -> None:
        """A run of numbers begins with this one."""
        self._base = number
        self._last = -1
        self._remembered.clear()

    def end(self, upcoming: int) -> None:
        """The run of numbers is over; upcoming: the one that was to follow."""
        self._before += upcoming - self._base
        self._close()

    def miss(self, first: int, count: int = 1) -> None:
        """These numbers had their turn and were not there, in order."""
        if self._last < 0 or first - self._last > GMIN:
            self._close()
            self._start = first
            self._runs += 1
        elif first - self._last > 1:
            self._runs += 1
        self._last = first + count - 1
        self._count += count
        self._missing += count
        self._remembered.extend(range(max(first, first + count - MAX_REMEMBERED), first + count))

    def discard(self, number: int) -> None:
        """A packet has come after its turn; one that had come before already does not count."""
        if number in self._remembered:
            self._remembered.remove(number)
            self._discarded += 1

    def give_up(self) -> None:
        """One that has come will be missing nevertheless: there is no room for it."""
        self._discarded += 1

    def counts(self, upcoming: int | None) -> Counts:
        """upcoming: the number whose turn is next."""
        run = upcoming - self._base if upcoming is not None else 0
        return Counts(self._before + run, self._missing, self._runs, self._discarded)

    def bursts(self, upcoming: int | None) -> Bursts:
        expected = self.counts(upcoming).expected
        bursts, packets, missing = self._bursts, self._burst_packets, self._burst_missing
        if self._count > 1:  # one that may go on yet
            bursts += 1
            packets += self._last - self._start + 1
            missing += self._count
        gap = max(0, expected - packets)
        return Bursts(
            burst_density=missing / packets if packets else 0.0,
            gap_density=(self._missing - missing) / gap if gap else 0.0,
            burst_length=packets / bursts if bursts else 0.0,
            gap_length=gap / (bursts + 1),
        )

    def _close(self) -> None:
        """What came together until now is over: a burst, if there was more than one."""
        if self._count > 1:
            self._bursts += 1
            self._burst_packets += self._last - self._start + 1
            self._burst_missing += self._count
        self._count = 0


class Quality(Struct, frozen=True, kw_only=True):
    """What is heard of a stream. Shares are 0…1, mos_* 1…4.5, r_factor 0…100."""

    loss: float  # share of packets that never came
    discard: float  # share of those that came too late
    r_factor: float
    mos_lq: float  # listening: without the delay
    mos_cq: float  # in conversation: with it


def quality(counts: Counts, codec: str, delay_ms: float) -> Quality | None:
    """Judge an interval. delay_ms: from mouth to ear. None where the codec is not in G.113."""
    impairment = IMPAIRMENTS.get(codec)
    if impairment is None:
        return None
    listening = R_DEFAULT - effective_impairment(impairment, counts)
    talking = listening - delay_impairment(delay_ms)
    discard = counts.discarded / counts.expected if counts.expected else 0.0
    return Quality(
        loss=max(0.0, counts.missing_share - discard),
        discard=discard,
        r_factor=max(0.0, talking),
        mos_lq=mos(listening),
        mos_cq=mos(talking),
    )


def effective_impairment(impairment: Impairment, counts: Counts) -> float:
    """Ie-eff: what codec and missing packets do together; G.107 §7.5."""
    ie, bpl = impairment
    percent = 100.0 * counts.missing_share
    return ie + (95.0 - ie) * percent / (percent / counts.burst_ratio + bpl)


def delay_impairment(delay_ms: float) -> float:
    """Id without echo: G.107 §7.4 as two straight lines (R. Cole, J. Rosenbluth, 2001)."""
    return 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - _DELAY_SEEN)


def mos(r_factor: float) -> float:
    """The mean opinion score of a rating: G.107 annex B."""
    if r_factor <= 0.0:
        return 1.0
    if r_factor >= 100.0:
        return 4.5
    r = r_factor
    return max(1.0, 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6)
