"""How long sound waits on its way to the speaker: what the setting of that name stands for.

From a packet to its sound it takes `wait`, `period` and `card`, and about 1 ms in the resampler
(for Opus 6.5 ms more): about 120, 40 and 15 ms. What comes with more jitter waits longer, and a
card that cannot do with so little takes what it needs. Whatever waits covers hold-ups, of the
network as of this machine: the less of it, the more of them is heard.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Latency(NamedTuple):
    """All in seconds. wait: of a punctual packet's sound in the ring when the card has just taken
    its share, at the least; period: that the card takes at a time, of which the first sample is
    there by so much before the last must be; card: what it is asked to hold."""

    wait: float
    period: float
    card: float


LATENCIES: Final[Mapping[str, Latency]] = MappingProxyType(
    {
        "normal": Latency(0.060, 0.010, 0.050),
        "low": Latency(0.020, 0.005, 0.015),
        "ultra_low": Latency(0.007, 0.0025, 0.005),
    }
)
NORMAL: Final = LATENCIES["normal"]
