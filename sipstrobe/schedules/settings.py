"""What can be set about schedules."""

from collections.abc import Container, Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from sipstrobe.errors import Problem
from sipstrobe.schedules.text import MAX_TEXT, ScheduleError, parse

MAX_SCHEDULES: Final = 64
MAX_NAME: Final = 64  # characters


class Schedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that recurs, or is once; an interval if it has an end, a pulse if not (SCH-01)."""

    name: Annotated[
        str, Meta(pattern=r"^[^\x00-\x1f\x7f/]{1,64}$(?!\n)", title="Name", max_length=MAX_NAME)
    ]
    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TEXT,
            title="When",
            description="As in iCalendar (RFC 5545): DTSTART, DTEND or DURATION, RRULE, EXDATE and"
            " RDATE, separated by blanks or line ends. Without an end it is a pulse.",
        ),
    ]


Schedules = Annotated[
    tuple[Schedule, ...],
    Meta(
        max_length=MAX_SCHEDULES,
        title="Schedules",
        description="When rules may wait for an hour of the day or a day of the year.",
    ),
]

FACTORY_SCHEDULES: Final = (
    Schedule(
        name="Office hours",
        text="DTSTART:20240101T080000 DTEND:20240101T180000 RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    ),
    Schedule(
        name="After hours",
        text="DTSTART:20240101T180000 DTEND:20240102T080000 RRULE:FREQ=DAILY",
    ),
    Schedule(
        name="Weekends",
        text="DTSTART:20240106T000000 DTEND:20240108T000000 RRULE:FREQ=WEEKLY;BYDAY=SA",
    ),
    Schedule(
        name="Weekdays",
        text="DTSTART:20240101T000000 DTEND:20240106T000000 RRULE:FREQ=WEEKLY;BYDAY=MO",
    ),
)
"""Of a new device; no rule of its own uses them."""


def is_pulse(schedule: Schedule) -> bool:
    """Whether a sound schedule has no end."""
    return parse(schedule.text).length is None


def problems(schedules: tuple[Schedule, ...], sound: Container[int] = ()) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the schedules.

    sound: the ids of schedules that have been found so and are not looked at again.
    """
    return list(_problems(schedules, sound))


def _problems(schedules: tuple[Schedule, ...], sound: Container[int]) -> Iterator[Problem]:
    names: set[str] = set()
    for i, schedule in enumerate(schedules):
        if schedule.name in names:
            yield Problem(f"/{i}/name", f"there is a schedule {schedule.name!r} already")
        names.add(schedule.name)
        try:
            if id(schedule) not in sound:
                parse(schedule.text)
        except ScheduleError as error:
            yield Problem(f"/{i}/text", str(error))
