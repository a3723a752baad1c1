"""Digits of calls become events, and sequences of them events with a name (DTM-01…06)."""

import asyncio
from typing import Any

import msgspec
import numpy as np
import pytest

from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.dtmf.event import DIGITS, TelephoneEvent
from sipstrobe.dtmf.settings import DigitSequence, DtmfSettings
from sipstrobe.events import DigitReceived, SequenceReceived
from sipstrobe.rtp.packet import Packet, build, parse
from sipstrobe.rules.extensions import Extension
from sipstrobe.secret import Secret
from sipstrobe.sip.settings import Account
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, Peer, media_port, settings
from tests.support.voices import Samples, key, silence
from tests.support.waiting import until

PBX = Account(name="pbx", kind="registered", user_id="1001", enabled=False)


def sequence(digits: str, *accounts: str, name: str = "", held: bool = False) -> DigitSequence:
    return DigitSequence(sequence=digits, name=name or digits, accounts=accounts, held=held)


async def device_with(street: Street, *sequences: DigitSequence, **other: Any) -> Device:
    device = await street.device(**other)
    device.phone.apply_dtmf(DtmfSettings(sequences=sequences))
    return device


async def answered(peer: Peer, device: Device, user: str = "1001") -> int:
    """The port of our media."""
    peer.invite(device, body=peer.sdp_with_digits(), user=user)
    port = media_port((await peer.told(200)).body)
    peer.request("ACK")
    return port


def fired(device: Device) -> list[str]:
    return [event.name for event in device.told(SequenceReceived)]


async def test_a_sequence_is_told_with_its_call_and_account(street: Street) -> None:
    device = await device_with(street, sequence("12#", name="All clear"))
    peer = street.peer()
    port = await answered(peer, device)

    peer.press(port, "12#")
    await until(lambda: fired(device))

    [event] = device.told(SequenceReceived)
    [account] = device.phone.settings.accounts
    assert (event.name, event.sequence, event.account) == ("All clear", "12#", account.name)
    assert (event.call, event.extension) == ("in-1", "1001")
    assert event.event_id == "All clear", "it has no other id"
    assert "a telephone event in call in-1" in str(device.cause(SequenceReceived)[1])


def told_alike(ssrc: int, first: int, digits: str) -> list[tuple[Packet, int]]:
    """The packets, with their numbers, of a phone that stamps all events alike."""
    packets: list[tuple[Packet, int]] = []
    for digit in digits:
        for end in (False, True):
            event = bytes(TelephoneEvent(DIGITS.index(digit), end, 10, 800 if end else 160))
            number = first + len(packets)
            packets.append((parse(build(101, False, number, 0, ssrc, event)), number))
    return packets


async def test_digits_of_another_source_are_not_late_ones_of_the_last(street: Street) -> None:
    """RFC 3550 §8: where the SSRC changes, as after a transfer, the sequence numbers do as well."""
    device, peer = await device_with(street), street.peer()
    await answered(peer, device)
    keypad = device.phone._keypad  # pyright: ignore[reportPrivateUsage]
    (call,) = device.phone._board.calls.values()  # pyright: ignore[reportPrivateUsage]

    for one, number in (*told_alike(1, 40_000, "12"), *told_alike(2, 100, "222")):
        keypad.in_rtp(call, one, number, 8000, device.context.clock.now())

    assert "".join(event.digit for event in device.told(DigitReceived)) == "12222"


async def test_a_digit_that_ends_the_call_is_the_last(street: Street) -> None:
    """What comes in the same breath is of no call, and nothing of it stays."""
    wanted = settings()
    account = msgspec.structs.replace(wanted.accounts[0], dtmf_inband=True)
    device = await device_with(street, wanted=msgspec.structs.replace(wanted, accounts=(account,)))
    peer = street.peer()
    await answered(peer, device)
    device.context.bus.subscribe(DigitReceived, lambda _: device.hang_up())
    keypad = device.phone._keypad  # pyright: ignore[reportPrivateUsage]
    (call,) = device.phone._board.calls.values()  # pyright: ignore[reportPrivateUsage]

    keypad.in_sound(call, np.concatenate((key("5", 0.1), silence(0.1), key("6", 0.1))), 8000)

    assert [event.digit for event in device.told(DigitReceived)] == ["5"]
    assert not keypad._pads  # pyright: ignore[reportPrivateUsage]


async def test_what_a_phone_sends_by_two_ways_is_one_sequence(street: Street) -> None:
    device = await device_with(street, sequence("1"), sequence("11"))
    peer = street.peer()
    port = await answered(peer, device)

    peer.press(port, "1")
    await until(lambda: device.told(DigitReceived))
    peer.press_in_info("1")
    await peer.told(200)
    for _ in range(20):  # the end of the event is seen at a turn of the stream
        await street.leap(0.5)

    assert (fired(device), len(device.told(DigitReceived))) == (["1"], 1)


