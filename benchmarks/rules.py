"""What a rule decision costs: among 256 rules, at worst, and with the demonstration's rules.

python -m benchmarks.rules
"""

import logging
from collections.abc import Callable
from itertools import count, pairwise
from statistics import quantiles
from time import monotonic, thread_time

from sipstrobe.clock import Handle
from sipstrobe.commands import HangUp as HangUpCommand
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.config.demo import demo
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.events import (
    CallReason,
    CallState,
    CallStateChanged,
    CallStatus,
    Direction,
    Event,
    Function,
)
from sipstrobe.rules.actions import HangUp, RunProfile
from sipstrobe.rules.engine import Engine
from sipstrobe.rules.settings import MAX_RULES, Condition, Rule
from sipstrobe.services.automation import Automation
from sipstrobe.services.properties import Properties

CONDITIONS = 10
CALLS = 4_000
STATES = (CallStatus.RINGING, CallStatus.ACTIVE, CallStatus.IDLE)


def main() -> None:
    logging.disable()
    print(f"{'what':<60}{'p50 µs':>9}{'p99 µs':>9}")
    _row(f"event that decides 1 of {MAX_RULES} rules x {CONDITIONS} conditions", _one_of_many())
    _row(f"event that decides all {MAX_RULES} rules x {CONDITIONS} conditions", _all_at_once())
    _row("event that no rule mentions, among as many", _unrelated())
    _row("new rules while 1,000 calls are known", _apply())
    prepared, seen = _edit()
    _row("one of all these rules is edited: checked, on the loop", prepared)
    _row("… and taken up, while 1,000 calls are known", seen)
    print()
    engine, alone = _demonstration(with_rules=True), _demonstration(with_rules=False)
    print(f"a call by the demonstration's rules: {engine * 1e6:.0f} µs for its 6 events, 2 rule")
    print("  states and 2 commands over bus, properties and automation; of this, what bus and")
    print(f"  properties take without a rule: {alone * 1e6:.0f} µs")
    print(f"  at 1,000 calls/s: {100 * engine * 1000:.0f} % of one core")


def _row(words: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100, method="inclusive")
    print(f"{words:<60}{cuts[49] * 1e6:>9.1f}{cuts[98] * 1e6:>9.1f}")


def _items(name: str, state: str, extension: str) -> dict[str, str]:
    return {
        "call": name,
        "state": state,
        "direction": "incoming",
        "account": "peer-to-peer",
        "local_uri": f"sip:{extension}@192.0.2.1:5060",
        "remote_uri": "sip:alice@192.0.2.7",
        "extension": extension,
    }


def _many(own: Callable[[int], list[Condition]]) -> Engine:
    """256 rules of ten conditions, of which all but those of its own hold."""
    engine = Engine()
    rules: list[Rule] = []
    for i in range(MAX_RULES):
        conditions = own(i)
        while len(conditions) < CONDITIONS:
            match = {"state": "active", "extension": f"x{i}-{len(conditions)}"}
            conditions.append(Condition(event="call/state", match=match, invert=True))
        rules.append(
            Rule(name=f"R{i}", conditions=tuple(conditions), action=RunProfile(profile="P"))
        )
    engine.apply(rules, now=0.0)
    engine.outbox.clear()
    return engine


def _timed(engine: Engine, inputs: list[dict[str, str]]) -> list[float]:
    taken: list[float] = []
    for items in inputs:
        begun = thread_time()
        engine.property("call/state", (items["call"],), items, now=0.0)
        taken.append(thread_time() - begun)
        engine.outbox.clear()
    return taken


