"""The engine against a plain reading of the rules that looks at everything each time."""

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sipstrobe.events import CallState, CallStateChanged, Event, ManualTriggerChanged
from sipstrobe.rules.actions import Action, RunProfile, StartProfile
from sipstrobe.rules.settings import Condition, Rule, problems
from sipstrobe.rules.text import at_rest, texts_of
from tests.rules.bench import Bench, call, change, on, rule, trigger


@dataclass
class Oracle:
    """Says what begins and ends, from the whole state before and after each input."""

    rules: list[Rule] = field(default_factory=list[Rule])
    values: dict[str, dict[tuple[str, ...], dict[str, str]]] = field(
        default_factory=dict[str, dict[tuple[str, ...], dict[str, str]]]
    )
    active: set[str] = field(default_factory=set[str])
    spent: set[str] = field(default_factory=set[str])
    begun_at: dict[str, float] = field(default_factory=dict[str, float])
    due: dict[str, float] = field(default_factory=dict[str, float])

    def matching(self, condition: Condition) -> set[tuple[str, ...]]:
        values = self.values.get(condition.event, {})
        return {s for s, items in values.items() if condition.match.items() <= items.items()}

    def holds(self, condition: Condition) -> bool:
        """Without the inversion."""
        if self.matching(condition):
            return True
        outside = {CallState: "call/state", ManualTriggerChanged: "input/manual_trigger"}
        kind = next(k for k, topic in outside.items() if topic == condition.event)
        about = {n: v for n, v in condition.match.items() if n in kind.outside.source}
        values = {n: v for n, v in condition.match.items() if n not in about}
        reporting = self.values.get(condition.event, {}).values()
        if any(about.items() <= items.items() for items in reporting):
            return False
        return bool(values) and values.items() <= kind.outside.rest.items()

    def met(self, a_rule: Rule) -> bool:
        return all(self.holds(c) != c.invert for c in a_rule.conditions)

    def hear(self, event: Event, now: float) -> list[str]:
        before = {id(r): self.met(r) for r in self.rules}
        whens = [r.when for r in self.rules if r.when is not None]
        property_whens = [w for w in whens if w.event != "call/state_change"]
        held = {id(w): self.holds(w) for w in property_whens}
        sources = {id(w): self.matching(w) for w in property_whens}
        self._take(event)
        said: list[str] = []
        for r in self.rules:
            fired = False
            if r.when is not None and r.when.event == "call/state_change":
                fired = (
                    isinstance(event, CallStateChanged)
                    and r.when.match.items() <= texts_of(event).items()
                )
            elif r.when is not None:
                turned = self.holds(r.when) is not held[id(r.when)]
                fired = turned and self.holds(r.when) != r.when.invert
                if not r.when.invert:
                    fired = fired or bool(self.matching(r.when) - sources[id(r.when)])
            said += self._step(r, fired=fired, turned=before[id(r)] != self.met(r), now=now)
        return said

    def _take(self, event: Event) -> None:
        if isinstance(event, CallStateChanged):
            return
        items = texts_of(event)
        source = tuple(items[n] for n in event.outside.source)
        values = self.values.setdefault(event.outside.topic, {})
        if at_rest(event):
            values.pop(source, None)
        else:
            values[source] = items

    def _step(self, r: Rule, *, fired: bool, turned: bool, now: float) -> list[str]:
        if not self.met(r):
            self.spent.discard(r.name)
            self.due.pop(r.name, None)
            if r.name in self.active:
                self.active.discard(r.name)
                return [f"end {r.name}"]
            return []
        wants = fired if r.when is not None else turned and r.name not in self.spent
        if not wants or (r.name in self.active and (r.action.lasting or r.when is None)):
            return []
        if now < self.begun_at.get(r.name, -1e9) + r.minimum_interval:
            if r.when is None:
                self.due[r.name] = self.begun_at[r.name] + r.minimum_interval
            return []
        return [self._begin(r, now)]

    def _begin(self, r: Rule, now: float) -> str:
        self.begun_at[r.name] = now
        self.due.pop(r.name, None)
        self.spent.discard(r.name)
        if r.when is None or r.conditions:
            self.active.add(r.name)
        return f"begin {r.name}"

    def advance(self, now: float) -> list[str]:
        said: list[str] = []
        for name, _ in sorted(self.due.items(), key=lambda item: item[1]):
            if self.due[name] <= now:
                said.append(self._begin(next(r for r in self.rules if r.name == name), now))
        return said

    def apply(self, rules: list[Rule], now: float) -> list[str]:
        before = {r.name: r for r in self.rules}
        self.rules = [r for r in rules if r.enabled]
        kept = {r.name for r in self.rules if before.get(r.name) == r}
        said: list[str] = []
        for name in before:
            if name in kept:
                continue
            self.due.pop(name, None)
            if name in self.active:
                self.active.discard(name)
                self.spent.add(name)
                said.append(f"end {name}")
            if name not in {r.name for r in self.rules}:
                self.spent.discard(name)
                self.begun_at.pop(name, None)
        for r in self.rules:
            if r.name not in kept:
                said += self._step(r, fired=False, turned=True, now=now)
        return said


