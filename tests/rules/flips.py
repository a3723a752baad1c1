"""Explanations, tried out: ``python -m tests.rules.flips --sets 10000``.

In random states each rule is asked why it is not active. Exactly the facts that it names are then
made otherwise, and it must begin; of one that is active each condition is broken by itself, and it
must end. Nothing but the explanation says what to do.
"""

import argparse
import time
from dataclasses import dataclass, field
from random import Random

from sipstrobe.events import DECLARED, Event
from sipstrobe.rules.explain import Stand
from sipstrobe.rules.settings import Condition, Rule, problems
from sipstrobe.rules.text import at_rest, texts_of
from tests.rules.bench import Bench, call, change, rule, trigger
from tests.rules.oracle import ACTIONS, EVENTS, PULSES, STATES

_CALL = "call/state"
_CHANGED = change("accepted_by_device")


@dataclass
class Counts:
    """asked: why a rule is not, or is, active; begun, ended: what came of what was named;
    crossed: where what was named stood against another condition of the same rule."""

    asked: int = 0
    begun: int = 0
    ended: int = 0
    crossed: int = 0


@dataclass
class World:
    """What all sources report."""

    bench: Bench
    reported: dict[tuple[str, ...], Event] = field(default_factory=dict[tuple[str, ...], Event])

    def hear(self, event: Event) -> list[str]:
        items = texts_of(event)
        source = (event.outside.topic, *(items[name] for name in event.outside.source))
        self.reported.pop(source, None)
        if not at_rest(event):
            self.reported[source] = event
        return self.bench.hear(event)

    def flip(self, stand: Stand) -> list[str]:
        """Make the fact otherwise that this condition is about."""
        wanted = stand.condition
        comes_true = stand.holds is wanted.invert  # without the inversion
        if _can_rest(wanted) is comes_true:
            return [said for event in self._ends(wanted) for said in self.hear(event)]
        return self.hear(_made(wanted, self.bench.now))

    def _ends(self, wanted: Condition) -> list[Event]:
        """The sources that stand against it, or that it holds of, have nothing to report more."""
        outside = DECLARED[wanted.event].outside
        about = {n: v for n, v in wanted.match.items() if n in outside.source}
        match = about if _can_rest(wanted) else wanted.match
        found: list[Event] = []
        for (topic, *_), event in self.reported.items():
            if topic == wanted.event and match.items() <= texts_of(event).items():
                items = texts_of(event)
                over = topic == _CALL
                found.append(
                    call("idle", items["call"]) if over else trigger(False, int(items["trigger"]))
                )
        return found


def _can_rest(wanted: Condition) -> bool:
    outside = DECLARED[wanted.event].outside
    values = {n: v for n, v in wanted.match.items() if n not in outside.source}
    return bool(values) and values.items() <= outside.rest.items()


def _made(wanted: Condition, now: float) -> Event:
    """Something that is reported, as the condition wants it; or if it wants rest, is not."""
    match = wanted.match
    if wanted.event != _CALL:
        return trigger(True, int(match.get("trigger", "2")))
    state = "active" if _can_rest(wanted) else match.get("state", "active")
    name = match.get("call", f"new at {now:g}")
    return call(state, name, match.get("extension", "1001"))


def drawn(random: Random) -> tuple[list[Rule], list[Event]]:
    """Rules with up to four conditions, and what happens before they are asked."""
    rules = [
        rule(
            name,
            *random.sample(STATES, random.randint(1, 4)),
            when=random.choice([None, None, PULSES[0]]),
            action=random.choice(ACTIONS),
        )
        for name in "ABCD"
    ]
    events: list[Event] = [random.choice(EVENTS) for _ in range(random.randint(0, 15))]
    return [r for r in rules if not problems((r,))], events


def ask(rules: list[Rule], events: list[Event], counts: Counts) -> None:
    """Each rule in the state that the events lead to. Raises AssertionError."""
    for asked in rules:
        bench = Bench(*rules)
        world = World(bench)
        for event in events:
            bench.now += 1.0
            world.hear(event)
        bench.now += 1.0
        counts.asked += 1
        if asked.name in bench.active():
            _break_each(world, asked, counts)
        else:
            _mend(world, asked, counts)


def _mend(world: World, asked: Rule, counts: Counts) -> None:
    bench = world.bench
    state = bench.engine.rules[asked.name]
    before = state.conditions
    missing = [stand for stand in before if not stand.holds]
    for stand in missing:
        assert stand.since <= bench.now
        world.flip(stand)
    if asked.when is not None:
        world.hear(_CHANGED)
    after = state.conditions
    if all(stand.holds for stand in after):
        counts.begun += 1
        assert asked.name in bench.active(), f"{asked} does not begin by {missing}"
        return
    # what was named is as wanted now, or another thing that was named stands against it
    counts.crossed += 1
    turned = [a for b, a in zip(before, after, strict=True) if a.holds is not b.holds]
    assert turned or len(missing) > 1, f"{asked}: {missing} cannot be made otherwise"
    assert asked.name not in bench.active()


def _break_each(world: World, asked: Rule, counts: Counts) -> None:
    state = world.bench.engine.rules[asked.name]
    for i in range(len(asked.conditions)):
        if asked.name not in world.bench.active():
            return
        world.flip(state.conditions[i])
        assert asked.name not in world.bench.active(), f"{asked} goes on without {i}"
        counts.ended += 1
        world.flip(state.conditions[i])
        if asked.when is not None:
            world.hear(_CHANGED)


def tried(seeds: range) -> Counts:
    """Ask in the state of each seed."""
    counts = Counts()
    for seed in seeds:
        try:
            ask(*drawn(Random(seed)), counts)
        except AssertionError as wrong:
            raise AssertionError(f"--seed {seed}: {wrong}") from None
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    print(tried(range(options.seed, options.seed + options.sets)), end="")
    print(f" ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
