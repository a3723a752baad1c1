"""What a call to an extension with a role does, from the datagram to the order for the light."""

import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest

from sipstrobe.commands import Command, OperationId, StartProfile, StopOperations, StopProfile
from sipstrobe.events import CallState, CallStateChanged, DigitReceived, Function, PinRefused
from sipstrobe.rules.extensions import Extension
from sipstrobe.secret import Secret
from sipstrobe.services.automation import Automation
from sipstrobe.services.keypad import ENDING, PIN_LIMIT
from tests.services.conftest import Street
from tests.services.phones import Device, Peer, media_port, settings
from tests.support.waiting import turns, until

C = TypeVar("C", bound=Command)
PIN = "471128153964"  # so long that no instant and no port has it in its digits


class Post:
    """A device with extensions, and what its light and siren are told to do."""

    def __init__(self, device: Device, *extensions: Extension) -> None:
        self.device = device
        self.orders: list[str] = []
        self._serve(StartProfile, lambda order: f"start {order.profile}")
        self._serve(StopProfile, lambda order: f"stop {order.profile}")
        self._serve(StopOperations, lambda _: "end")
        Automation(device.context).apply((), extensions)
        device.phone.apply_extensions(extensions)

    def _serve(self, kind: type[C], words: Callable[[C], str]) -> None:
        def serve(order: C) -> tuple[OperationId, ...]:
            self.orders.append(words(order))
            return (OperationId(Function.SIGNALING_LED, len(self.orders)),)

        self.device.context.dispatcher.serve(kind, serve)


async def post(street: Street, *extensions: Extension, auto: bool = True) -> tuple[Post, Peer]:
    device = await street.device(settings(auto=auto))
    return Post(device, *extensions), street.peer()


async def answered(peer: Peer, device: Device, user: str = "1001") -> int:
    """The peer's call is answered; where it may speak."""
    peer.invite(device, body=peer.sdp_with_digits(), user=user)
    answer = await peer.told(200)
    peer.request("ACK")
    await turns()
    return media_port(answer.body)


# --- roles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("auto", [True, False])
async def test_a_page_is_answered_heard_and_lit_while_it_lasts(street: Street, auto: bool) -> None:
    """No ringing is heard before: the rules answer before the caller is told anything."""
    page = Extension(number="1001", role="page", profile="Notice")
    this, peer = await post(street, page, auto=auto)

    port = await answered(peer, this.device)
    assert this.orders == ["start Notice"]
    peer.speak(port)
    await until(lambda: this.device.heard)
    peer.request("BYE")
    await until(lambda: not this.device.states)

    assert this.orders == ["start Notice", "end"]
    assert this.device.story == [
        "ringing initiated",
        "active accepted_by_device",
        "terminated terminated",
    ]
    assert {event.line for event in this.device.told(CallState)} == {"1001"}


async def test_a_ring_is_never_answered_by_itself_and_lit_while_it_rings(street: Street) -> None:
    """Neither the account nor a header of the caller overrules the role."""
    ring = Extension(number="2*", role="ring", profile="Doorbell")
    this, peer = await post(street, ring)

    peer.invite(this.device, "Answer-Mode: Auto", user="2042")
    await peer.told(180)
    assert this.orders == ["start Doorbell"]
    await street.leap(30.0)
    assert this.device.states == ["ringing"]
    peer.request("CANCEL")
    await peer.told(200)
    await peer.told(487)
    peer.request("ACK")

    assert this.orders == ["start Doorbell", "end"]
    assert [event.line for event in this.device.told(CallStateChanged)] == ["2*", "2*"]


async def test_an_alert_goes_on_when_its_call_is_over_and_is_stopped_by_a_digit(
    street: Street,
) -> None:
    this, peer = await post(street, Extension(number="1001", role="alert", profile="Evacuate"))

    await answered(peer, this.device)
    peer.request("BYE")
    await until(lambda: not this.device.states)
    assert this.orders == ["start Evacuate"]

    other = street.peer()
    await answered(other, this.device)
    other.press_in_info("5#")
    await until(lambda: len(this.orders) > 2)

    assert this.orders == ["start Evacuate", "start Evacuate", "stop Evacuate"]


async def test_a_number_without_a_role_is_the_account_s_affair(street: Street) -> None:
    this, peer = await post(street, Extension(number="1001", role="page", profile="Notice"))

    await answered(peer, this.device, "1002")

    assert this.orders == []
    assert this.device.story == ["active accepted_by_device"]


async def test_the_priority_of_an_extension_is_that_of_its_voice(street: Street) -> None:
    this, peer = await post(street, Extension(number="1001", role="page", priority=9))

    peer.speak(await answered(peer, this.device))
    await until(lambda: this.device.sources)

    assert [(s.kind, s.rank) for s in this.device.sources.values()] == [("page", 9)]


# --- PIN ----------------------------------------------------------------------------------------

GUARDED = Extension(number="1001", role="alert", profile="Evacuate", pin=Secret(PIN))


