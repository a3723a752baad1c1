"""What the tests of the web door share: a device that is served on a free port."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.lightsiren.settings import Duration, LightPart, Profile, SirenPart
from sipstrobe.web.server import WebServer
from tests.support.web import CHEAP, Device

PROFILES = (
    Profile(
        name="Evacuate",
        description="Everybody out",
        light=LightPart(pattern="Flash 3x", colors=("red",), intensity=5, priority=9),
        siren=SirenPart(pattern="Alarm: Horror", intensity=5, priority=9),
    ),
    Profile(
        name="Door",
        light=LightPart(
            pattern="Rotate", colors=("white",), priority=3, duration=Duration(value=60)
        ),
    ),
)


@pytest.fixture
async def context() -> Context:
    return Context(LoopClock(asyncio.get_running_loop()))


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context, in_background=True, profiles=PROFILES)


@pytest.fixture
async def server(device: Device) -> AsyncIterator[WebServer]:
    """For those that ask without a network in between."""
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    yield server
    await server.aclose()


@pytest.fixture
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url
