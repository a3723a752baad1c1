"""Many speakers as one: when each sample is to be heard, by the clock that all of them have.

A sender's reports (RFC 3550 §6.4.1) put timestamps of its sound beside the time of day, which all
machines of a network have from the same servers. A sample is wanted a set delay after its instant.
Every speaker hears the same reports, so the newest alone counts: who averaged over those that he
happened to hear would be on his own.

A clock that cannot be ours is not followed: one that is far away, and one that has leapt, until the
next report says the same. What is said of it is for the owner's eyes.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

SHORTEST_DELAY_MS: Final = 20
LONGEST_DELAY_MS: Final = 2000
FAR: Final = 0.5  # seconds between the instant of a report and its receipt that no network takes
LEAP: Final = 0.02  # seconds between what two reports say that are neither imprecise …
DRIFT: Final = 0.0005  # … nor such a share of the time between them
MAX_SENDERS: Final = 8  # whose reports are kept, before it is known which of them speaks
_UNIX: Final = 2208988800  # seconds from 1900 to 1970; RFC 3550 §4
_ERA: Final = 1 << 32  # seconds, and timestamps
_LONG: Final = 1 << 28  # timestamp units after which the reference goes along


class _Report(NamedTuple):
    timestamp: int
    at: float  # its instant on our monotonic clock


class Alignment:
    """The wanted instants of one source of pages. All times are seconds; `now` and what comes out
    are on the monotonic clock."""

    def __init__(self, delay: float) -> None:
        """delay: from the instant of a sample at the sender until it is heard."""
        self.delay = delay
        self.problem = ""  # why somebody is not followed, in words
        self._reports: OrderedDict[tuple[str, int], _Report] = OrderedDict()
        self._talker: tuple[str, int] | None = None
        self._blamed: tuple[str, int] | None = None  # whom the problem is about
        self._clock_rate = 1
        self._reference: _Report | None = None  # of the talker
        self._leapt: _Report | None = None  # a report that says something else

    @property
    def known(self) -> bool:
        """Whether the talker's clock is known."""
        return self._reference is not None

    def report(
        self, host: str, ssrc: int, ntp: int, timestamp: int, *, now: float, wall: float
    ) -> None:
        """A sender report has come. ntp: 64 bits; wall: seconds since 1970 by our clock, now."""
        seconds = ntp / _ERA - _UNIX
        seconds += _ERA * round((wall - seconds) / _ERA)  # the era that is nearest; RFC 5905 §6
        sender = (host, ssrc)
        if abs(seconds - wall) > FAR:
            if self._talker in (None, sender):
                words = f"the sender's clock is not ours: it is {_apart(seconds - wall)}"
                self.problem, self._blamed = words, sender
            return
        found = _Report(timestamp, now + seconds - wall)
        if self._talker == sender:
            self._follow(found)
            return
        self._reports[sender] = found
        self._reports.move_to_end(sender)
        if len(self._reports) > MAX_SENDERS:
            self._reports.popitem(last=False)

    def begin(self, host: str, ssrc: int, clock_rate: int) -> None:
        """Somebody speaks, whom all that follows is about. clock_rate: of the timestamps, in Hz."""
        if (host, ssrc) != self._talker:
            self._talker = (host, ssrc)
            self._reference = self._reports.pop(self._talker, None)
            self._leapt = None
            if self._reference is not None or self._blamed != self._talker:
                self.problem = ""
        self._clock_rate = clock_rate

    def wanted(self, timestamp: int, *, now: float) -> float | None:
        """When the sample of this timestamp, which has come by now, is to be heard. None: that is
        not known, or the reports are about something else than the sound."""
        reference = self._reference
        if reference is None:
            return None
        at = self._instant(reference, timestamp)
        if (timestamp - reference.timestamp) % _ERA > _LONG:
            self._reference = _Report(timestamp, at)
        if abs(now - at) > FAR + self.delay:
            self._reference = None
            self._say("the sender's reports do not fit its sound")
            return None
        return at + self.delay

    def _follow(self, found: _Report) -> None:
        believed = (self._reference, self._leapt)
        if believed[0] is None or any(before and self._agree(before, found) for before in believed):
            self._reference, self._leapt, self.problem = found, None, ""
            return
        leap = found.at - self._instant(believed[0], found.timestamp)
        self._leapt = found
        self._say(f"the sender's clock has leapt by {1000 * leap:+.0f} ms")

    def _say(self, words: str) -> None:
        self.problem, self._blamed = words, self._talker

    def _agree(self, before: _Report, found: _Report) -> bool:
        drift = DRIFT * abs(found.at - before.at)
        return abs(found.at - self._instant(before, found.timestamp)) <= LEAP + drift

    def _instant(self, reference: _Report, timestamp: int) -> float:
        units = (timestamp - reference.timestamp + _ERA // 2) % _ERA - _ERA // 2
        return reference.at + units / self._clock_rate


def _apart(seconds: float) -> str:
    """How far, in words."""
    size, way = abs(seconds), "ahead" if seconds > 0.0 else "behind"
    for unit, words in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if size >= 1.9 * unit:
            return f"{size / unit:.0f} {words} {way}"
    return f"{size:.1f} seconds {way}"
