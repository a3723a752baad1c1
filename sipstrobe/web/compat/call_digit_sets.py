"""DTMF configurations of /vapix/call: which triggers count for which accounts (DTM-03…06).

What a configuration holds is what counts for the accounts that have it. All peer-to-peer accounts
have `dtmf_config_default`, each other one its own, unless it was given another.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from msgspec import structs

from sipstrobe.dtmf.settings import DigitConfiguration
from sipstrobe.sip.account import Account
from sipstrobe.web.compat.call_commands import Command, Found, Kind, free_id, id_in
from sipstrobe.web.compat.call_digits import Trigger, triggers_of, write_triggers
from sipstrobe.web.compat.call_draft import Desk, Draft
from sipstrobe.web.compat.call_form import Arguments, Values, invalid

DEFAULT: Final = "dtmf_config_default"
_OWN: Final = "dtmf_config_"  # and the id of the account
_PEER: Final = "peer_to_peer"


@dataclass(frozen=True, slots=True)
class DigitSet:
    """A configuration: its triggers, and in which ways digits come."""

    id: str
    name: str = ""
    triggers: tuple[str, ...] = ()
    rtp: bool = True
    info: bool = True


class DigitSets:
    """The commands about configurations."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def commands(self) -> dict[str, Command]:
        return Kind(
            name="DTMFConfiguration",
            key="DTMFConfigurationId",
            found=self._found,
            put=lambda given: self._desk.put(put_set, given),
            remove=lambda ids: self._desk.remove(remove_sets, ids),
        ).commands()

    def _found(self) -> Found:
        return {one: partial(_told, held) for one, held in sets_of(self._desk.draft()).items()}


def set_id(account: Account) -> str:
    """The configuration that an account has."""
    return account.dtmf_configuration or _usual(account)


def sets_of(draft: Draft) -> dict[str, DigitSet]:
    """All there are, by id: as they are in effect where accounts have them."""
    stored = {one.id: one for one in draft.tables.configurations}
    bearers = {set_id(account): account for account in reversed(draft.accounts)}
    counting = _counting(draft)
    known = {trigger.id for trigger, _ in counting}
    mute = {trigger.id for trigger, _ in counting if not trigger.sequence}
    found: dict[str, DigitSet] = {}
    for one in dict.fromkeys((DEFAULT, *bearers, *stored)):
        said = stored.get(one, DigitConfiguration(id=one))
        listed = tuple(trigger for trigger in said.sequences if trigger in known)
        bearer = bearers.get(one)
        if bearer is None:
            found[one] = DigitSet(one, said.name, listed, said.rtp, said.info)
            continue
        held = [trigger.id for trigger, names in counting if bearer.name in names]
        held += [trigger for trigger in listed if trigger in mute]
        name = said.name or bearer.name
        found[one] = DigitSet(one, name, tuple(held), bearer.dtmf_rtp, bearer.dtmf_info)
    return found


def put_set(draft: Draft, given: Arguments) -> str:
    sets = sets_of(draft)
    wanted = id_in(given, "DTMFConfigurationId") or free_id("dtmf_config", sets)
    one = sets.get(wanted, DigitSet(wanted))
    if "Name" in given:
        one = replace(one, name=given.text("Name"))
    if "DTMFTriggerId" in given:
        one = replace(one, triggers=given.texts("DTMFTriggerId"))
    if "RFC2833" in given:
        one = replace(one, rtp=given.flag("RFC2833"))
    if "RFC2976" in given:
        one = replace(one, info=given.flag("RFC2976"))
    known = {trigger.id for trigger in triggers_of(draft)}
    for trigger in one.triggers:
        if trigger not in known:
            raise invalid(f"DTMFTriggerId: there is no trigger {trigger[:64]!r}")
    written = DigitConfiguration(
        id=wanted, name=one.name, sequences=one.triggers, rtp=one.rtp, info=one.info
    )
    others = [other for other in draft.tables.configurations if other.id != wanted]
    draft.tables = structs.replace(draft.tables, configurations=(*others, written))
    _put_into_effect(draft, one, [a for a in draft.accounts if set_id(a) == wanted])
    return wanted


