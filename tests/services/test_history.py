"""The history of calls, from the bus to the file and back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.context import Context
from sipstrobe.events import (
    CallReason,
    CallStateChanged,
    CallStatus,
    Direction,
    ServiceStateChanged,
)
from sipstrobe.services.call_log import read_calls
from sipstrobe.services.calls import CallSnapshot
from sipstrobe.services.history import DELAY, History
from tests.support.clock import FakeClock
from tests.support.waiting import until


class Desk:
    """A history on a clock played by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.states: list[ServiceStateChanged] = []
        self.context.bus.subscribe(ServiceStateChanged, self.states.append)
        self.history = History(self.context, folder)

    def tell(
        self, before: CallStatus, state: CallStatus, reason: CallReason, call: str = "in-1"
    ) -> None:
        self.context.bus.publish(
            CallStateChanged(
                call=call,
                direction=Direction.INCOMING,
                account="desk",
                local_uri="sip:1001@192.0.2.1",
                remote_uri="sip:bob@192.0.2.9",
                extension="1001",
                before=before,
                state=state,
                reason=reason,
            )
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    await desk.history.aclose()


def snapshot(call: str = "in-1") -> CallSnapshot:
    return CallSnapshot(
        id=call,
        direction=Direction.INCOMING,
        account="desk",
        local_uri="sip:1001@192.0.2.1",
        remote_uri="sip:bob@192.0.2.9",
        extension="1001",
        state=CallStatus.ACTIVE,
        since=0.0,
        transport="TLS",
        codec="PCMA",
        level_db=-20.0,
        packets_received=0,
        packets_lost=0,
        jitter_ms=0.0,
        audio=None,
    )


async def test_each_call_is_found_again_with_what_became_of_it(desk: Desk) -> None:
    """GAP-24."""
    desk.tell(CallStatus.IDLE, CallStatus.RINGING, CallReason.INITIATED)
    desk.clock.advance(2.0)
    desk.tell(CallStatus.RINGING, CallStatus.ACTIVE, CallReason.ACCEPTED_BY_DEVICE)
    desk.clock.advance(10.0)
    desk.history.conclude(snapshot(), "the other side has hung up")
    desk.tell(CallStatus.ACTIVE, CallStatus.TERMINATED, CallReason.TERMINATED)

    [record] = await desk.history.calls()

    assert record.answered is not None
    assert record.ended is not None
    assert record.answered - record.started == pytest.approx(2.0)
    assert record.ended - record.started == pytest.approx(12.0)
    assert (record.call, record.direction, record.account) == ("in-1", "incoming", "desk")
    assert (record.remote_uri, record.extension) == ("sip:bob@192.0.2.9", "1001")
    assert (record.reason, record.words) == ("terminated", "the other side has hung up")
    assert (record.transport, record.codec, record.verdict) == ("TLS", "PCMA", None)


async def test_a_refused_call_is_taken_down_as_well(desk: Desk) -> None:
    """The phone concludes a call before it tells that it is over."""
    desk.history.conclude(snapshot(), "refused by the access list")
    desk.tell(CallStatus.IDLE, CallStatus.TERMINATED, CallReason.DENIED)

    [record] = await desk.history.calls()

    assert (record.answered, record.reason) == (None, "denied")
    assert (record.words, record.transport) == ("refused by the access list", "TLS")
    assert record.ended == record.started


async def test_what_happens_is_written_a_moment_later_without_being_asked_for(
    desk: Desk, tmp_path: Path
) -> None:
    """So that a device which is killed has not forgotten whom it was talking to."""
    desk.tell(CallStatus.IDLE, CallStatus.ACTIVE, CallReason.ACCEPTED_BY_DEVICE)
    desk.clock.advance(DELAY)

    await until(lambda: [record.call for record in read_calls(tmp_path, 9)] == ["in-1"])


async def test_a_read_has_a_bound(desk: Desk) -> None:
    for n in range(5):
        desk.tell(CallStatus.IDLE, CallStatus.TERMINATED, CallReason.BUSY, f"in-{n}")

    newest = await desk.history.calls(2)
    older = await desk.history.calls(10**9, before=newest[-1].id)

    assert [r.call for r in newest + older] == ["in-4", "in-3", "in-2", "in-1", "in-0"]
    assert await desk.history.calls(-1) == []


async def test_a_history_that_cannot_be_kept_is_told_and_kept_again(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    desk = Desk(folder)
    await until(lambda: [state.working for state in desk.states] == [False])
    with pytest.raises(OSError, match="gone"):
        await desk.history.calls()

    folder.mkdir()
    desk.tell(CallStatus.IDLE, CallStatus.TERMINATED, CallReason.BUSY)
    desk.clock.advance(DELAY)

    await until(lambda: [state.working for state in desk.states] == [False, True])
    assert len(await desk.history.calls()) == 1
    await desk.history.aclose()


async def test_a_history_that_is_closed_has_nothing_more_to_do(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tell(CallStatus.IDLE, CallStatus.TERMINATED, CallReason.BUSY)

    await desk.history.aclose()
    desk.clock.advance(DELAY)

    assert desk.clock.waiting == 0
    assert [record.call for record in read_calls(tmp_path, 9)] == ["in-1"]