ACTIVE, RINGING = on("call/state", state="active"), on("call/state", state="ringing")
FIRST = on("input/manual_trigger", trigger="1", active="true")
STATES = [
    *(ACTIVE, RINGING, FIRST, on("call/state"), on("call/state", state="idle")),
    *(on("call/state", state="active", extension="1002"), on("call/state", call="c1")),
    on("input/manual_trigger", active="true"),
    on("input/manual_trigger", trigger="1", active="false"),
    *(on(c.event, invert=True, **c.match) for c in (ACTIVE, RINGING, FIRST)),
]
PULSES = [on("call/state_change"), on("call/state_change", reason="terminated")]
ACTIONS: list[Action] = [RunProfile(profile="P"), StartProfile(profile="P")]
EVENTS = [
    *(call(s, c, "1002") for s in ("idle", "ringing", "active") for c in ("c1", "c2")),
    *(call(s, "c3", "1001") for s in ("idle", "active")),
    *(trigger(pressed, n) for pressed in (True, False) for n in (1, 2)),
    *(change("terminated"), change("accepted_by_device")),
]


@dataclass(frozen=True)
class Edit:
    """Switch one rule on or off, give it other values or conditions, or reverse the list."""

    place: int
    what: Literal["switch", "change", "rewrite", "reverse"]

    def of(self, rules: list[Rule]) -> list[Rule]:
        if not rules or self.what == "reverse":
            return rules[::-1]
        edited = rules[self.place % len(rules)]
        if self.what == "switch":
            edited = replace(edited, enabled=not edited.enabled)
        elif self.what == "rewrite":
            edited = replace(edited, conditions=(STATES[self.place], *edited.conditions[:1]))
        else:
            edited = replace(edited, minimum_interval=edited.minimum_interval + 1)
        return [edited if r.name == edited.name else r for r in rules]


@st.composite
def rule_lists(draw: st.DrawFn) -> list[Rule]:
    rules = [
        rule(
            name,
            *draw(st.lists(st.sampled_from(STATES), max_size=2)),
            when=draw(st.none() | st.none() | st.sampled_from(PULSES + STATES)),
            action=draw(st.sampled_from(ACTIONS)),
            minimum_interval=draw(st.sampled_from([0, 0, 2])),
        )
        for name in "ABCD"
    ]
    return [r for r in rules if not problems((r,))]


EDITS = st.builds(
    Edit,
    st.integers(0, len(STATES) - 1),
    st.sampled_from(["switch", "change", "rewrite", "reverse"]),
)
STEPS = st.lists(
    st.one_of(*[st.sampled_from(EVENTS)] * 4, EDITS, st.sampled_from([0.5, 1.0, 2.0])),
    min_size=10,
    max_size=40,
)


@settings(max_examples=250, deadline=None)
@given(rule_lists(), STEPS)
def test_the_engine_does_what_a_plain_reading_says(
    rules: list[Rule], steps: list[Event | Edit | float]
) -> None:
    bench, oracle = Bench(), Oracle()
    assert bench.apply(*rules) == oracle.apply(rules, 0.0)

    for step in steps:
        match step:
            case Edit():
                rules = step.of(rules)
                assert bench.apply(*rules) == oracle.apply(rules, bench.now)
            case Event():
                assert bench.hear(step) == oracle.hear(step, bench.now)
            case seconds:
                said = bench.advance(seconds)
                assert said == oracle.advance(bench.now)
        assert set(bench.active()) == oracle.active