def remove_sets(draft: Draft, ids: Collection[str]) -> None:
    """For accounts that had one of them no digits count any more, as in an empty one."""
    left = tuple(one for one in draft.tables.configurations if one.id not in ids)
    draft.tables = structs.replace(draft.tables, configurations=left)
    bearers = [account for account in draft.accounts if set_id(account) in ids]
    _put_into_effect(draft, DigitSet(""), bearers)


def give_set(draft: Draft, account: Account, wanted: str) -> None:
    """Let an account have this configuration; all peer-to-peer accounts have the same.

    Raises Fault where there is none.
    """
    if set_id(account) == wanted:
        return
    one = sets_of(draft).get(wanted)
    if one is None:
        raise invalid(f"DTMFConfigurationId: there is no configuration {wanted[:64]!r}")
    peers = [a for a in draft.accounts if a.kind == _PEER]
    _put_into_effect(draft, one, peers if account.kind == _PEER else [account])


def rename(draft: Draft, before: str, after: str) -> None:
    """An account has another name now, or none any more; sequences that were only for that one
    count nowhere then. Nothing changes where another account has the name as well."""
    if any(account.name == before for account in draft.accounts):
        return
    triggers: list[Trigger] = []
    for one in triggers_of(draft):
        if one.accounts and before in one.accounts:
            named = [after if name == before else name for name in one.accounts]
            left = tuple(dict.fromkeys(name for name in named if name))
            one = replace(one, accounts=left or None, written=None)
        triggers.append(one)
    write_triggers(draft, triggers)


def forget_account(draft: Draft, account: Account) -> None:
    """It is gone, and its own configuration with it."""
    rename(draft, account.name, "")
    left = tuple(one for one in draft.tables.configurations if one.id != _OWN + account.id)
    draft.tables = structs.replace(draft.tables, configurations=left)


def _usual(account: Account) -> str:
    """That of an account which was given none."""
    return DEFAULT if account.kind == _PEER else _OWN + account.id


def _put_into_effect(draft: Draft, one: DigitSet, bearers: Iterable[Account]) -> None:
    """Let these accounts have it, and their calls what is in it. The id may be empty: each has what
    it would have had."""
    ids = {account.id for account in bearers}
    names = {account.name for account in draft.accounts if account.id in ids}
    if not ids:
        return
    draft.accounts = [
        structs.replace(
            account,
            dtmf_rtp=one.rtp,
            dtmf_info=one.info,
            dtmf_configuration="" if one.id == _usual(account) else one.id,
        )
        if account.id in ids
        else account
        for account in draft.accounts
    ]
    triggers: list[Trigger] = []
    everyone = tuple(dict.fromkeys(account.name for account in draft.accounts))
    for trigger, before in _counting(draft):
        after = before | names if trigger.id in one.triggers else before - names
        if after != before:
            accounts = tuple(name for name in everyone if name in after) or None
            trigger = replace(trigger, accounts=accounts, written=None)
        triggers.append(trigger)
    write_triggers(draft, triggers)


def _counting(draft: Draft) -> list[tuple[Trigger, frozenset[str]]]:
    """Each trigger with the names of the accounts in whose calls it counts (DTM-03: for all
    peer-to-peer accounts or for none)."""
    everyone = frozenset(account.name for account in draft.accounts)
    peers = frozenset(account.name for account in draft.accounts if account.kind == _PEER)
    found: list[tuple[Trigger, frozenset[str]]] = []
    for trigger in triggers_of(draft):
        if trigger.accounts is None:
            named = frozenset[str]()
        else:
            named = frozenset(trigger.accounts) or everyone
        found.append((trigger, named if peers.isdisjoint(named) else named | peers))
    return found


def _told(one: DigitSet) -> Values:
    return {
        "Id": one.id,
        "Name": one.name,
        "DTMFTriggerId": list(one.triggers),
        "RFC2833": one.rtp,
        "RFC2976": one.info,
    }
