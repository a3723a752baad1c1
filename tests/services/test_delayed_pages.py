"""Record, then play: what a caller says is heard once, and when he has hung up."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.source import REFILL_SAMPLES, AddSource, SourceKind
from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.commands import StopPages
from sipstrobe.rules.extensions import Extension
from sipstrobe.services.delayed_pages import FOLDER, LONGEST, LONGEST_WAIT, MAX_PAGES
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, Peer, media_port
from tests.support.hear import loud_spans
from tests.support.waiting import turns, until

EXTENSION = Extension(number="1001", role="page", record_then_play=True, priority=7)
PACKET = 0.02


class Station:
    """A device with one such extension, and a speaker that takes what it is given."""

    def __init__(self, street: Street, device: Device) -> None:
        self.street = street
        self.device = device
        device.phone.apply_extensions([EXTENSION])

    async def call(self) -> tuple[Peer, int]:
        """A caller who was answered, and where he may speak."""
        peer, count = self.street.peer(), len(self.device.states)
        peer.invite(self.device)
        await until(lambda: len(self.device.states) > count)
        await peer.told(180)
        self.device.answer()
        answer = await peer.told(200)
        peer.request("ACK")
        return peer, media_port(answer.body)

    async def speak(self, peer: Peer, port: int, hertz: float, seconds: float) -> None:
        """A tone in real time, while the speaker plays what is listed, to whomever."""
        at = np.arange(round(seconds * 8000)) / 8000
        voice = UlawEncoder().encode((0.2 * np.sin(2 * np.pi * hertz * at)).astype(np.float32))
        for n in range(round(seconds / PACKET)):
            header = bytes([0x80, 0]) + n.to_bytes(2, "big") + (n * 160).to_bytes(4, "big")
            peer.rtp.sendto(header + b"\1\2\3\4" + voice[160 * n : 160 * n + 160], (HOST, port))
            await self.pass_time(PACKET)

    async def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / PACKET)):
            for source in list(self.device.sources.values()):
                source.ring.skip(960)
            await self.street.leap(PACKET)

    async def hang_up(self, peer: Peer) -> None:
        peer.request("BYE")
        await peer.told(200)
        await turns()

    @property
    def pages(self) -> list[str]:
        """What the speaker plays of pages, heard."""
        sources = self.device.sources.values()
        return [s.owner for s in sources if s.heard and s.kind is SourceKind.PAGE]

    async def page(self, name: str) -> AddSource:
        """The source of this page, once it is played."""
        await until(lambda: name in self.device.sources)
        source = self.device.sources[name]
        assert source.on_turn is not None
        source.on_turn(True)
        return source

    async def hear(self, source: AddSource) -> Samples:
        """All of it."""
        assert source.refill is not None
        pieces: list[Samples] = []
        for _ in range(1000):
            source.refill(960)
            block = np.zeros(source.ring.fill, np.float32)
            source.ring.read_into(block)
            pieces.append(block)
            await turns(5)
            if source.owner not in self.device.sources:
                break
        return np.concatenate(pieces)


@pytest.fixture
async def station(street: Street, tmp_path: Path) -> Station:
    return Station(street, await street.device(folder=tmp_path))


async def test_it_is_heard_once_after_he_has_hung_up(station: Station, tmp_path: Path) -> None:
    """With the rank of his extension; nothing of it is heard before, and nothing stays."""
    peer, port = await station.call()
    await station.speak(peer, port, 600.0, 1.0)
    assert station.pages == []
    assert list(station.device.sources) == ["in-1"]

    await station.hang_up(peer)
    source = await station.page("page of in-1")
    sound = await station.hear(source)

    assert (source.kind, source.rank) == (SourceKind.PAGE, 7)
    assert pitch(sound) == pytest.approx(600.0, abs=30.0)
    assert source.ring.ended, "the speaker lets it fade out, and counts no underrun"
    assert station.device.sources == {}
    await until(lambda: not list((tmp_path / FOLDER).iterdir()))


async def test_several_are_heard_in_the_order_in_which_their_callers_hang_up(
    station: Station,
) -> None:
    first, port = await station.call()
    second, other = await station.call()
    await station.speak(first, port, 600.0, 0.6)
    await station.speak(second, other, 900.0, 0.6)

    await station.hang_up(second)
    await station.page("page of in-2")
    await station.hang_up(first)
    await turns(50)
    assert station.pages == ["page of in-2"]
    other_sound = await station.hear(await station.page("page of in-2"))
    assert pitch(other_sound) == pytest.approx(900.0, abs=30.0)
    await station.street.leap(1.0)

    sound = await station.hear(await station.page("page of in-1"))
    assert pitch(sound) == pytest.approx(600.0, abs=30.0)


async def waiting_page(station: Station) -> AddSource:
    """A page of one second, about, that the speaker has and is not asked for yet."""
    peer, port = await station.call()
    await station.speak(peer, port, 600.0, 1.0)
    await station.hang_up(peer)
    await until(lambda: "page of in-1" in station.device.sources)
    return station.device.sources["page of in-1"]


def take(source: AddSource, seconds: float) -> Samples:
    """What the speaker takes in so long."""
    assert source.refill is not None
    pieces: list[Samples] = []
    for _ in range(round(seconds / PACKET)):
        source.refill(REFILL_SAMPLES - source.ring.fill)
        block = np.zeros(960, np.float32)
        source.ring.read_into(block)
        pieces.append(block)
    return np.concatenate(pieces)


async def test_it_waits_while_another_sound_silences_it(station: Station) -> None:
    """A message that was promised to be heard does not pass unheard."""
    source = await waiting_page(station)
    assert source.on_turn is not None
    source.on_turn(False)
    assert not take(source, 5.0).any()
    assert source.ring.ended, "that is no underrun"
    assert _pages(station)["waiting"] == ["in-1"]

    source.on_turn(True)

    assert _pages(station)["playing"] == "in-1"
    assert pitch(await station.hear(source)) == pytest.approx(600.0, abs=30.0)
    assert station.device.sources == {}


async def test_it_goes_on_where_it_was_silenced_and_a_second_before(station: Station) -> None:
    source = await waiting_page(station)
    assert source.on_turn is not None
    source.on_turn(True)
    before = take(source, 0.4)
    source.on_turn(False)
    take(source, 2.0)

    source.on_turn(True)

    again = await station.hear(source)
    assert np.array_equal(again[: before.size], before), "it was silenced within the first second"
    assert station.device.sources == {}


async def test_a_moment_of_silence_is_not_said_again(station: Station, tmp_path: Path) -> None:
    """What is in the ring still passes meanwhile; it goes on behind that."""
    source = await waiting_page(station)
    assert source.on_turn is not None
    source.on_turn(True)
    (file,) = (tmp_path / FOLDER).iterdir()
    taken_down = file.stat().st_size // 4
    take(source, 0.3)
    source.on_turn(False)
    take(source, 0.06)
    source.on_turn(True)

    assert (await station.hear(source)).any()

    assert source.ring.written <= taken_down


async def test_what_has_no_turn_for_an_hour_is_forgotten(station: Station) -> None:
    source = await waiting_page(station)
    assert source.on_turn is not None
    source.on_turn(False)

    await station.street.leap(LONGEST_WAIT)

    await until(lambda: not _folder(station))
    assert station.device.sources == {}


async def test_who_says_nothing_is_not_played(station: Station) -> None:
    peer, port = await station.call()
    await station.speak(peer, port, 600.0, 0.1)
    await station.hang_up(peer)
    silent, port = await station.call()
    await station.pass_time(1.0)
    await station.hang_up(silent)

    await until(lambda: not _folder(station))
    assert station.device.sources == {}


async def test_pages_are_stopped_by_an_order(station: Station) -> None:
    """The one that is played, and those that wait."""
    for _ in range(2):
        peer, port = await station.call()
        await station.speak(peer, port, 600.0, 0.6)
        await station.hang_up(peer)
    await station.page("page of in-1")
    await until(lambda: _folder(station) == ["in-2", "in-1"])

    station.device.do(StopPages())
    station.device.do(StopPages())

    await station.street.leap(1.0)
    await until(lambda: not _folder(station))
    assert station.device.sources == {}


async def test_an_order_stops_also_what_is_on_its_way_to_the_disk(station: Station) -> None:
    """The caller has hung up: to whoever gives the order, his page waits like the others."""
    peer, port = await station.call()
    await station.speak(peer, port, 600.0, 0.6)
    station.device.hang_up()
    assert _pages(station)["recording"] == ["in-1"]

    station.device.do(StopPages())

    await peer.asked("BYE")
    await until(lambda: not _folder(station))
    assert station.device.sources == {}


async def test_who_speaks_too_long_is_hung_up_and_heard(station: Station) -> None:
    peer, port = await station.call()
    await station.speak(peer, port, 600.0, 0.6)

    await station.street.leap(LONGEST)
    await until(lambda: not station.device.states or not peer.silent())
    peer.respond(await peer.asked("BYE"), 200)

    sound = await station.hear(await station.page("page of in-1"))
    assert sound.size / SAMPLE_RATE < 20.0  # without the pause


async def test_there_are_never_more_than_can_be_kept(station: Station) -> None:
    callers = [(await station.call())[0] for _ in range(MAX_PAGES)]

    refused, _ = await station.call()
    await station.street.leap(0.1)

    await refused.asked("BYE")
    assert len(station.device.states) == MAX_PAGES
    assert len(callers) == MAX_PAGES


async def test_what_is_left_of_another_run_is_removed(street: Street, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "1.pcm").write_bytes(b"what somebody said")

    await street.device(folder=tmp_path)

    await until(lambda: not (tmp_path / FOLDER).exists())


def pitch(sound: Samples) -> float:
    """The frequency that is heard most, of at least 0.3 s; however the machine has held it up."""
    loud = sum(end - start for start, end in loud_spans(sound.astype(np.float64)))
    assert loud > 0.3
    spectrum = np.abs(np.fft.rfft(sound))
    return float(np.argmax(spectrum)) * SAMPLE_RATE / sound.size


def _pages(station: Station) -> dict[str, Any]:
    pages = station.device.phone.delayed_pages
    assert pages is not None
    return pages.snapshot()


def _folder(station: Station) -> list[str]:
    """The calls of which something is kept."""
    seen = _pages(station)
    return [*seen["recording"], *seen["waiting"], *([seen["playing"]] if seen["playing"] else [])]
