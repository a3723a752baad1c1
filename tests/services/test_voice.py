"""What the other side of a call hears: the greeting, the beep when it may speak, the microphone."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.beep import LEAD, SECONDS, beep
from sipstrobe.audio.format import Samples
from sipstrobe.codecs.g711 import UlawDecoder
from sipstrobe.rules.extensions import Extension
from sipstrobe.secret import Secret
from sipstrobe.services.speech import Recording
from sipstrobe.services.voice import MAX_WAITING, Talk
from sipstrobe.sip.settings import SipSettings
from tests.services.conftest import Street
from tests.services.phones import Device, Peer, settings
from tests.support.hear import loud_spans, tone_db
from tests.support.waiting import turns, until

RATE = 8000
BEEP, GREETING, ROOM = 880.0, 1300.0, 500.0  # Hz
PAGE = Extension(number="1001", role="page")


def tone(hertz: float, seconds: float) -> Samples:
    at = np.arange(round(48_000 * seconds)) / 48_000
    return (0.1 * np.sqrt(2) * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


@dataclass
class Room:
    """A microphone in which a tone is heard, and how many listen to it."""

    listening: int = 0
    opened: int = 0
    switched_on: bool = True
    _sound: Recording = field(default_factory=lambda: Recording(tone(ROOM, 1.0), loop=True))

    def listen(self) -> "Room | None":
        if not self.switched_on:
            return None
        self.listening += 1
        self.opened += 1
        return self

    def __call__(self, count: int) -> Samples | None:
        return self._sound(count)

    def close(self) -> None:
        self.listening -= 1


async def called(
    street: Street, *extensions: Extension, user: str = "1001", wanted: SipSettings | None = None
) -> tuple[Device, Peer]:
    """A device that a peer is about to call."""
    device, peer = await street.device(wanted), street.peer()
    device.phone.apply_extensions(extensions)
    peer.calls = user
    return device, peer


async def answered(device: Device, peer: Peer) -> None:
    """The peer's call is answered, by order where its extension has a role."""
    count = len(device.states)
    peer.invite(device, body=peer.sdp_with_digits())
    await until(lambda: len(device.states) > count)
    if device.states[-1] == "ringing":
        await peer.told(180)
        device.answer()
    await peer.told(200)
    peer.request("ACK")
    await turns()


async def heard(street: Street, peer: Peer, seconds: float) -> Samples:
    """What the peer hears meanwhile."""
    decoder, pieces = UlawDecoder(), list[Samples]()
    for _ in range(round(seconds / 0.02)):
        await street.leap(0.02)
        while not peer.hears_nothing():
            packet = peer.rtp.recv(2048)
            if packet[1] & 0x7F == 0:
                pieces.append(decoder.decode(packet[12:]))
    return np.concatenate(pieces)


