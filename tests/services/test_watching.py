"""A phone whose lamp shows an extension of the device, and texts that people send to it."""

import asyncio
import re

import pytest

from sipstrobe.events import Function, MessageReceived, OperationChanged, OperationPhase
from sipstrobe.rules.extensions import Extension
from sipstrobe.sip.message import Request
from tests.services.conftest import Street
from tests.services.phones import Device, Peer, settings

ALARM = Extension(number="1001", role="alert", profile="Evacuate")
PACE = 1.1  # seconds after which the next change is told at once


class Lamp:
    """A peer that watches extension 1001."""

    def __init__(self, peer: Peer, device: Device) -> None:
        self.peer = peer
        peer.to = ("127.0.0.1", device.port)

    async def watch(self) -> list[tuple[str, str]]:
        self.peer.request("SUBSCRIBE", "Event: dialog", "Expires: 60")
        await self.peer.told(200)
        return await self.shows()

    async def shows(self) -> list[tuple[str, str]]:
        """What it is told next: ids and states."""
        text = (await self.told()).body.decode()
        return re.findall(r'<dialog id="([^"]+)".*?<state>(\w+)</state>', text)

    async def told(self) -> Request:
        notify = await self.peer.asked("NOTIFY")
        self.peer.respond(notify, 200)
        return notify


def operation(phase: OperationPhase, profile: str = "Evacuate") -> OperationChanged:
    return OperationChanged(
        function=Function.SIGNALING_LED,
        operation=1,
        phase=phase,
        pattern="Steady",
        priority=9,
        profile=profile,
    )


async def desk(street: Street, *, auto: bool = True) -> tuple[Device, Lamp]:
    device = await street.device(settings(auto=auto))
    return device, Lamp(street.peer(), device)


async def test_the_lamp_follows_a_call_to_the_extension(street: Street) -> None:
    device, lamp = await desk(street, auto=False)
    assert await lamp.watch() == []
    caller = street.peer()

    await street.leap(PACE)
    caller.invite(device)
    assert await lamp.shows() == [("in-1", "early")]
    await street.leap(PACE)
    device.answer()
    assert await lamp.shows() == [("in-1", "confirmed")]
    await street.leap(PACE)
    await caller.told(180)
    await caller.told(200)
    caller.request("ACK")
    caller.request("BYE")
    assert await lamp.shows() == [("in-1", "terminated")]


async def test_the_lamp_shows_what_goes_on_already(street: Street) -> None:
    device, lamp = await desk(street)
    caller = street.peer()
    caller.invite(device)
    await caller.told(200)
    caller.request("ACK")

    assert await lamp.watch() == [("in-1", "confirmed")]


async def test_a_call_to_another_extension_does_not_light_it(street: Street) -> None:
    device, lamp = await desk(street)
    await lamp.watch()
    await street.leap(PACE)
    caller = street.peer()
    caller.invite(device, user="1002")
    await caller.told(200)
    caller.request("ACK")
    await street.leap(PACE)

    assert lamp.peer.silent()


async def test_the_lamp_shows_a_call_that_the_account_of_this_name_makes(street: Street) -> None:
    """Who watches the device under its own name sees whom it calls."""
    device, lamp = await desk(street)
    lamp.peer.calls = "sipstrobe"
    await lamp.watch()
    await street.leap(PACE)
    other = street.peer()

    device.dial(other)
    assert await lamp.shows() == [("out-1", "trying")]
    await street.leap(PACE)
    other.respond(await other.asked("INVITE"), 200, body=other.sdp())
    await other.asked("ACK")

    assert await lamp.shows() == [("out-1", "confirmed")]


async def test_the_lamp_shows_the_alarm_whoever_started_it(street: Street) -> None:
    device, lamp = await desk(street)
    device.phone.apply_extensions([ALARM])
    await lamp.watch()

    for phase, wanted in [
        (OperationPhase.HIDDEN, [("alarm", "confirmed")]),
        (OperationPhase.ENDED, [("alarm", "terminated")]),
    ]:
        await street.leap(PACE)
        with device.context.trace.input("test", "an operation", street.clock.now()):
            device.context.bus.publish(operation(phase))
        assert await lamp.shows() == wanted


async def test_an_alarm_of_another_profile_does_not_light_it(street: Street) -> None:
    device, lamp = await desk(street)
    device.phone.apply_extensions([ALARM])
    await lamp.watch()
    await street.leap(PACE)

    with device.context.trace.input("test", "an operation", street.clock.now()):
        device.context.bus.publish(operation(OperationPhase.SHOWN, "Notice"))
    await street.leap(PACE)

    assert lamp.peer.silent()


async def test_a_role_that_is_given_while_its_alarm_runs_lights_the_lamp(street: Street) -> None:
    device, lamp = await desk(street)
    await lamp.watch()
    with device.context.trace.input("test", "an operation", street.clock.now()):
        device.context.bus.publish(operation(OperationPhase.SHOWN))
    await street.leap(PACE)

    device.phone.apply_extensions([ALARM])

    assert await lamp.shows() == [("alarm", "confirmed")]


@pytest.mark.parametrize("going", ["closed", "switched off"])
async def test_when_the_device_goes_the_lamp_is_told(street: Street, going: str) -> None:
    """RFC 6665 §4.1.3: it may ask again later."""
    device, lamp = await desk(street)
    await lamp.watch()

    if going == "closed":
        notify, _ = await asyncio.gather(lamp.told(), device.close())
    else:
        device.phone.apply(settings(enabled=False, port=device.port))
        notify = await lamp.told()

    state = notify.headers.first("Subscription-State")
    assert state == "terminated;reason=probation;retry-after=5"


# --- texts --------------------------------------------------------------------------------------


async def test_a_text_is_told_with_who_sent_it(street: Street) -> None:
    """RFC 3428."""
    device, peer = await street.device(), street.peer()
    peer.to = ("127.0.0.1", device.port)

    peer.request("MESSAGE", "Content-Type: text/plain", body="Feueralarm ist geübt".encode())
    await peer.told(200)

    [message] = device.told(MessageReceived)
    assert (message.text, message.remote_uri) == ("Feueralarm ist geübt", "sip:peer@127.0.0.1")
    assert message.local_uri == f"sip:1001@127.0.0.1:{device.port}"
    assert message.account == "peer-to-peer"
