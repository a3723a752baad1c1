"""Stories of phones: everybody in one street, and nothing may be left in the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.sip.settings import SipSettings
from tests.services.phones import Device, Peer, open_sockets, settings
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

ALL_TIMERS = 70.0  # seconds after which no transaction waits for anything (64*T1 and more)


class Street:
    """Everybody in a story, on one clock that can leap."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.devices: list[Device] = []
        self.peers: list[Peer] = []

    async def device(self, wanted: SipSettings | None = None, folder: Path | None = None) -> Device:
        device = Device(self.clock, wanted or settings(), folder)
        self.devices.append(device)
        await device.phone.transports.ready()
        return device

    def peer(self) -> Peer:
        self.peers.append(Peer())
        return self.peers[-1]

    async def leap(self, seconds: float) -> None:
        self.clock.leap(seconds)
        await turns()

    async def end(self) -> None:
        """Hang up; then nothing may be left of any call."""
        running = [device for device in self.devices if not device.closed]
        for device in running:
            device.hang_up()
        await until(lambda: not any(device.states for device in running))
        await turns()
        for _ in range(3):  # a last word may have to be repeated until it is given up
            await self.leap(ALL_TIMERS)
        assert [device.idle for device in running] == [True] * len(running)
        for device in running:
            await device.close()
        for peer in self.peers:
            peer.close()


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    before = open_sockets()
    street = Street()
    yield street
    await street.end()
    await until(lambda: open_sockets() == before)  # every one is closed in the end
