"""The rules as the manual has them, slow and plain: ``python -m tests.rules.oracle --sets 10000``.

Random rule sets live through random events, edits, waits and restarts, once with the engine and
once with a reading of the manual's words that looks at everything each time. The first difference
is shown with the seed that leads to it.
"""

import argparse
import time
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from msgspec.structs import replace

from sipstrobe.events import CallState, CallStateChanged, Event, ManualTriggerChanged
from sipstrobe.rules.actions import Action, RunProfile, StartProfile
from sipstrobe.rules.anew import Recalled
from sipstrobe.rules.engine import Engine
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

    def restart(self, now: float) -> list[str]:
        """The device was off for a moment, and finds the world as it was."""
        self.spent.clear()
        self.due.clear()
        said: list[str] = []
        for r in self.rules:
            if r.name in self.active:
                said.append(f"begin {r.name}")  # it goes on
            else:
                said += self._step(r, fired=False, turned=True, now=now)
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


class Restart:
    """Of the device."""


Step = Event | Edit | Restart | float


def drawn_rules(random: Random) -> list[Rule]:
    """Up to six rules, each sound by itself."""
    rules = [
        rule(
            name,
            *(random.choice(STATES) for _ in range(random.randrange(4))),
            when=random.choice([None, None, None, *PULSES, *random.sample(STATES, 3)]),
            action=random.choice(ACTIONS),
            minimum_interval=random.choice([0, 0, 2]),
        )
        for name in "ABCDEF"[: random.randint(1, 6)]
    ]
    return [r for r in rules if not problems((r,))]


def drawn_steps(random: Random) -> list[Step]:
    """What happens to them."""
    return [_drawn_step(random) for _ in range(random.randint(10, 40))]


def _drawn_step(random: Random) -> Step:
    kind = random.randrange(20)
    if kind < 13:
        return random.choice(EVENTS)
    if kind < 16:
        return random.choice([0.5, 1.0, 2.0])
    if kind < 17:
        return Restart()
    what = random.choice(["switch", "change", "rewrite", "reverse"])
    return Edit(random.randrange(len(STATES)), what)  # pyright: ignore[reportArgumentType]


def live(rules: list[Rule], steps: list[Step]) -> None:
    """Raise AssertionError at the first step after which engine and oracle differ."""
    bench, oracle = Bench(), Oracle()
    assert bench.apply(*rules) == oracle.apply(rules, 0.0)
    for number, step in enumerate(steps):
        match step:
            case Edit():
                rules = step.of(rules)
                said, wanted = bench.apply(*rules), oracle.apply(rules, bench.now)
            case Restart():
                said, wanted = restart(bench, rules, oracle), oracle.restart(bench.now)
            case Event():
                said, wanted = bench.hear(step), oracle.hear(step, bench.now)
            case _:
                said = bench.advance(step)
                wanted = oracle.advance(bench.now)
        assert said == wanted, f"step {number}, {step}: {said}, and not {wanted}"
        assert set(bench.active()) == oracle.active, f"step {number}, {step}"


def restart(bench: Bench, rules: list[Rule], oracle: Oracle) -> list[str]:
    """Another engine, told what held and how the rules stood."""
    states = bench.engine.rules.values()
    recalled = {s.rule.name: Recalled(s.active, s.begun_at) for s in states}
    bench.engine = Engine()
    for topic, values in oracle.values.items():
        for source, items in values.items():
            bench.engine.property(topic, source, items, now=bench.now)
    bench.engine.recall(recalled)
    return bench.apply(*rules)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun, steps = time.monotonic(), 0
    for seed in range(options.seed, options.seed + options.sets):
        random = Random(seed)
        rules, happens = drawn_rules(random), drawn_steps(random)
        steps += len(happens)
        try:
            live(rules, happens)
        except AssertionError as difference:
            raise SystemExit(f"--seed {seed}: {difference}") from None
    print(f"{options.sets} rule sets, {steps} steps, no difference", end="")
    print(f" ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
