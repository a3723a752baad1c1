"""The live feed: numbered, told by what has changed, and taken up again where it broke off."""

import asyncio
import json
from typing import Any

import pytest

from sipstrobe.commands import SetManualTrigger, StartOperation
from sipstrobe.context import Context
from sipstrobe.events import Function, SignInFailed
from sipstrobe.web.changes import Changes
from sipstrobe.web.exchange import HttpProblem, Request
from sipstrobe.web.live import AFTER, CHANGE_SPACING, GATHERING, HISTORY_MAX, TICK, Listener, Live
from tests.support.clock import FakeClock
from tests.support.web import Device


class Feed:
    """A live feed whose state is what a test says."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.device = Device.make(self.context)
        self.state: dict[str, object] = {"calls": [], "ports": [1, 2], "rules": []}
        self.live = Live(self.context, self.device.views(), lambda: dict(self.state))

    def happens(self) -> None:
        """Two events: a manual trigger is set, and is not."""
        for active in (True, False):
            with self.context.trace.input("test", "somebody", self.clock.now()):
                command = SetManualTrigger(trigger=1, active=active)
                self.context.dispatcher.execute(command)

    def ticks(self, number: int = 2) -> None:
        self.clock.advance(number * TICK + 0.001)


@pytest.fixture
async def feed() -> Feed:
    return Feed()


async def heard(listener: Listener) -> list[dict[str, Any]]:
    """All that waits for this listener."""
    told: list[dict[str, Any]] = []
    while True:
        try:
            async with asyncio.timeout(0):
                told.append(json.loads(await anext(listener)))
        except TimeoutError:
            return told


def of(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message for message in messages if message["type"] == kind]


async def test_the_first_state_is_whole_and_later_ones_have_what_has_changed(feed: Feed) -> None:
    listener = feed.live.listen()
    first = await heard(listener)
    feed.state["calls"] = ["in-1"]
    feed.happens()
    feed.ticks()
    later = await heard(listener)

    assert [message["type"] for message in first[:3]] == ["hello", "state", "events"]
    assert first[0]["resumed"] is False
    assert first[1]["whole"] is True
    assert first[1]["state"] == {"calls": [], "ports": [1, 2], "rules": []}
    [state] = of("state", later)
    assert (state["whole"], state["state"]) == (False, {"calls": ["in-1"]})


async def test_what_happens_is_told_at_once_and_what_follows_soon_after(feed: Feed) -> None:
    """Nobody waits for the next regular look; a storm is told no more often than is worth it."""
    listener = feed.live.listen()
    feed.clock.advance(1.37)
    await heard(listener)

    feed.state["calls"] = ["in-1"]
    feed.happens()
    feed.clock.advance(GATHERING)
    first = await heard(listener)
    feed.state["calls"] = []
    feed.happens()
    feed.clock.advance(GATHERING)
    too_soon = await heard(listener)
    feed.clock.advance(CHANGE_SPACING - GATHERING)
    second = await heard(listener)

    assert [state["state"] for state in of("state", first)] == [{"calls": ["in-1"]}]
    assert len(of("events", first)[0]["events"]) == 2
    assert of("state", too_soon) == of("events", too_soon) == []
    assert [state["state"] for state in of("state", second)] == [{"calls": []}]
    assert len(of("events", second)[0]["events"]) == 2


async def test_whoever_comes_later_is_told_levels_that_do_not_change(feed: Feed) -> None:
    first = feed.live.listen()
    feed.ticks()
    second = feed.live.listen()
    [before, *_] = of("levels", await heard(first))
    feed.ticks()
    [told] = of("levels", await heard(second))
    feed.ticks()

    assert (told["calls"], told["sound"]) == (before["calls"], before["sound"])
    assert of("levels", await heard(second)) == []


async def test_numbers_never_fall_and_every_message_has_one(feed: Feed) -> None:
    listener = feed.live.listen()
    for _ in range(3):
        feed.happens()
        feed.ticks()

    numbers = [message["seq"] for message in await heard(listener)]

    assert len(numbers) > 8
    assert numbers == sorted(numbers)


async def test_who_comes_again_is_told_what_he_has_missed_and_nothing_else(feed: Feed) -> None:
    listener = feed.live.listen()
    feed.happens()
    feed.ticks()
    before = await heard(listener)
    listener.close()
    feed.state["ports"] = [3]
    feed.happens()
    feed.ticks()

    again = await heard(feed.live.listen(before[-1]["seq"]))

    assert again[0]["resumed"] is True
    [state], [events] = of("state", again), of("events", again)
    assert (state["whole"], state["state"]) == (False, {"ports": [3]})
    known = {e["chain"][0]["serial"] for m in of("events", before) for e in m["events"]}
    missed = [e["chain"][0]["serial"] for e in events["events"]]
    assert len(missed) == 2
    assert known.isdisjoint(missed)


async def test_whose_connection_breaks_at_any_message_misses_nothing(feed: Feed) -> None:
    """What a message's number stands for was told with it, or before it."""
    listener = feed.live.listen()
    for step in range(3):
        feed.state["calls"] = [f"in-{step}"]
        feed.clock.advance(TICK / 2)
        with feed.context.trace.input("test", "somebody", feed.clock.now()):
            color = ("red", "green", "blue")[step]
            light = StartOperation(
                function=Function.SIGNALING_LED,
                pattern="Steady",
                colors=(color,),
                priority=step + 1,
            )
            feed.context.dispatcher.execute(light)  # its frame is told before its event
        feed.ticks(1)
    messages = await heard(listener)
    everything = [e["chain"][0]["serial"] for m in of("events", messages) for e in m["events"]]
    listener.close()
    assert {"frame", "events", "state"} <= {message["type"] for message in messages[5:]}

    for broken in range(len(messages)):
        again = feed.live.listen(messages[broken]["seq"])
        got = messages[: broken + 1] + await heard(again)
        again.close()
        assert got[broken + 1]["resumed"] is (broken >= 2), (
            "the first events complete what is known"
        )
        state: dict[str, Any] = {}
        for message in of("state", got):
            state = message["state"] if message["whole"] else state | message["state"]
        told = [e["chain"][0]["serial"] for m in of("events", got) for e in m["events"]]
        assert state == feed.state
        assert set(told) == set(everything)


