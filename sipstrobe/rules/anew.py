"""What is only told anew after a start, so that it begins nothing twice, and what is news.

Much that holds when the device starts is found out a little later: a broker is reached, a link is
seen. That is no news to rules which it had concerned before.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from sipstrobe.events import DECLARED, ScheduleInterval
from sipstrobe.rules.facts import Came, Source
from sipstrobe.trace import Decision

RESUME_SECONDS: Final = 10.0  # after a start, in which what held before is told anew
_INPUTS: Final = "input/"
_CALL: Final = "call"


class Recalled(Struct, frozen=True):
    """A rule as it stood when the device stopped. begun_at: monotonic, of the clock as it is now;
    None: not lately. fired_by: the sources whose values had been its trigger and still were."""

    active: bool
    begun_at: float | None
    fired_by: frozenset[Source] = frozenset()


def ends_with_device(topic: str) -> bool:
    """Is it about one call? None outlives the device: the next is another."""
    return _CALL in DECLARED[topic].outside.source


def told_anew(came: Came) -> bool | None:
    """Whether it was so before the device was started anew; None: that cannot be seen in it.

    Inputs are known before rules are taken up, so that what comes of them later is news, unless
    another rule has done it.
    """
    if came.topic == ScheduleInterval.outside.topic:
        return came.items["again"] == "true"
    if came.topic.startswith(_INPUTS) and not _by_a_rule(came):
        return False
    if came.topic in DECLARED and ends_with_device(came.topic):
        return False
    return None


def source_of(topic: str, items: Mapping[str, str]) -> Source:
    """Whose value an event is, by the items that name that."""
    return tuple([items[name] for name in DECLARED[topic].outside.source])


def _by_a_rule(came: Came) -> bool:
    links = came.cause.chain() if came.cause is not None else ()
    return any(isinstance(link.what, Decision) for link in links)
