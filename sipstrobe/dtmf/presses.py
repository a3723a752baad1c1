"""One press of a key is one digit, by however many ways the phone tells of it.

The rule: among signs of the same digit that lie together, there were as many presses as the way
has told that tells most. So a phone that sends each digit in RTP, in INFO and as a tone presses
once, and one that sends a digit twice by one way has pressed twice, however fast.

Signs lie together when one comes no later than `LATE` after the last that belongs to a press: an
INFO may need three attempts more (RFC 3261 §17.1.2.1: after T1, 2*T1 and 4*T1, 3.5 s in all) or
only be sent when the key is let go, and a tone is sure when it has lasted for a while.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from sipstrobe.dtmf.sign import Sign, Way

LATE: Final = MappingProxyType({Way.RTP: 1.0, Way.INFO: 4.0, Way.INBAND: 1.0})  # seconds
REMEMBERED: Final = 64  # presses; more within these are beyond any phone


class Step(Enum):
    PRESSED = "pressed"
    HELD = "held"  # for as long as a long press lasts
    RELEASED = "released"  # by all ways that have told of it so far


@dataclass(slots=True)
class _Press:
    digit: str
    at: float  # of the last sign
    told: dict[Way, bool] = field(default_factory=dict[Way, bool])  # whether it has ended there
    held: bool = False
    released: bool = False


class Presses:
    """Joins what the witnesses of one call say. long_press: seconds."""

    def __init__(self, long_press: float) -> None:
        self.long_press = long_press
        self._recent: deque[_Press] = deque(maxlen=REMEMBERED)

    def see(self, way: Way, sign: Sign, *, now: float) -> list[Step]:
        """What has become of the digit of this sign; nothing, if it was known already."""
        press = self._find(way, sign, now)
        steps: list[Step] = []
        if press is None:
            if not sign.begins:
                return steps  # of a press that is forgotten
            press = _Press(sign.digit, now)
            self._recent.append(press)
            steps.append(Step.PRESSED)
        press.at = now
        press.told[way] = sign.ended
        if sign.seconds >= self.long_press and not press.held:
            press.held = True
            steps.append(Step.HELD)
        if all(press.told.values()) and not press.released:
            press.released = True
            steps.append(Step.RELEASED)
        return steps

    def _find(self, way: Way, sign: Sign, now: float) -> _Press | None:
        """The oldest press that this way has not told, for a sign that begins; else the newest
        that it has told."""
        if sign.begins:
            for press in self._recent:
                together = press.digit == sign.digit and now - press.at <= LATE[way]
                if together and way not in press.told:
                    return press
            return None
        told = (p for p in reversed(self._recent) if p.digit == sign.digit and way in p.told)
        return next(told, None)
