"""A part that fails is started again, sooner or later, and everybody is told."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.services.supervise import HEALTHY, LONGEST_DELAY, supervise
from sipstrobe.trace import Input
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until


class Part:
    """Runs until a test lets it fail or end."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.runs = 0
        self.told: list[ServiceStateChanged] = []
        self.causes: list[object] = []
        self.context.bus.subscribe(ServiceStateChanged, self._note)
        self._outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.ensure_future(supervise(self.context, "part", self._run))

    async def end(self, error: Exception | None = None) -> None:
        """Let the present run fail, or end."""
        if error is None:
            self._outcome.set_result(None)
        else:
            self._outcome.set_exception(error)
        await turns(5)

    async def _run(self, works: Callable[[], None]) -> None:
        self.runs += 1
        self._outcome = asyncio.get_running_loop().create_future()
        works()
        await self._outcome

    def _note(self, event: ServiceStateChanged) -> None:
        self.told.append(event)
        cause = self.context.trace.current
        assert cause is not None
        self.causes.append(cause.root.what)


@pytest.fixture
async def part() -> AsyncIterator[Part]:
    part = Part()
    await until(lambda: part.runs == 1)
    yield part
    part.task.cancel()
    await asyncio.gather(part.task, return_exceptions=True)


async def test_a_part_that_works_says_so_and_may_end(part: Part) -> None:
    await part.end()

    assert part.task.done()
    assert part.told == [ServiceStateChanged(service="part", working=True, problem="")]
    assert part.causes == [Input("service", "part")]


async def test_a_failure_is_told_and_the_part_starts_again(part: Part) -> None:
    await part.end(OSError("the cable is out"))

    assert part.told[-1] == ServiceStateChanged(
        service="part", working=False, problem="the cable is out"
    )
    part.clock.leap(0.1)
    await until(lambda: part.runs == 2)
    assert part.told[-1].working


async def test_each_attempt_waits_twice_as_long_up_to_a_limit(part: Part) -> None:
    for delay in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, LONGEST_DELAY, LONGEST_DELAY):
        runs = part.runs
        await part.end(OSError("still broken"))
        if delay > 1.0:  # of which a machine that is held up uses up little
            part.clock.leap(0.5 * delay)
            await turns()
            assert part.runs == runs
        part.clock.leap(delay)
        await until(lambda runs=runs: part.runs == runs + 1)


async def test_a_failure_after_a_healthy_minute_is_a_new_story(part: Part) -> None:
    for _ in range(5):
        runs = part.runs
        await part.end(OSError("broken"))
        part.clock.leap(LONGEST_DELAY)
        await until(lambda runs=runs: part.runs == runs + 1)
    part.clock.leap(HEALTHY + 1)
    await turns()

    await part.end(OSError("broken again"))
    part.clock.leap(0.1)
    await until(lambda: part.runs == 7)


async def test_only_what_nobody_expected_is_logged_with_its_traceback(
    part: Part, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await part.end(OSError("port 8080 is taken"))
        part.clock.leap(1)
        await until(lambda: part.runs == 2)
        await part.end(ZeroDivisionError())

    known, unknown = caplog.records
    assert known.getMessage() == "part: port 8080 is taken; again in 0.1 s"
    assert not known.exc_info
    assert unknown.exc_info
    assert part.told[-1].problem == "ZeroDivisionError"


async def test_cancelling_ends_it_in_the_middle_of_a_run_or_of_a_wait(part: Part) -> None:
    part.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await part.task

    other = Part()
    await until(lambda: other.runs == 1)
    await other.end(OSError("broken"))
    other.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other.task
    assert other.runs == 1
