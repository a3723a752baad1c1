"""What can be set about rules: conditions that must hold, a trigger, and what is then done.

Conditions speak about events by topic and items exactly as `sipstrobe.events` declares them, so
that a new event can be used in rules without a line here.
"""

from collections.abc import Container, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from sipstrobe.errors import Problem
from sipstrobe.events import DECLARED, Kind, choices
from sipstrobe.rules.actions import Action

MAX_RULES = 256  # EVT-01
MAX_CONDITIONS = 32  # EVT-04 names no bound; tying so many to what they watch takes 1 ms
MAX_MATCH = 16
MAX_NAME = 64  # characters
MAX_VALUE = 256  # characters
MAX_INTERVAL = 24 * 3600 - 1  # seconds; 23:59:59

Match = Annotated[
    dict[str, Annotated[str, Meta(max_length=MAX_VALUE)]],
    Meta(
        max_length=MAX_MATCH,
        title="Items",
        description="The items that count and the value each must have, as text. Addresses "
        "match by parts: a user alone, or without port and parameters; * stands for anything.",
    ),
]


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that holds, or as a trigger: something that happens."""

    event: Annotated[str, Meta(title="Event", description="A topic, like call/state.")]
    match: Match = {}
    invert: Annotated[
        bool, Meta(title="Invert", description="It must not hold; as a trigger: it ends.")
    ] = False


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One action, done as all conditions hold (EVT-01…08)."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME, title="Name")]
    enabled: Annotated[bool, Meta(title="Enabled")] = True
    when: Annotated[
        Condition | None,
        Meta(
            title="Trigger",
            description="What starts the rule while the conditions hold. Without one, the rule "
            "is active exactly while all conditions hold.",
        ),
    ] = None
    conditions: Annotated[
        tuple[Condition, ...], Meta(max_length=MAX_CONDITIONS, title="Conditions")
    ] = ()
    minimum_interval: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_INTERVAL,
            title="Wait between actions",
            description="Seconds that must pass from one activation to the next.",
        ),
    ] = 0
    action: Annotated[Action, Meta(title="Action")]


Rules = Annotated[
    tuple[Rule, ...],
    Meta(
        max_length=MAX_RULES,
        title="Rules",
        description="What is done when something happens. Of rules that act at the same moment, "
        "the one that stands first acts first.",
    ),
]


def problems(rules: tuple[Rule, ...], sound: Container[int] = ()) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the rules.

    sound: the ids of rules that have been found so and are not looked at again.
    """
    return list(_problems(rules, sound))


def _problems(rules: tuple[Rule, ...], sound: Container[int]) -> Iterator[Problem]:
    names: set[str] = set()
    for i, rule in enumerate(rules):
        if rule.name in names:
            yield Problem(f"/{i}/name", f"there is a rule {rule.name!r} already")
        names.add(rule.name)
        for problem in _rule(rule) if id(rule) not in sound else ():
            yield Problem(f"/{i}{problem.path}", problem.message)


def _rule(rule: Rule) -> Iterator[Problem]:
    if rule.when is None and not rule.conditions:
        yield Problem("", "needs a condition or a trigger")
    if rule.when is not None:
        yield from _condition(rule.when, "/when")
        if rule.when.invert and _is_pulse(rule.when):
            yield Problem("/when/invert", f"{rule.when.event} never ends: it only happens")
        if rule.action.lasting and not rule.conditions:
            yield Problem("/conditions", "this action needs a condition to end it")
    for i, condition in enumerate(rule.conditions):
        yield from _condition(condition, f"/conditions/{i}")
        if _is_pulse(condition):
            words = f"{condition.event} only happens: it can be a trigger, not a condition"
            yield Problem(f"/conditions/{i}/event", words)


def _is_pulse(condition: Condition) -> bool:
    event = DECLARED.get(condition.event)
    return event is not None and event.outside.kind is Kind.PULSE


def _condition(condition: Condition, path: str) -> Iterator[Problem]:
    event = DECLARED.get(condition.event)
    if event is None:
        yield Problem(path + "/event", f"there is no event {condition.event!r}")
        return
    known = choices(event)
    for name, value in condition.match.items():
        if name not in known:
            yield Problem(f"{path}/match", f"{condition.event} has no item {name!r}")
        elif (values := known[name]) is not None and value not in values:
            yield Problem(f"{path}/match/{name}", "must be one of " + ", ".join(values))
