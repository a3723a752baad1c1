"""DTMF of /vapix/call: events and the triggers that cause them (DTM-01…03, GAP-26).

The truth is the sequences of the settings: a trigger is a sequence, and its event what that causes.
What the settings have no word for, such as an event without a sequence, stands in their `tables`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from zlib import crc32

from msgspec import structs

from sipstrobe.dtmf.settings import DigitEvent, DigitSequence, IdleSequence
from sipstrobe.web.compat.call_commands import Command, Found, Kind, free_id, id_in
from sipstrobe.web.compat.call_draft import Desk, Draft
from sipstrobe.web.compat.call_form import Arguments, Values, invalid


@dataclass(frozen=True, slots=True)
class Trigger:
    """A sequence. accounts: in whose calls it counts, none for all; None: in no calls. written: as
    it stands in the settings; None: it is to be other than that."""

    id: str
    sequence: str
    event_id: str
    held: bool = False
    accounts: tuple[str, ...] | None = None
    written: DigitSequence | IdleSequence | None = None


class Digits:
    """The commands about events and triggers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def commands(self) -> dict[str, Command]:
        events = Kind(
            name="DTMFEvent",
            key="DTMFEventId",
            found=lambda: _told_events(self._desk.draft()),
            put=lambda given: self._desk.put(put_event, given),
            remove=lambda ids: self._desk.remove(remove_events, ids),
        )
        triggers = Kind(
            name="DTMFTrigger",
            key="DTMFTriggerId",
            found=lambda: _told_triggers(self._desk.draft()),
            put=lambda given: self._desk.put(put_trigger, given),
            remove=lambda ids: self._desk.remove(remove_triggers, ids),
        )
        return events.commands() | triggers.commands()


# --- events ---------------------------------------------------------------------------------------


def events_of(draft: Draft) -> dict[str, str]:
    """The name of each event by its id."""
    named = {event.id: event.name for event in draft.tables.events}
    return named | {_event_id(sequence): sequence.name for sequence in draft.sequences}


def put_event(draft: Draft, given: Arguments) -> str:
    known = events_of(draft)
    wanted = id_in(given, "DTMFEventId") or free_id("dtmf_event", known)
    name = given.text("Name") if wanted not in known or "Name" in given else known[wanted]
    _keep_events(draft, {wanted: name})
    draft.sequences = [
        structs.replace(one, name=name, event_id=wanted) if _event_id(one) == wanted else one
        for one in draft.sequences
    ]
    return wanted


def remove_events(draft: Draft, ids: Collection[str]) -> None:
    """The triggers of an event go with it."""
    remove_triggers(draft, [one.id for one in triggers_of(draft) if one.event_id in ids])
    left = tuple(event for event in draft.tables.events if event.id not in ids)
    draft.tables = structs.replace(draft.tables, events=left)


def _keep_events(draft: Draft, names: Mapping[str, str]) -> None:
    """Have them whether there are sequences that cause them or not."""
    events: dict[str, str] = {event.id: event.name for event in draft.tables.events}
    events |= names
    kept = tuple(DigitEvent(id=one, name=name) for one, name in events.items())
    draft.tables = structs.replace(draft.tables, events=kept)


def _event_id(sequence: DigitSequence) -> str:
    return sequence.event_id or sequence.name


def _told_events(draft: Draft) -> Found:
    def told(one: str, name: str) -> Values:
        return {"Id": one, "Name": name}

    return {one: partial(told, one, name) for one, name in events_of(draft).items()}


# --- triggers -------------------------------------------------------------------------------------


def triggers_of(draft: Draft) -> list[Trigger]:
    """Those that count somewhere, and then the others."""
    counting = [
        Trigger(one, s.sequence, _event_id(s), s.held, s.accounts, s)
        for one, s in zip(_ids_of(draft.sequences), draft.sequences, strict=True)
    ]
    return counting + [
        Trigger(idle.id, idle.sequence, idle.event_id, idle.held, None, idle)
        for idle in draft.tables.idle
    ]


def put_trigger(draft: Draft, given: Arguments) -> str:
    """A new one counts in no call, until a configuration has it."""
    known = {trigger.id: trigger for trigger in triggers_of(draft)}
    wanted = id_in(given, "DTMFTriggerId") or free_id("dtmf_trigger", known)
    before = known.get(wanted)
    if before is None:
        new = Trigger(wanted, given.text("DTMFSequence"), given.text("DTMFEventId"))
    else:
        new = replace(before, written=None)
        if "DTMFSequence" in given:
            new = replace(new, sequence=given.text("DTMFSequence"))
        if "DTMFEventId" in given:
            new = replace(new, event_id=given.text("DTMFEventId"))
    if new.event_id not in events_of(draft):
        raise invalid(f"DTMFEventId: there is no event {new.event_id[:64]!r}")
    if new.sequence and any(
        other.sequence == new.sequence and other.id != wanted for other in known.values()
    ):
        raise invalid(f"DTMFSequence: {new.sequence[:64]} belongs to another trigger")
    write_triggers(draft, (known | {wanted: new}).values())
    return wanted


def remove_triggers(draft: Draft, ids: Collection[str]) -> None:
    """Their events stay."""
    triggers = triggers_of(draft)
    names = events_of(draft)
    _keep_events(draft, {one.event_id: names[one.event_id] for one in triggers if one.id in ids})
    write_triggers(draft, [trigger for trigger in triggers if trigger.id not in ids])
    left = tuple(
        structs.replace(one, sequences=tuple(t for t in one.sequences if t not in ids))
        for one in draft.tables.configurations
    )
    draft.tables = structs.replace(draft.tables, configurations=left)


def write_triggers(draft: Draft, triggers: Iterable[Trigger]) -> None:
    """Have these and no others."""
    names = events_of(draft)
    sequences: list[DigitSequence] = []
    idle: list[IdleSequence] = []
    kept: dict[str, str] = {}
    for one in triggers:
        match one:
            case Trigger(written=DigitSequence() as same):
                sequences.append(same)
            case Trigger(written=IdleSequence() as same):
                idle.append(same)
            case Trigger(accounts=tuple(accounts), sequence=digits) if digits:
                sequences.append(
                    DigitSequence(
                        id=one.id,
                        sequence=digits,
                        name=names[one.event_id],
                        event_id=one.event_id,
                        accounts=accounts,
                        held=one.held,
                    )
                )
            case _:
                kept[one.event_id] = names[one.event_id]
                idle.append(
                    IdleSequence(
                        id=one.id, sequence=one.sequence, event_id=one.event_id, held=one.held
                    )
                )
    _keep_events(draft, kept)
    draft.sequences = sequences
    draft.tables = structs.replace(draft.tables, idle=tuple(idle))


def _ids_of(sequences: Sequence[DigitSequence]) -> list[str]:
    """The id of each, all different: the one that it was given, or one that is made of its digits
    and stays the same as long as they do."""
    taken = {one.id for one in sequences}
    ids: list[str] = []
    for one in sequences:
        made = f"dtmf_trigger_{crc32(f'{one.sequence}/{one.held}'.encode()):08x}"
        ids.append(one.id or (made if made not in taken else free_id(made, taken)))
        taken.add(ids[-1])
    return ids


def _told_triggers(draft: Draft) -> Found:
    def told(one: Trigger) -> Values:
        return {"Id": one.id, "DTMFSequence": one.sequence, "DTMFEventId": one.event_id}

    return {one.id: partial(told, one) for one in triggers_of(draft)}
