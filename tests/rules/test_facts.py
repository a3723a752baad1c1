"""Which watches an input touches, and no other: what it costs does not grow with what is past."""

from sipstrobe.events import Event
from sipstrobe.rules.facts import Came, Changes, Facts, Source
from sipstrobe.rules.text import texts_of
from tests.rules.bench import call, digit, on

MADE = Came("settings", {}, 0.0, None)


def came(event: Event) -> Came:
    return Came(event.outside.topic, texts_of(event), 0.0, None)


def hear(facts: Facts[str], event: Event) -> Changes[str]:
    items = texts_of(event)
    source: Source = tuple(items[name] for name in event.outside.source)
    return facts.set(source, came(event))


def test_rules_that_want_the_same_share_a_watch() -> None:
    """In whatever order they write it."""
    facts: Facts[str] = Facts()
    [first] = facts.watch([on("call/state", state="active", extension="1001")], MADE)

    again, other = facts.watch(
        [
            on("call/state", extension="1001", state="active"),
            on("call/state", extension="1002", state="active"),
        ],
        MADE,
    )

    assert again is first
    assert other is not first


def test_what_nobody_watches_any_more_is_touched_by_nothing() -> None:
    """Neither by what happens, nor by what holds, nor by what rests."""
    facts: Facts[str] = Facts()
    watches = facts.watch(
        [
            on("call/digit", digit="1"),
            on("call/state", state="active"),
            on("call/state", state="idle"),
        ],
        MADE,
    )
    hear(facts, call("active", "c1"))

    for watch in watches:
        facts.release(watch)

    assert not facts.pulse(came(digit("1")))
    assert not hear(facts, call("active", "c2"))
    assert not hear(facts, call("idle", "c1"))
    assert not hear(facts, call("idle", "c2"))