async def test_a_sequence_that_waits_for_more_fires_when_nothing_comes(street: Street) -> None:
    device = await device_with(street, sequence("1"), sequence("12"))
    peer = street.peer()
    await answered(peer, device)

    peer.press_in_info("1")
    await peer.told(200)
    assert fired(device) == []
    await street.leap(3.1)

    assert fired(device) == ["1"]
    assert "time between digits" in str(device.cause(SequenceReceived)[1])


async def test_a_long_press_is_told_by_its_length(street: Street) -> None:
    device = await device_with(street, sequence("1", name="long", held=True), sequence("1"))
    peer = street.peer()
    await answered(peer, device)

    for milliseconds in (100, 1500):
        body = f"Signal=1\r\nDuration={milliseconds}\r\n".encode()
        peer.request("INFO", "Content-Type: application/dtmf-relay", body=body)
        await peer.told(200)

    assert fired(device) == ["1", "long"]


@pytest.mark.parametrize(
    ("accounts", "counts"),
    [((), True), (("Peer-to-peer",), True), (("other peer",), True), (("pbx",), False)],
)
async def test_a_sequence_counts_in_calls_of_its_accounts(
    street: Street, accounts: tuple[str, ...], counts: bool
) -> None:
    """DTM-03: all peer-to-peer accounts share one set."""
    wanted = settings()
    default = msgspec.structs.replace(wanted.accounts[0], name="Peer-to-peer")
    other = Account(name="other peer", user_id="1002")
    wanted = msgspec.structs.replace(wanted, accounts=(default, other, PBX))
    device = await device_with(street, sequence("1", *accounts), wanted=wanted)
    peer = street.peer()
    await answered(peer, device)

    peer.press_in_info("1")
    await peer.told(200)

    assert len(device.told(DigitReceived)) == 1
    assert fired(device) == (["1"] if counts else [])


async def test_a_pin_is_no_sequence(street: Street) -> None:
    device = await device_with(street, sequence("4711"), sequence("1"))
    device.phone.apply_extensions((Extension(number="911", role="page", pin=Secret("4711")),))
    peer = street.peer()
    peer.invite(device, body=peer.sdp_with_digits(), user="911")
    await until(lambda: device.states == ["ringing"])
    device.answer()
    await peer.told(180)
    await peer.told(200)
    peer.request("ACK")

    for digit in "4711" + "1":
        peer.press_in_info(digit)
        await peer.told(200)
    await until(lambda: fired(device))

    assert fired(device) == ["1"]


async def test_a_change_of_settings_counts_for_calls_that_run(street: Street) -> None:
    device = await device_with(street, sequence("12"))
    peer = street.peer()
    await answered(peer, device)

    peer.press_in_info("1")
    await peer.told(200)
    device.phone.apply_dtmf(DtmfSettings(sequences=(sequence("2"), sequence("12"))))
    peer.press_in_info("2")
    await peer.told(200)

    assert fired(device) == ["2"]


async def test_a_call_that_ends_leaves_no_digits_waiting(street: Street) -> None:
    device = await device_with(street, sequence("1"), sequence("12"))
    peer = street.peer()
    await answered(peer, device)

    peer.press_in_info("1")
    await peer.told(200)
    peer.request("BYE")
    await peer.told(200)
    await street.leap(5.0)

    assert fired(device) == []


# --- tones --------------------------------------------------------------------------------------


async def say(peer: Peer, port: int, sound: Samples) -> None:
    """Speak PCMU to a port, a packet every 20 ms."""
    encoder = UlawEncoder()
    for n in range(sound.size // 160):
        block = sound[n * 160 : (n + 1) * 160]
        header = bytes([0x80, 0]) + n.to_bytes(2, "big") + (n * 160).to_bytes(4, "big")
        peer.rtp.sendto(header + b"\1\2\3\4" + encoder.encode(block), (HOST, port))
        await asyncio.sleep(0.020)


@pytest.mark.parametrize("inband", [True, False])
async def test_tones_are_digits_where_the_account_wants_it(street: Street, inband: bool) -> None:
    wanted = settings()
    account = msgspec.structs.replace(wanted.accounts[0], dtmf_inband=inband)
    wanted = msgspec.structs.replace(wanted, accounts=(account,))
    device, peer = await device_with(street, sequence("55"), wanted=wanted), street.peer()
    port = await answered(peer, device)
    sound = [part for _ in range(2) for part in (key("5", 0.1), silence(0.1))]

    await say(peer, port, np.concatenate((silence(0.1), *sound, silence(0.1))))
    if inband:
        await until(lambda: fired(device))

    assert len(device.told(DigitReceived)) == (2 if inband else 0)
    assert fired(device) == (["55"] if inband else [])
