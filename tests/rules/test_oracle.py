"""The engine against a plain reading of the rules that looks at everything each time."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

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


def _condition(event: str, match: dict[str, str], invert: bool) -> Condition:
    return Condition(event=event, match=match, invert=invert)


def _matches(**values: list[str]) -> st.SearchStrategy[dict[str, str]]:
    optional = {name: st.sampled_from(some) for name, some in values.items()}
    return st.fixed_dictionaries({}, optional=optional)


CONDITIONS = st.one_of(
    st.builds(
        _condition,
        st.just("call/state"),
        _matches(
            state=["idle", "ringing", "active"], call=["c1", "c2"], extension=["1001", "1002"]
        ),
        st.booleans(),
    ),
    st.builds(
        _condition,
        st.just("input/manual_trigger"),
        _matches(trigger=["1", "2"], active=["true", "false"]),
        st.booleans(),
    ),
)
PULSES = st.sampled_from(
    [on("call/state_change"), on("call/state_change", reason="terminated", extension="1001")]
)
ACTIONS: st.SearchStrategy[Action] = st.sampled_from(
    [RunProfile(profile="P"), StartProfile(profile="P")]
)
EVENTS = st.one_of(
    st.builds(
        call,
        st.sampled_from(["idle", "ringing", "active"]),
        st.sampled_from(["c1", "c2", "c3"]),
        st.sampled_from(["1001", "1002"]),
    ),
    st.builds(trigger, st.booleans(), st.integers(1, 2)),
    st.builds(change, st.sampled_from(["terminated", "accepted_by_device"])),
)


@st.composite
def rule_lists(draw: st.DrawFn) -> list[Rule]:
    names = draw(st.lists(st.sampled_from("ABCD"), unique=True))
    rules = [
        rule(
            name,
            *draw(st.lists(CONDITIONS, max_size=3)),
            when=draw(st.none() | PULSES | CONDITIONS),
            action=draw(ACTIONS),
            minimum_interval=draw(st.sampled_from([0, 0, 2])),
            enabled=draw(st.sampled_from([True, True, True, False])),
        )
        for name in names
    ]
    return [r for r in rules if not problems((r,))]


STEPS = st.lists(
    st.one_of(EVENTS, EVENTS, EVENTS, rule_lists(), st.sampled_from([0.5, 1.0, 2.0])),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(rule_lists(), STEPS)
def test_the_engine_does_what_a_plain_reading_says(
    rules: list[Rule], steps: list[Event | list[Rule] | float]
) -> None:
    bench, oracle = Bench(), Oracle()
    assert bench.apply(*rules) == oracle.apply(rules, 0.0)

    for step in steps:
        match step:
            case float() | int():
                said = bench.advance(step)
                assert said == oracle.advance(bench.now)
            case list():
                assert bench.apply(*step) == oracle.apply(step, bench.now)
            case Event():
                assert bench.hear(step) == oracle.hear(step, bench.now)
        assert set(bench.active()) == oracle.active
