"""Who is refused and who is slowed down, as the rest of the device sees it."""

import logging
import re

import pytest
from msgspec.structs import replace

from sipstrobe.events import CallState, CallStateChanged, FloodNoticed
from sipstrobe.services.seldom import INTERVAL, Seldom
from sipstrobe.sip.settings import AccessSettings
from tests.services.conftest import Street
from tests.services.phones import settings
from tests.support.clock import FakeClock
from tests.support.waiting import until


async def test_a_blocked_call_is_told_and_neither_sounds_nor_lights(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    """ACL-04: the pulse that rules and people see, and no state that anything could follow from."""
    caplog.set_level(logging.INFO)
    blocked = AccessSettings(enabled=True, policy="block", entries=("sip:peer@*",))
    device, peer = await street.device(settings(access=blocked)), street.peer()

    for _ in range(3):
        peer.tag = ""
        peer.invite(device)
        await peer.told(403)
        peer.request("ACK")

    assert device.story == ["terminated denied"] * 3
    pulse = device.told(CallStateChanged)[0]
    assert (pulse.extension, pulse.remote_uri) == ("1001", "sip:peer@127.0.0.1")
    assert device.told(CallState) == []
    assert device.sources == {}
    assert len(re.findall("sip:peer@127.0.0.1.* is refused by the access list", caplog.text)) == 1


async def test_a_change_of_the_list_is_in_effect_at_once(street: Street) -> None:
    device, peer = await street.device(), street.peer()

    allowed = AccessSettings(enabled=True, policy="allow", entries=("192.0.2.0/24",))
    device.phone.apply(replace(device.phone.settings, access=allowed))
    peer.invite(device)

    await peer.told(403)
    peer.request("ACK")


async def test_a_flood_is_dropped_and_told_once(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    """A stranger may ask a hundred times at once; the rest costs us next to nothing."""
    device, peer = await street.device(), street.peer()
    peer.to = ("127.0.0.1", device.port)

    for _ in range(400):
        peer.request("OPTIONS")
    await until(lambda: bool(device.told(FloodNoticed)))
    answered = 0
    while not peer.silent():
        await peer.told(200)
        answered += 1

    [flood] = device.told(FloodNoticed)
    assert (flood.address, flood.kind) == ("127.0.0.1", "requests")
    assert 50 <= answered <= 110
    assert caplog.text.count("too many requests from 127.0.0.1") == 1
    assert "sip_dropped" in "\n".join(device.context.measures.prometheus())


def test_lines_that_others_could_make_us_write_are_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    seldom = Seldom(logging.getLogger("test"), clock)

    for n in range(5):
        seldom.say("refused %s", n)
    clock.advance(INTERVAL)
    seldom.say("refused %s", 5)

    assert [record.message for record in caplog.records] == [
        "refused 0",
        "refused 5 (4 of the kind were left out before)",
    ]
