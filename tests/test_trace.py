"""Every effect has a cause, also where it takes several turns of the loop."""

import asyncio

import pytest

from sipstrobe.trace import Cause, Trace


async def test_what_takes_several_turns_has_its_cause_in_each_and_others_have_not() -> None:
    trace, seen = Trace(), list[Cause | None]()

    async def work() -> str:
        seen.append(trace.current)
        await asyncio.sleep(0)
        seen.append(trace.current)
        with pytest.raises(ZeroDivisionError):
            await failing
        seen.append(trace.current)
        return "done"

    failing = asyncio.get_running_loop().create_future()
    with trace.input("http", "POST /x", 12.5) as cause:
        pass

    async def followed() -> object:
        return await trace.follow(cause, work())

    task = asyncio.create_task(followed())
    for _ in range(2):
        await asyncio.sleep(0)
        assert trace.current is None
    failing.set_exception(ZeroDivisionError())

    assert await task == "done"
    assert seen == [cause] * 3


async def test_what_is_given_up_ends_under_its_cause() -> None:
    trace, seen = Trace(), list[Cause | None]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(trace.current)

    with trace.input("http", "POST /x", 12.5) as cause:
        pass

    async def followed() -> object:
        return await trace.follow(cause, work())

    task = asyncio.create_task(followed())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [cause]
    assert trace.current is None
