"""What can be set about digits: sequences, and the events that they cause (DTM-01…04, GAP-26)."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from sipstrobe.errors import Problem

MAX_SEQUENCES: Final = 256
Id = Annotated[str, Meta(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


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
    id: Annotated[
        Id, Meta(title="Id", description="Given by a control program; empty: made of its digits.")
    ] = ""
    event_id: Annotated[
        Id, Meta(title="Id of the event", description="The same; empty: the name of the event.")
    ] = ""


class DigitEvent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that a control program has made, with sequences that cause it or without any."""

    id: Annotated[Id, Meta(min_length=1)]
    name: Annotated[str, Meta(min_length=1, max_length=64)]


class IdleSequence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sequence that a control program has made, and that counts in no call."""

    id: Annotated[Id, Meta(min_length=1)]
    sequence: Annotated[str, Meta(pattern=r"^[0-9A-D*#]{0,64}$(?!\n)")]
    event_id: Annotated[Id, Meta(min_length=1)]
    held: bool = False


class DigitConfiguration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a control program has put together for accounts. Where an account has it, what counts in
    its calls is what its sequences and itself say."""

    id: Annotated[Id, Meta(min_length=1)]
    name: Annotated[str, Meta(max_length=64)] = ""
    sequences: Annotated[tuple[Id, ...], Meta(max_length=MAX_SEQUENCES)] = ()
    rtp: bool = True
    info: bool = True


class DigitTables(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What control programs have said about digits beyond the sequences that count."""

    events: Annotated[tuple[DigitEvent, ...], Meta(max_length=MAX_SEQUENCES, title="Events")] = ()
    idle: Annotated[
        tuple[IdleSequence, ...], Meta(max_length=MAX_SEQUENCES, title="Idle sequences")
    ] = ()
    configurations: Annotated[
        tuple[DigitConfiguration, ...], Meta(max_length=MAX_SEQUENCES, title="Configurations")
    ] = ()


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
    tables: Annotated[
        DigitTables, Meta(title="Control programs", description="What only they see and change.")
    ] = DigitTables()


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
    yield from _id_problems(dtmf)


def _id_problems(dtmf: DtmfSettings) -> Iterator[Problem]:
    """Control programs know a sequence by its id, whether it counts or not."""
    places = [(f"/sequences/{i}/id", one.id) for i, one in enumerate(dtmf.sequences)]
    places += [(f"/tables/idle/{i}/id", one.id) for i, one in enumerate(dtmf.tables.idle)]
    seen: set[str] = set()
    for path, name in places:
        if name and name in seen:
            yield Problem(path, "another sequence has this id")
        seen.add(name)
