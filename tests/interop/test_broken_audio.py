"""Faults of sound, made on purpose over the network, and the verdict that each of them gets."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from sipstrobe.services.verdicts import LASTING, SHARE
from tests.interop.device import TRUSTING, Device, device
from tests.support.faulty_phone import FAULTS, FaultyPhone

pytestmark = pytest.mark.interop

LIMIT = 60.0  # seconds until all verdicts must be right at once; usually it takes seven
APART = 0.05  # seconds from one call to the next
ACCOUNT = {"default": True, "transport": "tls", "media_encryption": "best_effort"}


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    settings = (*TRUSTING, "--set", f"/sip/accounts={json.dumps([ACCOUNT])}")
    with device(tmp_path_factory.mktemp("lone"), *settings, sound="null") as running:
        yield running


async def test_every_fault_gets_its_verdict(lone: Device, figures: dict[str, str]) -> None:
    """All at once, live; and the record of each call says the same when it is over."""
    phones = [FaultyPhone(lone.port) for _ in FAULTS]
    async with asyncio.TaskGroup() as group:
        stories = [
            group.create_task(_after(n * APART, fault.story(phone)))
            for n, (fault, phone) in enumerate(zip(FAULTS, phones, strict=True))
        ]
        wanted = {phone.name: fault.verdict for fault, phone in zip(FAULTS, phones, strict=True)}
        found = await _verdicts(lone, wanted)
        for story in stories:
            story.cancel()
    for phone in phones:
        await phone.hang_up()
        phone.close()

    recorded = {call["remote_uri"].split("@")[0][4:]: call for call in await _history(lone)}
    for fault, phone in zip(FAULTS, phones, strict=True):
        verdict, record = found[phone.name], recorded[phone.name]
        mark = "" if verdict == record["verdict"] == fault.verdict else f" EXPECTED {fault.verdict}"
        figures[f"verdict: {fault.words}"] = f"{verdict}, then {record['verdict']}{mark}"
    assert found == wanted
    assert {name: recorded[name]["verdict"] for name in wanted} == wanted
    good = recorded[phones[0].name]
    poor = next(
        recorded[p.name] for f, p in zip(FAULTS, phones, strict=True) if f.verdict == "poor"
    )
    assert good["mos"] > poor["mos"] + 0.5
    assert poor["mos"] < 3.0


async def _after(seconds: float, story: Coroutine[Any, Any, None]) -> None:
    await asyncio.sleep(seconds)
    await story


async def _verdicts(lone: Device, wanted: dict[str, str]) -> dict[str, str]:
    """What is said of each caller, when it is right of all of them, and has been for long enough to
    be that of the whole call, or the time is up."""
    found: dict[str, str] = {}
    lasting = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIMIT):
            while found != wanted or not lasting:
                await asyncio.sleep(0.5)
                calls: list[dict[str, Any]] = await asyncio.to_thread(lambda: lone.calls)
                judged = [call for call in calls if call["audio"]]
                found = {
                    call["remote_uri"].split("@")[0][4:]: call["audio"]["verdict"]
                    for call in judged
                }
                lasting = all(_has_lasted(call["audio"]) for call in judged)
    return found


def _has_lasted(audio: dict[str, Any]) -> bool:
    """A second longer than it needs, which passes until all have hung up."""
    seconds: dict[str, float] = audio["seconds"]
    needed = max(LASTING, SHARE * (sum(seconds.values()) + 1.0))
    return seconds.get(audio["verdict"], 0.0) >= needed + 1.0


async def _history(lone: Device) -> list[dict[str, Any]]:
    await asyncio.to_thread(lone.wait_idle)
    answer = await asyncio.to_thread(lone.api, "GET", f"history/calls?limit={len(FAULTS)}")
    return answer["calls"]