def _flips(extension: Callable[[int], str]) -> list[dict[str, str]]:
    return [_items("c", ("active", "ringing")[i % 2], extension(i // 2)) for i in range(4_000)]


def _one_of_many() -> list[float]:
    def own(i: int) -> list[Condition]:
        uri = f"sip:{1000 + i}@192.0.2.1"
        return [Condition(event="call/state", match={"state": "active", "local_uri": uri})]

    return _timed(_many(own), _flips(lambda i: str(1000 + i % MAX_RULES)))


def _all_at_once() -> list[float]:
    def own(i: int) -> list[Condition]:
        return [Condition(event="call/state", match={"state": "active", "extension": "1001"})]

    return _timed(_many(own), _flips(lambda i: "1001")[:400])


def _unrelated() -> list[float]:
    return _timed(_many(lambda i: []), _flips(lambda i: "nobody"))


def _apply() -> list[float]:
    engine = Engine()
    for i in range(1_000):
        name = f"c{i}"
        engine.property("call/state", (name,), _items(name, "active", str(i)), now=0.0)
    taken: list[float] = []
    for turn in range(20):
        match = {"state": "active", "extension": "1001"}
        conditions = (Condition(event="call/state", match=match),) * CONDITIONS
        rules = [
            Rule(name=f"R{i} {turn}", conditions=conditions, action=RunProfile(profile="P"))
            for i in range(MAX_RULES)
        ]
        begun = thread_time()
        engine.apply(rules, now=0.0)
        taken.append(thread_time() - begun)
        engine.outbox.clear()
    return taken


def _edit() -> tuple[list[float], list[float]]:
    """What an edit of one rule takes on the loop before and after it has been written."""
    conditions = tuple(
        Condition(event="call/state", match={"state": "active", "extension": str(1000 + i)})
        for i in range(CONDITIONS)
    )
    rules = [
        Rule(name=f"R{i}", conditions=conditions, action=HangUp()) for i in range(MAX_RULES - 1)
    ]
    store = Store.memory()
    store.change_now({"rules": [*rules, Rule(name="R", conditions=conditions, action=HangUp())]})
    context = Context(_Clock())  # pyright: ignore[reportArgumentType]
    context.dispatcher.serve(HangUpCommand, lambda _: None)
    automation = Automation(context)
    for i in range(1_000):
        context.bus.publish(*_call(f"c{i}", "1001")[:1])
    store.watch(lambda s: (s.rules, s.extensions), lambda both: automation.apply(*both))
    taken: tuple[list[float], list[float]] = [], []
    for turn in range(200):
        marks = [thread_time()]
        prepared = store.prepare_put("/rules/100/minimum_interval", 10 + turn)
        marks.append(thread_time())
        store.commit(prepared)
        marks.append(thread_time())
        for times, (begun, ended) in zip(taken, pairwise(marks), strict=True):
            times.append(ended - begun)
    return taken


class _Clock:
    """The monotonic clock, without timers."""

    now = staticmethod(monotonic)

    def wall(self) -> object:
        raise NotImplementedError

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        raise NotImplementedError


def _demonstration(*, with_rules: bool) -> float:
    """Seconds that a call takes: ringing, active and idle, each as a pulse and a property."""
    store = Store.memory()
    store.change_now(demo())
    context = Context(_Clock())  # pyright: ignore[reportArgumentType]
    ids = count(1)
    answer = (OperationId(Function.SIGNALING_LED, 1), OperationId(Function.AUDIO_SPEAKER, 1))
    context.dispatcher.serve(StartProfile, lambda _: answer)
    context.dispatcher.serve(StopOperations, lambda _: None)
    Properties(context)
    if with_rules:
        Automation(context).apply(store.current.rules)
    calls = [_call(f"c{next(ids)}", str(1001 + i % 4)) for i in range(CALLS)]
    begun = thread_time()
    for events in calls:
        for event in events:
            with context.trace.input("datagram", "INVITE", 0.0):
                context.bus.publish(event)
    return (thread_time() - begun) / CALLS


def _call(name: str, extension: str) -> list[Event]:
    events: list[Event] = []
    for state in STATES:
        common = {
            "call": name,
            "direction": Direction.INCOMING,
            "account": "peer-to-peer",
            "local_uri": f"sip:{extension}@192.0.2.1:5060",
            "remote_uri": "sip:alice@192.0.2.7",
            "extension": extension,
            "state": state,
        }
        events.append(CallState(**common))  # pyright: ignore[reportArgumentType]
        events.append(
            CallStateChanged(
                before=CallStatus.IDLE,
                reason=CallReason.INITIATED,
                **common,  # pyright: ignore[reportArgumentType]
            )
        )
    return events


if __name__ == "__main__":
    main()
