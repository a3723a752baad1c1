"""What looks wrong with rules before they are saved: warnings, which keep nobody from saving.

Only what is certain is told: a warning that may be mistaken is not read for long.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice, product
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from sipstrobe.events import DECLARED, RuleStateChanged
from sipstrobe.rules import actions
from sipstrobe.rules.effects import Fact, Mark, ends, facts, leaves
from sipstrobe.rules.exclusion import alternatives, compatible, exclude
from sipstrobe.rules.explain import describe
from sipstrobe.rules.settings import Condition, Rule

_RULE_STATE = RuleStateChanged.outside.topic

MAX_FIGHTS: Final = 64  # pairs of rules that are told of
MAX_LOOKS: Final = 50_000  # at two conditions each, for pairs that may meet: 0.1 s


class Warned(Struct, frozen=True):
    """path: relative to the rules, as in "/3/when". code: never, no_stop, fight or loop."""

    path: str
    code: str
    message: str
    rules: tuple[str, ...]  # the names of those concerned, first the one at the path


class Known(Struct, frozen=True):
    """What of the other settings matters here.

    silent: events that cannot come as things are, with the reason. values: of items that name
    something, each value that there is, with the reason why it cannot come, or empty; a value that
    is missing there does not exist. endless: the profiles that have no end of their own.
    priorities: of each profile, by the function that it runs on. usual: the priority of what names
    none; None: not known.
    """

    silent: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Mapping[str, Mapping[str, str]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, str]]]
    )
    endless: frozenset[str] = frozenset()
    priorities: Mapping[str, Mapping[str, int]] = field(
        default_factory=dict[str, Mapping[str, int]]
    )
    usual: int | None = None


def warnings(rules: Sequence[Rule], known: Known) -> list[Warned]:
    """All there is to say about the rules that are switched on, in their order.

    The rules must be sound by `settings.problems`.
    """
    enabled = [(i, rule) for i, rule in enumerate(rules) if rule.enabled]
    found: list[Warned] = []
    named = _with_rules(known, rules)
    for i, rule in enabled:
        found += _never(i, rule, named)
    found += _without_stop(enabled, known)
    found += _fights(enabled, known)
    found += _loops(enabled)
    return sorted(found, key=_by_place)


def _by_place(warned: Warned) -> int:
    return int(warned.path.split("/")[1])


# --- a rule that cannot act --------------------------------------------------------------------


def _with_rules(known: Known, rules: Sequence[Rule]) -> Known:
    """Also the names of rules, which rules may watch."""
    names = {rule.name: "" if rule.enabled else "that rule is switched off" for rule in rules}
    others = dict(known.values.get(_RULE_STATE, {}).get("rule", {}))
    values = {**known.values, _RULE_STATE: {"rule": {**names, **others}}}
    return replace(known, values=values)


def _never(i: int, rule: Rule, known: Known) -> Iterator[Warned]:
    for path, condition in _placed(rule):
        reason = "" if condition.invert else _impossible(condition, known)
        if reason:
            words = f"cannot act: {describe(condition)} does not happen, for {reason}"
            yield Warned(f"/{i}{path}", "never", words, (rule.name,))
    for (_, one), (path, other) in combinations(_placed(rule), 2):
        if exclude(one, other):
            words = f"cannot act: {describe(other)} and {describe(one)} are never both so"
            yield Warned(f"/{i}{path}", "never", words, (rule.name,))


def _placed(rule: Rule) -> Iterator[tuple[str, Condition]]:
    """What must hold as the rule begins, each with its place."""
    if rule.when is not None:
        yield "/when", rule.when
    for i, condition in enumerate(rule.conditions):
        yield f"/conditions/{i}", condition


def _impossible(condition: Condition, known: Known) -> str:
    """Why this cannot be; empty: it can."""
    outside = DECLARED[condition.event].outside
    resting = outside.rest and condition.match.items() >= outside.rest.items()
    if (reason := known.silent.get(condition.event, "")) and not resting:
        return reason
    for item, values in known.values.get(condition.event, {}).items():
        wanted = condition.match.get(item)
        if wanted is None or resting:
            continue
        reason = values.get(wanted, f"there is no {item} {wanted!r}")
        if reason:
            return reason
    return ""


# --- what is begun and never ended -------------------------------------------------------------


def _without_stop(enabled: Sequence[tuple[int, Rule]], known: Known) -> Iterator[Warned]:
    stopped = [mark for _, rule in enabled for mark in ends(rule.action)]
    for i, rule in enabled:
        mark = leaves(rule.action)
        if mark is None or (mark.kind == "profile" and mark.name not in known.endless):
            continue
        if not any(stop.covers(mark) for stop in stopped):
            words = f"no rule ever ends what this one begins ({_words(mark)})"
            yield Warned(f"/{i}/action", "no_stop", words, (rule.name,))


def _words(mark: Mark) -> str:
    return f"{mark.kind} {mark.name}".strip()


# --- rules that work against each other --------------------------------------------------------


def _fights(enabled: Sequence[tuple[int, Rule]], known: Known) -> Iterator[Warned]:
    yield from islice(_for_an_output(enabled, known), MAX_FIGHTS)
    yield from _begin_and_end(enabled)


def _for_an_output(enabled: Sequence[tuple[int, Rule]], known: Known) -> Iterator[Warned]:
    """Of what runs with equal priority only the newest is shown (MIX-02)."""
    running = [
        (i, rule, frozenset(map(_key, rule.conditions)), claimed)
        for i, rule in enabled
        if rule.when is None and (claimed := _claims(rule, known))
    ]
    looks = 0
    for (_, one, few, mine), (j, other, many, theirs) in combinations(running, 2):
        shared = mine.items() & theirs.items()
        if not shared or one.action == other.action:
            continue
        if few <= many or many <= few:
            met = "are active together"
        elif looks < MAX_LOOKS:
            looks += len(few) * len(many)
            if not _may_meet(one, other):
                continue
            met = "can be active at once"
        else:
            continue
        function, priority = min(shared)
        words = (
            f"works against {one.name!r}: both {met} and want {function} with"
            f" priority {priority}, so that only one of them is seen or heard"
        )
        yield Warned(f"/{j}/action", "fight", words, (other.name, one.name))


def _may_meet(one: Rule, other: Rule) -> bool:
    """Are both about the same kinds of things, and of none of them about two of its states? Rules
    about different things may meet as well, but seldom enough not to be told of."""
    mine, theirs = ({c.event for c in rule.conditions} for rule in (one, other))
    if not (mine <= theirs or theirs <= mine):
        return False
    both = product(one.conditions, other.conditions)
    return not any(exclude(a, b) or alternatives(a, b) for a, b in both)


def _claims(rule: Rule, known: Known) -> Mapping[str, int]:
    """The functions that the rule runs something on, with the priority."""
    match rule.action:
        case actions.RunProfile(profile=name, priority=own):
            usual = known.priorities.get(name, {})
            return {function: own or priority for function, priority in usual.items()}
        case actions.RunLight(priority=own) | actions.RunSiren(priority=own) if own or known.usual:
            return {rule.action.function.value: own or known.usual or 0}
        case actions.ShowColor(light=light, priority=own) if own or known.usual:
            return {light: own or known.usual or 0}
        case _:
            return {}


def _begin_and_end(enabled: Sequence[tuple[int, Rule]]) -> Iterator[Warned]:
    """Begun by one and ended by another at the same trigger: the order of the list decides."""
    begins = [(i, rule, mark) for i, rule in enabled if (mark := leaves(rule.action)) is not None]
    for j, other in enabled:
        stops = list(ends(other.action))
        for _, rule, mark in begins if stops else ():
            if rule.when is None or rule.when != other.when or rule is other:
                continue
            if not any(stop.covers(mark) for stop in stops):
                continue
            if any(exclude(a, b) for a in rule.conditions for b in other.conditions):
                continue
            words = f"ends at the same trigger what {rule.name!r} begins ({_words(mark)})"
            yield Warned(f"/{j}/action", "fight", words, (other.name, rule.name))


def _key(condition: Condition) -> tuple[str, tuple[tuple[str, str], ...], bool]:
    return condition.event, tuple(sorted(condition.match.items())), condition.invert


# --- rules that set each other off -------------------------------------------------------------


def _loops(enabled: Sequence[tuple[int, Rule]]) -> Iterator[Warned]:
    rules = [rule for _, rule in enabled]
    places = {id(rule): i for i, rule in enabled}
    by_topic: dict[str, list[Rule]] = {}
    for rule in rules:
        for topic in {c.event for c in _starters(rule)}:
            by_topic.setdefault(topic, []).append(rule)
    follows = {
        id(rule): [
            other
            for other in {
                id(o): o for fact in facts(rule) for o in by_topic.get(fact.topic, ())
            }.values()
            if any(_sets_off(fact, other) for fact in facts(rule))
        ]
        for rule in rules
    }
    told: set[frozenset[int]] = set()
    for rule in rules:
        loop = _way_back(rule, follows)
        members = frozenset(map(id, loop))
        if not loop or members in told:
            continue
        told.add(members)
        names = tuple(member.name for member in loop)
        way = " → ".join((*names, names[0]))
        words = f"may set itself off: {way}" if len(loop) > 1 else "may set itself off"
        yield Warned(f"/{places[id(rule)]}", "loop", words, names)


def _starters(rule: Rule) -> tuple[Condition, ...]:
    """Of which one becoming true can begin the rule."""
    return (rule.when,) if rule.when is not None else rule.conditions


def _sets_off(fact: Fact, rule: Rule) -> bool:
    """Can this fact make the rule begin?"""
    for condition in _starters(rule):
        if condition.event != fact.topic:
            continue
        source = DECLARED[fact.topic].outside.source
        about = {n: v for n, v in condition.match.items() if n in source}
        if not compatible(about, fact.items):
            continue
        # an inverted one comes true as something ceases to be as it wants
        if compatible(condition.match, fact.items) is not condition.invert:
            return True
    return False


def _way_back(rule: Rule, follows: Mapping[int, Sequence[Rule]]) -> list[Rule]:
    """The shortest way from this rule to itself, beginning with it; empty: there is none."""
    ways: list[list[Rule]] = [[rule]]
    seen: set[int] = set()
    for way in ways:  # grows as we go
        for other in follows[id(way[-1])]:
            if other is rule:
                return way
            if id(other) not in seen:
                seen.add(id(other))
                ways.append([*way, other])
    return []
