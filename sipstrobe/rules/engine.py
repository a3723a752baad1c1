"""When rules begin and end: a machine fed with properties and pulses (EVT-01…08).

A rule without a trigger is active exactly while all its conditions hold. With a trigger it begins
when the trigger comes while they hold, and stays active until one fails; without conditions it is
over at once. A property is a trigger when a source newly matches, or inverted, when the last one
has ceased to. Rules that one input touches act in the order of the list.

Too soon after the last time (EVT-03), a trigger is passed over; a rule without one waits, and
begins if its conditions still hold then.

A rule that is changed while it is active ends, and begins again only when its conditions hold
anew, its trigger comes again, or somebody switches it off and on (EVT-08).

A rule that was active as the device stopped goes on if its conditions hold soon after the start
(`recall`): what lasts is done again, what was done once is not.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import inf
from types import MappingProxyType

from msgspec import Struct

from sipstrobe.commands import Command
from sipstrobe.rules.actions.base import RULE_NAME
from sipstrobe.rules.anew import RESUME_SECONDS, Recalled, source_of, told_anew
from sipstrobe.rules.explain import History, Outcome, Record, Stand, stands
from sipstrobe.rules.facts import Came, Changes, Facts, Source, Watch
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.timers import Timers
from sipstrobe.trace import Cause, Input

MAX_DEPTH = 8  # times that a rule may begin because of itself: more is a loop
MAX_BEGUN = 1024  # times that rules may begin for one root cause, as those that set off each other
MAX_OFTEN = 3000  # times that a rule may begin within so many seconds, as one in a circle that goes
OFTEN_SECONDS = 60.0  # through a broker, a web server or a timer, where no cause shows it

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Begin(Struct, frozen=True):
    """Give this order. active: the rule stays so until its End; else it is over already.

    command: None if it was given before the device was started anew, and is not given again.
    armed: of a rule that has waited, what it would have begun by. record: what is told of it.
    """

    rule: Rule
    command: Command | None
    active: bool
    record: Record
    armed: Cause | None = None


class End(Struct, frozen=True):
    """The rule is no longer active: undo what lasts."""

    rule: Rule


class Refuse(Struct, frozen=True):
    """The rule should begin, and must not."""

    rule: Rule
    reason: str


Output = Begin | End | Refuse


@dataclass(slots=True, eq=False)
class RuleState:
    """One enabled rule as it stands."""

    rule: Rule
    place: int = 0  # in the list
    unmet: int = 0  # bit i: condition i is false
    when: "Watch[RuleState] | None" = None  # on its trigger
    watches: "tuple[Watch[RuleState], ...]" = ()  # on its conditions
    active: bool = False
    spent: bool = False  # must not begin before its conditions hold anew
    recalled_until: float = -inf  # shortly after a start
    resumes: bool = False  # it was active before the start, and goes on if it still holds
    fired_by: set[Source] = field(default_factory=set[Source])  # before it; told anew, no trigger
    begun_at: float | None = None
    armed: Came | None = None  # of one that waits: what it would have begun by
    root: int = 0  # of the causes in `begun`
    begun: dict[int, int] = field(default_factory=dict[int, int])  # cause -> how deep in itself
    refused: int = 0  # the root cause for which that was said
    often: int = 0  # times that it has begun since `often_since`
    often_since: float = -inf
    history: History = field(default_factory=History)

    @property
    def records(self) -> list[Record]:
        """What touched it lately, and what came of it, the newest last."""
        return self.history.records

    @property
    def conditions(self) -> list[Stand]:
        """How each of its conditions stands now."""
        return stands(self.rule, self.unmet, _turned(self))

    def follow(self, before: "RuleState") -> None:
        """Take over from the rule as it was: the history, and if it was active, the wait."""
        self.spent, self.begun_at, self.history = before.spent, before.begun_at, before.history


class Engine:
    """Decide which rules begin and end. note: told of each input that touches a rule."""

    def __init__(self, note: Callable[[Record], None] | None = None) -> None:
        self._note = note
        self.outbox: deque[Output] = deque()
        self.rules: dict[str, RuleState] = {}  # the enabled ones by name, in the order of the list
        self._facts: Facts[RuleState] = Facts()
        self._waiting: Timers[str] = Timers()
        self._recalled: Mapping[str, Recalled] = {}
        self._root = 0  # the root cause that came last, and how many rules have begun for it
        self._begun = 0

    @property
    def deadline(self) -> float | None:
        return self._waiting.deadline

    def waits_until(self, name: str) -> float | None:
        """When the rule of this name may begin, if its conditions hold until then."""
        return self._waiting.at(name)

    def hears(self, topic: str) -> bool:
        """Does a pulse of this topic concern any rule?"""
        return self._facts.watched(topic)

    def property(
        self,
        topic: str,
        source: tuple[str, ...],
        items: Mapping[str, str],
        *,
        now: float,
        cause: Cause | None = None,
    ) -> None:
        """A source of a property has this value now."""
        came = Came(topic, items, now, cause)
        changes = self._facts.set(source, came)
        if changes:
            self._settle(changes, came)

    def pulse(
        self,
        topic: str,
        items: Mapping[str, str],
        *,
        now: float,
        cause: Cause | None = None,
    ) -> None:
        """Something has happened."""
        came = Came(topic, items, now, cause)
        changes = self._facts.pulse(came)
        if changes:
            self._settle(changes, came)

    def recall(self, rules: Mapping[str, Recalled]) -> None:
        """How rules stood before the device was started anew, for the next `apply`."""
        self._recalled = rules

    def apply(self, rules: Iterable[Rule], *, now: float, cause: Cause | None = None) -> None:
        """Work by these rules from now on; what is the same as before goes on undisturbed."""
        came = Came("settings", _NOTHING, now, cause)
        before, self.rules = self.rules, {}
        fresh: list[RuleState] = []
        for place, rule in enumerate(rule for rule in rules if rule.enabled):
            state = before.get(rule.name)
            if state is None or (state.rule is not rule and state.rule != rule):
                state = RuleState(rule)
                fresh.append(state)
            state.place = place
            self.rules[rule.name] = state
        old = [state for name, state in before.items() if self.rules.get(name) is not state]
        for state in old:
            self._waiting.stop(state.rule.name)
            if state.active:
                state.spent = True
                self._end(state)
        self._connect(fresh, came)
        self._disconnect(old)
        recalled, self._recalled = self._recalled, {}
        for state in fresh:
            if predecessor := before.get(state.rule.name):
                state.follow(predecessor)
            elif (known := recalled.get(state.rule.name)) is not None:
                state.begun_at = known.begun_at
                state.recalled_until = now + RESUME_SECONDS
                state.resumes, state.fired_by = known.active, set(known.fired_by)
            self._step(state, fired=False, came=came)

    def wake(self, *, now: float) -> None:
        for name in self._waiting.due(now):
            state = self.rules[name]
            cause = state.armed.cause if state.armed is not None else None
            self._step(state, fired=False, came=Came("timer", _NOTHING, now, cause))

    # --- from changed facts to rules -----------------------------------------------------------

    def _connect(self, states: Sequence[RuleState], came: Came) -> None:
        """Tie new rules to what they watch, and learn which of their conditions hold."""
        wanted = (c for state in states for c in _watched(state.rule))
        watches = self._facts.watch(wanted, came)
        for state in states:
            rule = state.rule
            if rule.when is not None:
                state.when = next(watches)
                state.when.triggers[state] = rule.when.invert
            state.watches = tuple(islice(watches, len(rule.conditions)))
            for i, (condition, watch) in enumerate(
                zip(rule.conditions, state.watches, strict=True)
            ):
                watch.conditions[state] = watch.conditions.get(state, 0) | 1 << i
                if watch.holds == condition.invert:
                    state.unmet |= 1 << i

    def _disconnect(self, states: Iterable[RuleState]) -> None:
        """Forget what only these rules watch."""
        for state in states:
            for watch in state.watches:
                watch.conditions.pop(state, None)
                self._facts.release(watch)
            if state.when is not None:
                del state.when.triggers[state]
                self._facts.release(state.when)

    def _settle(self, changes: Changes[RuleState], came: Came) -> None:
        touched: dict[RuleState, bool] = {}  # and whether its trigger has fired
        for watch in changes.turned:
            for state, bits in watch.conditions.items():
                state.unmet ^= bits
                touched.setdefault(state, False)
            for state, invert in watch.triggers.items():
                if watch.holds != invert:
                    touched[state] = True
        for watch in changes.fresh:
            for state, invert in watch.triggers.items():
                if not invert:
                    touched[state] = True
        for state in sorted(touched, key=_by_place):
            self._step(state, fired=touched[state], came=came)

    # --- one rule ------------------------------------------------------------------------------

    def _step(self, state: RuleState, *, fired: bool, came: Came) -> None:
        if fired and _fired_before(state, came):
            fired = False
        if state.unmet:
            state.spent = False
            self._waiting.stop(state.rule.name)
            outcome = self._end(state) if state.active else Outcome.UNMET
        elif state.resumes and not fired and _goes_on(state, came):
            outcome = Outcome.RESUMED
        elif state.spent and not fired:
            outcome = Outcome.CHANGED
        elif state.rule.when is not None and not fired:
            outcome = Outcome.RUNS if state.active else Outcome.NOT_FIRED
        elif state.active and (state.rule.when is None or state.rule.action.lasting):
            outcome = Outcome.RUNS
        else:
            outcome = self._try(state, came)
        record = _record(state, came, outcome)
        state.history.add(record)
        if self._note is not None:
            self._note(record)
        if outcome in _BEGINS:
            self._begin(state, came, record)

    def _try(self, state: RuleState, came: Came) -> Outcome:
        """May a rule begin that should?"""
        rule = state.rule
        ready_at = -inf if state.begun_at is None else state.begun_at + rule.minimum_interval
        if came.now < ready_at:
            if rule.when is not None:
                return Outcome.TOO_SOON
            state.armed = came
            self._waiting.start(rule.name, ready_at)
            return Outcome.WAITS
        if came.cause is not None and came.topic != "timer" and self._is_loop(state, came.cause):
            return Outcome.LOOP
        if self._is_too_often(state, came.now):
            return Outcome.TOO_OFTEN
        return Outcome.REPEATED if state.active else Outcome.BEGUN

    def _begin(self, state: RuleState, came: Came, record: Record) -> None:
        rule = state.rule
        state.spent = False
        state.resumes = False
        if record.outcome is Outcome.RESUMED:
            state.active = True
            command = _command(rule, _items(state, came)) if rule.action.lasting else None
            self.outbox.append(Begin(rule, command, active=True, record=record))
            return
        state.begun_at = came.now
        state.active = bool(rule.conditions)
        armed = came.cause if came.topic == "timer" else None
        for items in _targets(state, came):
            self.outbox.append(Begin(rule, _command(rule, items), state.active, record, armed))

    def _is_loop(self, state: RuleState, cause: Cause) -> bool:
        """Count a rule that is about to begin: has it set itself off too often?"""
        causes = list(_serials(cause))
        root = causes[-1]
        if self._root != root:
            self._root, self._begun = root, 0
        if state.root != root:
            state.root, state.begun = root, {}
        depth = max([state.begun.get(serial, 0) for serial in causes]) + 1
        if depth > MAX_DEPTH or self._begun >= MAX_BEGUN:
            if state.refused != root:  # said once, for the refusal may be a trigger too
                state.refused = root
                self.outbox.append(Refuse(state.rule, Outcome.LOOP))
            return True
        self._begun += 1
        state.begun[cause.serial] = depth
        return False

    def _is_too_often(self, state: RuleState, now: float) -> bool:
        """Count a rule that is about to begin: has it, lately, whatever for?"""
        if now >= state.often_since + OFTEN_SECONDS:
            state.often_since, state.often = now, 0
        state.often += 1
        if state.often == MAX_OFTEN + 1:  # said once
            self.outbox.append(Refuse(state.rule, Outcome.TOO_OFTEN))
        return state.often > MAX_OFTEN

    def _end(self, state: RuleState) -> Outcome:
        state.active = False
        self.outbox.append(End(state.rule))
        return Outcome.ENDED


_BEGINS = (Outcome.BEGUN, Outcome.REPEATED, Outcome.RESUMED)


def _fired_before(state: RuleState, came: Came) -> bool:
    """Has this been the trigger before the device was started anew?"""
    anew = told_anew(came)
    if anew is None and came.now < state.recalled_until:
        source = source_of(came.topic, came.items)
        anew = source in state.fired_by
        state.fired_by.discard(source)
    return anew is True


def _goes_on(state: RuleState, came: Came) -> bool:
    """Does a rule hold by this as it did before the device was started anew?"""
    state.resumes = came.now < state.recalled_until and told_anew(came) is not False
    return state.resumes


def _command(rule: Rule, items: Mapping[str, str]) -> Command:
    return rule.action.command({**items, RULE_NAME: rule.name})


def _record(state: RuleState, came: Came, outcome: Outcome) -> Record:
    return Record(state.rule, came, state.unmet, _turned(state), outcome)


def _turned(state: RuleState) -> tuple[Came, ...]:
    return tuple([watch.turned for watch in state.watches])


def _serials(cause: Cause) -> Iterator[int]:
    """The links from this one back to the input that it came of. What a rule does each time that
    it has waited is no loop: it does not run away."""
    link: Cause | None = cause
    while link is not None:
        yield link.serial
        link = None if isinstance(link.what, Input) else link.parent


def _by_place(state: RuleState) -> int:
    return state.place


def _watched(rule: Rule) -> Iterator[Condition]:
    if rule.when is not None:
        yield rule.when
    yield from rule.conditions


def _targets(state: RuleState, came: Came) -> Iterator[dict[str, str]]:
    """What an action may refer to, once for each that it is meant for."""
    items, name = _items(state, came), state.rule.action.for_each
    others = [] if not name or name in came.items else _holding(state, name)
    yield items
    yield from ({**items, **other} for other in others if other[name] != items[name])


def _holding(state: RuleState, name: str) -> list[Mapping[str, str]]:
    """What the first condition about something of this name holds of, the oldest first."""
    for watch in state.watches:  # what is inverted holds of nothing
        if any(name in items for items in watch.holding.values()):
            return list(watch.holding.values())
    return []


def _items(state: RuleState, came: Came) -> dict[str, str]:
    """What an action may refer to: what came, and what the conditions hold of, first the oldest."""
    items = dict(came.items)
    for watch in state.watches:
        for oldest in islice(watch.holding.values(), 1):
            items = {**oldest, **items}
    return items
