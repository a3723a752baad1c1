"""What can be set about digits: sequences, and the events that they cause (DTM-01…04, GAP-26)."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from sipstrobe.errors import Problem

MAX_SEQUENCES: Final = 256


class DigitSequence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Digits that cause an event, of which rules hear."""

    sequence: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-D*#]{1,64}$(?!\n)",
            title="Sequence",
            description="1 to 64 of 0–9, A–D, * and #.",
        ),
    ]
    name: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=64,
            title="Event",
            description="Its name in rules; several sequences may cause the same event.",
        ),
    ]
    accounts: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...],
        Meta(
            max_length=1000,
            title="Accounts",
            description="In whose calls it counts; none: in all. It counts for all peer-to-peer"
            " accounts or for none.",
        ),
    ] = ()
    held: Annotated[
        bool,
        Meta(
            title="Long press",
            description="Its last digit must be held, so that it is not pressed by accident.",
        ),
    ] = False


class DtmfSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How digits become events."""

    sequences: Annotated[
        tuple[DigitSequence, ...], Meta(max_length=MAX_SEQUENCES, title="Sequences")
    ] = ()
    digit_timeout: Annotated[
        float,
        Meta(
            ge=0.2,
            le=30.0,
            title="Time between digits",
            description="Seconds after which the next digit begins a new sequence.",
        ),
    ] = 3.0
    long_press: Annotated[
        float,
        Meta(ge=0.3, le=10.0, title="Long press", description="Seconds that a digit is held."),
    ] = 1.0


def problems(dtmf: DtmfSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(dtmf))


def _problems(dtmf: DtmfSettings) -> Iterator[Problem]:
    seen: dict[tuple[str, bool], set[str]] = {}  # the accounts that have it; "": all
    for i, wanted in enumerate(dtmf.sequences):
        accounts = set(wanted.accounts) or {""}
        taken = seen.setdefault((wanted.sequence, wanted.held), set())
        if taken and (accounts & taken or "" in accounts | taken):
            words = f"{wanted.sequence} is a sequence of the same account already"
            yield Problem(f"/sequences/{i}/sequence", words)
        taken |= accounts
