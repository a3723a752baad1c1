"""How fast an input becomes light: over HTTP as a camera does it, and without the network.

python -m benchmarks.inputs [--load]

The first figures are of a real device and one keep-alive connection: from the first byte of the
request to the frame in the light's log, whose instants are of the same clock. `--load` keeps every
core busy meanwhile.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.clock import LoopClock
from sipstrobe.commands import OperationId, SetVirtualInput, StartProfile, StopOperations
from sipstrobe.config.files import Memory
from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.ports.settings import Port, PortsSettings
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import MAX_RULES, Condition, Rule
from sipstrobe.services.automation import Automation
from sipstrobe.services.ports import Ports
from sipstrobe.services.properties import Properties
from tests.interop.device import Device, device

TIMES = 300
CONDITIONS = 10
PATH = "/axis-cgi/virtualinput/"
QUERY = "?schemaversion=1&port=1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", action="store_true")
    load = parser.parse_args().load
    logging.disable()
    hogs = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    for hog in hogs if load else ():
        hog.start()
    print(f"{'what':<66}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            light, answered = asyncio.run(_over_http(Path(folder)))
        _row("activate.cgi over keep-alive, Digest: request to light frame", light)
        _row("… and to the answer", answered)
        _row(f"order to decision among {MAX_RULES} rules x {CONDITIONS} conditions", _decided())
    finally:
        for hog in hogs if load else ():
            hog.terminate()


def _row(words: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100, method="inclusive")
    figures = (cuts[49], cuts[98], max(seconds))
    print(f"{words:<66}" + "".join(f"{1000 * figure:>9.3f}" for figure in figures))


def _burn() -> None:
    while True:
        pass


async def _over_http(folder: Path) -> tuple[list[float], list[float]]:
    """Seconds from each activation to the light, and to its answer."""
    rule = {
        "name": "Camera",
        "conditions": [{"event": "input/virtual", "match": {"input": "1", "active": "true"}}],
        "action": {"do": "run_profile", "profile": "Warning"},
    }
    with device(folder, "--set", f"/rules={json.dumps([rule])}", sound="null") as running:
        sent: list[float] = []
        answered: list[float] = []
        digest = DigestAuthMiddleware("admin", running.password)
        async with ClientSession(
            f"http://127.0.0.1:{running.http}", middlewares=(digest,)
        ) as session:
            await _get(session, "deactivate")
            for _ in range(TIMES):
                sent.append(time.monotonic())
                await _get(session, "activate")
                answered.append(time.monotonic() - sent[-1])
                await _get(session, "deactivate")
        lit = _lit(running)
    assert len(lit) == TIMES, f"{len(lit)} lights for {TIMES} activations"
    return [at - begun for begun, at in zip(sent, lit, strict=True)], answered


async def _get(session: ClientSession, name: str) -> None:
    async with session.get(PATH + name + ".cgi" + QUERY) as response:
        said = await response.text()
        assert response.status == 200, said


def _lit(running: Device) -> list[float]:
    """The instants at which the light of each activation was first shown."""
    found: list[float] = []
    profile = ""
    for frame in running.frames:
        if frame["function"] == "SignalingLED":
            if frame["profile"] and not profile:
                found.append(frame["at"])
            profile = frame["profile"]
    return found


def _decided() -> list[float]:
    """Seconds from an order to the command of the one rule that it concerns."""
    return asyncio.run(_decide())


async def _decide() -> list[float]:
    context = Context(LoopClock(asyncio.get_running_loop()))
    begun = 0.0
    taken: list[float] = []

    def start(_: StartProfile) -> Any:
        taken.append(time.perf_counter() - begun)
        return (OperationId(Function.SIGNALING_LED, 1),)

    context.dispatcher.serve(StartProfile, start)
    context.dispatcher.serve(StopOperations, lambda _: None)
    Properties(context)
    ports = Ports(context, Memory())
    ports.apply(PortsSettings(port_1=Port(), port_2=Port()))
    Automation(context).apply([_rule(i) for i in range(MAX_RULES)])
    for turn in range(10 * TIMES):
        number = turn % 64 + 1
        begun = time.perf_counter()
        context.dispatcher.execute(SetVirtualInput(input=number, active=True))
        context.dispatcher.execute(SetVirtualInput(input=number, active=False))
    await ports.aclose()
    return taken


def _rule(i: int) -> Rule:
    """One of its ten conditions is about an input, 64 rules have one of their own."""
    wanted = Condition(event="input/virtual", match={"input": str(i + 1), "active": "true"})
    others = [
        Condition(
            event="call/state", match={"state": "active", "extension": f"{i}-{n}"}, invert=True
        )
        for n in range(CONDITIONS - 1)
    ]
    return Rule(name=f"R{i}", conditions=(wanted, *others), action=RunProfile(profile="P"))


if __name__ == "__main__":
    main()