async def test_nothing_lights_or_sounds_before_the_pin(street: Street) -> None:
    this, peer = await post(street, GUARDED)

    port = await answered(peer, this.device)
    peer.speak(port)
    await until(lambda: this.device.sources)
    peer.press(port, PIN[:3])
    await street.leap(1.0)
    assert (this.device.states, this.orders, this.device.heard) == (["pin"], [], set())

    peer.press(port, PIN[3:])
    await until(lambda: this.device.states == ["active"])

    assert this.orders == ["start Evacuate"]
    assert this.device.heard == {"in-1"}
    assert this.device.story == [
        "ringing initiated",
        "pin accepted_by_device",
        "active accepted_by_device",
    ]


async def test_the_pin_can_be_entered_in_info(street: Street) -> None:
    this, peer = await post(street, GUARDED)
    await answered(peer, this.device)

    peer.press_in_info(PIN)

    await until(lambda: this.device.states == ["active"])


async def test_a_pin_is_in_no_event_trace_or_log(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    this, peer = await post(street, GUARDED)
    port = await answered(peer, this.device)

    peer.press(port, PIN)
    await until(lambda: this.device.states == ["active"])
    peer.press(port, "0")
    await until(lambda: this.device.told(DigitReceived))

    assert [event.digit for event in this.device.told(DigitReceived)] == ["0"]
    told = "".join(repr((event, list(cause.chain()))) for event, cause in this.device.events)
    assert PIN not in told
    assert not any(f"digit='{digit}'" in told for digit in PIN)
    assert PIN not in caplog.text


async def test_a_pin_may_be_ended_like_a_number(street: Street) -> None:
    """Who is used to pressing # after a PIN does not end the alert by it."""
    this, peer = await post(street, GUARDED)
    port = await answered(peer, this.device)

    peer.press(port, PIN + "#")
    await until(lambda: this.device.states == ["active"])
    await until(lambda: this.device.phone.snapshot()[0].packets_received == 3 * len(PIN + "#"))
    await street.leap(ENDING + 0.1)
    assert this.orders == ["start Evacuate"]

    peer.press(port, "#")
    await until(lambda: this.orders[1:] == ["stop Evacuate"])


async def test_who_does_not_know_the_pin_is_sent_away_after_three_attempts(
    street: Street,
) -> None:
    this, peer = await post(street, GUARDED)
    port = await answered(peer, this.device)

    peer.press(port, "".join(wrong * len(PIN) for wrong in "123"))
    bye = await peer.asked("BYE")
    peer.respond(bye, 200)
    await until(lambda: not this.device.states)

    refusals = this.device.told(PinRefused)
    assert [refusal.attempts_left for refusal in refusals] == [2, 1, 0]
    assert refusals[0].remote_uri == "sip:peer@127.0.0.1"
    assert this.device.story[-1] == "terminated denied"
    assert this.orders == []


async def test_who_enters_nothing_is_sent_away_in_the_end(street: Street) -> None:
    this, peer = await post(street, GUARDED)
    await answered(peer, this.device)

    await street.leap(PIN_LIMIT + 0.1)
    peer.respond(await peer.asked("BYE"), 200)
    await until(lambda: not this.device.states)

    assert [refusal.attempts_left for refusal in this.device.told(PinRefused)] == [0]
    assert this.device.story[-1] == "terminated denied"


async def test_who_hangs_up_before_the_pin_is_not_waited_for(street: Street) -> None:
    this, peer = await post(street, GUARDED)
    await answered(peer, this.device)

    peer.request("BYE")
    await until(lambda: not this.device.states)
    await street.leap(PIN_LIMIT + 1.0)

    assert this.device.told(PinRefused) == []
    assert this.device.story[-1] == "terminated terminated"


# --- digits -------------------------------------------------------------------------------------


async def test_a_digit_that_comes_in_rtp_and_in_info_is_one_digit(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    port = await answered(peer, device)

    peer.press(port, "1")
    await until(lambda: device.told(DigitReceived))
    peer.press_in_info("1")
    await peer.told(200)
    peer.press(port, "2")
    await until(lambda: len(device.told(DigitReceived)) > 1)

    assert [event.digit for event in device.told(DigitReceived)] == ["1", "2"]
    assert {event.extension for event in device.told(DigitReceived)} == {"1001"}


async def test_an_info_with_something_else_is_no_digit(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    await answered(peer, device)

    peer.request("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=hf\r\n")
    await peer.told(200)
    peer.request("INFO", "Content-Type: application/dtmf", body=b"rubbish")
    await peer.told(200)

    assert device.told(DigitReceived) == []


async def test_digits_count_only_the_ways_that_the_account_allows(street: Street) -> None:
    wanted = settings()
    without = msgspec.structs.replace(wanted.accounts[0], dtmf_rtp=False, dtmf_info=False)
    device = await street.device(msgspec.structs.replace(wanted, accounts=(without,)))
    peer = street.peer()
    peer.invite(device, body=peer.sdp_with_digits())
    answer = await peer.told(200)
    peer.request("ACK")

    peer.press_in_info("1")
    await peer.told(200)
    peer.press(media_port(answer.body), "2")
    peer.speak(media_port(answer.body))
    await until(lambda: device.sources)

    assert b"telephone-event" not in answer.body
    assert device.told(DigitReceived) == []