def spans(sound: Samples, hertz: float) -> list[tuple[float, float]]:
    """When this tone is heard, in steps of 50 ms."""
    size = RATE // 20
    blocks = sound[: sound.size // size * size].astype(np.float64).reshape(-1, size)
    loud = [tone_db(block, hertz, RATE) > -35.0 for block in blocks]
    edges = np.flatnonzero(np.diff([0, *loud, 0]))
    return [(a / 20, b / 20) for a, b in zip(edges[::2], edges[1::2], strict=True)]


async def test_a_page_begins_with_a_beep(street: Street) -> None:
    """After a lead, since phones miss the first moment."""
    device, peer = await called(street, PAGE)
    await answered(device, peer)

    sound = await heard(street, peer, 1.0)

    [(start, end)] = loud_spans(sound.astype(np.float64), RATE, threshold_db=-40.0)
    assert end - start == pytest.approx(SECONDS, abs=0.03)
    assert start >= LEAD - 0.02
    assert tone_db(sound[round((start + 0.03) * RATE) :][:800].astype(np.float64), BEEP, RATE) > -23


@pytest.mark.parametrize(
    ("extension", "user"),
    [
        (Extension(number="1001", role="page", beep=False), "1001"),
        (Extension(number="1001", role="alert", profile="Alarm"), "1001"),
        (PAGE, "1002"),
    ],
)
async def test_without_the_wish_nothing_but_silence_is_sent(
    street: Street, extension: Extension, user: str
) -> None:
    device, peer = await called(street, extension, user=user)
    await answered(device, peer)

    assert not (abs(await heard(street, peer, 0.6)) > 0.001).any()


async def test_first_the_greeting_then_the_beep_then_the_microphone(street: Street) -> None:
    device, peer = await called(street, PAGE)
    room = Room()
    device.listen, device.greeting = room.listen, Recording(tone(GREETING, 0.3))
    await answered(device, peer)

    sound = await heard(street, peer, 1.2)

    [greeting], [beep_], [*_, room_] = (spans(sound, hertz) for hertz in (GREETING, BEEP, ROOM))
    assert greeting[1] <= beep_[0] + 0.05
    assert beep_[1] <= room_[0] + 0.1
    assert room_[1] == pytest.approx(sound.size / RATE, abs=0.05)
    assert room.opened == 1


async def test_the_microphone_is_heard_by_whom_we_call_too(street: Street) -> None:
    device, peer = await called(street)
    room = Room()
    device.listen = room.listen
    device.dial(peer)
    peer.respond(await peer.asked("INVITE"), 200, body=peer.sdp())
    await peer.asked("ACK")

    sound = await heard(street, peer, 0.5)

    assert spans(sound, ROOM)
    assert room.listening == 1
    device.hang_up()
    await peer.asked("BYE")
    assert room.listening == 0


async def test_who_must_enter_a_pin_hears_neither_beep_nor_room_before(street: Street) -> None:
    device, peer = await called(street, Extension(number="1001", role="page", pin=Secret("4711")))
    room = Room()
    device.listen = room.listen
    await answered(device, peer)
    before = await heard(street, peer, 0.5)
    assert room.opened == 0

    peer.press_in_info("4711")
    await turns(100)
    after = await heard(street, peer, 1.0)

    assert not (abs(before) > 0.001).any()
    assert spans(after, BEEP)
    assert spans(after, ROOM)


async def test_who_waits_for_his_turn_hears_the_beep_when_it_comes(street: Street) -> None:
    """Not before: nobody would hear what he says."""
    device, first = await called(street, PAGE, wanted=settings(calls_together="first"))
    second = street.peer()
    await answered(device, first)
    second.calls = "1001"
    await answered(device, second)
    waiting = await heard(street, second, 0.5)

    first.request("BYE")
    await turns(50)
    afterwards = await heard(street, second, 0.6)

    assert not spans(waiting, BEEP)
    assert spans(afterwards, BEEP)


async def test_nobody_listens_for_a_call_that_hears_nothing_of_us(street: Street) -> None:
    """SIP-12: receive."""
    device, peer = await called(street, wanted=settings(audio_direction="receive"))
    room = Room()
    device.listen = room.listen
    await answered(device, peer)
    assert room.opened == 0


async def test_nobody_listens_for_a_call_that_is_held(street: Street) -> None:
    """RFC 3264 §8.4: who has put us on hold hears nothing of us until the call goes on."""
    device, peer = await called(street)
    room = Room()
    device.listen = room.listen
    await answered(device, peer)

    listening = [room.listening]
    for direction in ("sendonly", "sendrecv", "inactive", "recvonly"):
        peer.request("INVITE", body=peer.sdp(direction))
        await peer.told(200)
        peer.request("ACK")
        await turns()
        listening.append(room.listening)

    assert listening == [1, 0, 1, 0, 1]


async def test_nobody_listens_for_a_page_that_only_speaks(street: Street) -> None:
    device, peer = await called(street)
    room = Room()
    device.listen = room.listen
    peer.invite(device, body=peer.sdp("sendonly"))
    await peer.told(200)
    peer.request("ACK")
    await turns()

    assert room.opened == 0


async def test_whose_offer_comes_late_hears_the_room_as_well(street: Street) -> None:
    """RFC 3261 §13.2.1: it is we who offer, and the ACK has the answer."""
    device, peer = await called(street)
    room = Room()
    device.listen = room.listen
    peer.invite(device, body=b"")
    await peer.told(200)
    peer.request("ACK", body=peer.sdp())
    await turns()

    assert room.listening == 1


async def test_who_is_recorded_hears_one_beep_whatever_becomes_of_the_microphone(
    street: Street, tmp_path: Path
) -> None:
    extension = Extension(number="1001", role="page", record_then_play=True)
    device, peer = await street.device(folder=tmp_path), street.peer()
    device.phone.apply_extensions((extension,))
    await answered(device, peer)
    before = await heard(street, peer, 0.6)

    device.phone.refresh_microphone()
    after = await heard(street, peer, 0.6)

    assert spans(before, BEEP)
    assert not spans(after, BEEP)


async def test_the_microphone_is_switched_on_and_off_during_a_call(street: Street) -> None:
    device, peer = await called(street)
    room = Room(switched_on=False)
    device.listen = room.listen
    await answered(device, peer)
    off = await heard(street, peer, 0.3)

    room.switched_on = True
    device.phone.refresh_microphone()
    on = await heard(street, peer, 0.3)
    device.phone.refresh_microphone()
    assert room.listening == 1
    room.switched_on = False
    device.phone.refresh_microphone()
    off_again = await heard(street, peer, 0.3)

    assert [bool(spans(sound, ROOM)) for sound in (off, on, off_again)] == [False, True, False]
    assert room.listening == 0


def test_sounds_that_wait_are_bounded() -> None:
    talk = Talk()
    for _ in range(100):
        talk.add(Recording(beep()))

    heard = 0
    while talk(960) is not None:
        heard += 960

    assert heard == pytest.approx(MAX_WAITING * beep().size, abs=960 * MAX_WAITING)