@pytest.mark.parametrize("after", [0, 5, 2**53 - 1])
async def test_a_number_that_is_not_of_this_run_gives_everything_anew(
    feed: Feed, after: int
) -> None:
    feed.happens()

    told = await heard(feed.live.listen(after))

    assert (told[0]["resumed"], told[1]["whole"]) == (False, True)
    assert len(of("events", told)[0]["events"]) == 2


async def test_too_much_that_was_missed_gives_everything_anew(feed: Feed) -> None:
    listener = feed.live.listen()
    seq = (await heard(listener))[-1]["seq"]
    listener.close()
    for _ in range(HISTORY_MAX // 2 + 1):
        feed.happens()

    told = await heard(feed.live.listen(seq))

    assert told[0]["resumed"] is False
    assert len(of("events", told)[0]["events"]) == HISTORY_MAX


@pytest.mark.parametrize("after", ["-1", "x", str(2**53), "1" * 400])
def test_what_is_no_number_is_refused(after: str) -> None:
    request = Request(method="GET", path="/", target=f"/?after={after}")

    with pytest.raises(HttpProblem) as refused:
        AFTER.of(request)

    assert (refused.value.status, refused.value.more) == (400, {"field": "after"})


def test_a_member_is_told_once_for_each_change_of_it() -> None:
    changes = Changes()
    changes.look({"a": 1, "b": "é"}, 1)
    changes.look({"a": 2, "b": "é"}, 2)
    changes.look({"a": 2, "b": "é"}, 3)

    assert json.loads(changes.since(0)) == {"a": 2, "b": "é"}
    assert json.loads(changes.since(1)) == {"a": 2}
    assert changes.since(2) == "{}"


async def test_what_was_no_utf8_is_told_like_any_other(feed: Feed) -> None:
    """One such event would end every feed, and keep all others from beginning."""
    with feed.context.trace.input("test", "half \udcff", feed.clock.now()):
        feed.context.bus.publish(SignInFailed(address="192.0.2.7", name="\udcfe", attempts=1))
    listener = feed.live.listen()

    [said] = of("events", await heard(listener))
    [event, cause] = said["events"][0]["chain"]
    assert event["items"]["name"] == r"\udcfe"
    assert cause["items"]["words"] == r"half \udcff"
