"""Live sound over HTTP, from the connection to the card: GAP-16."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.policy import Places
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.codecs.registry import CODECS
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import StreamStateChanged
from sipstrobe.services.http_stream import (
    AHEAD,
    ENCODINGS,
    HELD_UP,
    PIECE,
    STALLED,
    START,
    HttpStream,
)
from tests.services.test_sound import PERIOD, Bench
from tests.support.hear import Samples, loud_spans, tone_db
from tests.support.waiting import turns

MULAW = "audio/basic"
OCTETS = 8000  # of a second of it
USABLE = [name for name, encoding in ENCODINGS.items() if CODECS[encoding.codec].usable]
WHO = "olga at 192.0.2.9"


def tone(media_type: str = MULAW, seconds: float = 1.0, hertz: float = 500.0) -> bytes:
    """Half of full scale, as it is sent."""
    encoding = ENCODINGS[media_type]
    at = np.arange(round(seconds * encoding.rate)) / encoding.rate
    samples = (0.5 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)
    return CODECS[encoding.codec].encoder("").encode(samples)


class Sender:
    """A connection: what was sent and not read yet waits in it."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.broken = False
        self._more = asyncio.Event()

    def send(self, data: bytes) -> None:
        """Nothing: it ends."""
        self.waiting.append(data)
        self._more.set()

    def close(self) -> None:
        self.broken = True
        self._more.set()

    async def content(self) -> AsyncIterator[bytes]:
        while True:
            while self.waiting:
                data = self.waiting.pop(0)
                if not data:
                    return
                yield data
            if self.broken:
                raise RemoteProtocolError("the body breaks off")
            self._more.clear()
            await self._more.wait()


class Hall:
    """A speaker, and what is sent to it."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.stream = HttpStream(self.bench.context)
        self.told: list[tuple[str, str]] = []
        self.bench.context.bus.subscribe(
            StreamStateChanged, lambda event: self.told.append((event.state.value, event.sender))
        )

    async def begin(
        self, sender: Sender, media_type: str = MULAW, who: str = WHO
    ) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(self.stream.transmit(media_type, who, sender.content()))
        await turns()
        return task

    async def play(self, seconds: float) -> Samples:
        """What the speaker plays, while everybody does their part."""
        heard: list[Samples] = []
        for _ in range(round(seconds / PERIOD)):
            heard.append(self.bench.play(PERIOD).astype(np.float64))
            await turns(5)
        return np.concatenate(heard)

    async def play_live(
        self, sender: Sender, sound: bytes, step: float = 0.02, pace: float = 1.0
    ) -> Samples:
        """The same, while somebody says this in real time; pace: of his clock."""
        heard: list[Samples] = []
        size = round(step * OCTETS * pace)
        for start in range(0, len(sound), size):
            sender.send(sound[start : start + size])
            await turns(5)
            heard.append(await self.play(step))
        return np.concatenate(heard)

    @property
    def idle(self) -> bool:
        told = self.stream.snapshot()
        return told["state"] == "idle" and told["waiting_ms"] == 0


@pytest.mark.parametrize("media_type", USABLE)
async def test_all_that_is_sent_is_heard_and_only_then_it_ends(media_type: str) -> None:
    hall, sender = Hall(), Sender()
    sender.send(tone(media_type))
    sender.send(b"")
    task = await hall.begin(sender, f"{media_type}; rate=1", WHO)

    heard = await hall.play(START + 0.9)
    assert not task.done()
    heard = np.concatenate([heard, await hall.play(0.3)])
    await task

    [(begin, end)] = loud_spans(heard)
    assert begin == pytest.approx(START, abs=0.015)
    assert end - begin == pytest.approx(1.0, abs=0.015)
    assert tone_db(heard[9600:48000], 500.0) == pytest.approx(-9.0, abs=0.2)
    assert hall.told == [("active", WHO), ("idle", WHO)]
    assert hall.idle
    assert hall.bench.clock.waiting <= 2  # the speaker's own


async def test_who_sends_faster_than_it_is_played_has_to_wait() -> None:
    """What waits is bounded, and the pitch stays."""
    hall, sender = Hall(), Sender()
    sound = tone(seconds=3.0)
    for start in range(0, len(sound), 1000):
        sender.send(sound[start : start + 1000])
    sender.send(b"")
    await hall.begin(sender)

    most = 0.0
    heard: list[Samples] = []
    for n in range(30):
        heard.append(await hall.play(0.1))
        ahead = 3.0 - len(b"".join(sender.waiting)) / OCTETS - n * 0.1
        most = max(most, ahead)
        assert hall.stream.snapshot()["waiting_ms"] <= 1000 * (AHEAD + START)

    assert AHEAD / 2 < most <= AHEAD + START + 2 * PIECE + 0.1
    assert tone_db(np.concatenate(heard)[24000:120000], 500.0) == pytest.approx(-9.0, abs=0.2)
    await hall.play(0.5)
    assert hall.idle


async def test_a_connection_that_is_closed_is_heard_to_its_last_sample() -> None:
    """That is how most senders end: they have announced more than they ever send."""
    hall, sender = Hall(), Sender()
    task = await hall.begin(sender)

    heard = await hall.play_live(sender, tone(seconds=0.5))
    sender.close()
    heard = np.concatenate([heard, await hall.play(0.3)])
    await task

    [(begin, end)] = loud_spans(heard)
    assert end - begin == pytest.approx(0.5, abs=0.015)


async def test_who_stalls_or_trickles_gives_the_place_free() -> None:
    """Else the list would keep others silent for somebody who says nothing."""
    hall, sender = Hall(), Sender()
    task = await hall.begin(sender)
    sender.send(tone(seconds=0.2))
    await hall.play(STALLED - 0.05)
    assert not task.done()
    await hall.play(0.2)
    with pytest.raises(CommandRefused, match="does not go on") as refusal:
        await task
    assert refusal.value.code == "stalled"

    task, left = await hall.begin(sender), 3.0
    while not task.done() and left > 0.0:
        sender.send(b"\xff" * 8)  # 1 ms of sound every 50 ms
        await hall.play(0.05)
        left -= 0.05
    assert left > 3.0 - STALLED - 0.2
    with pytest.raises(CommandRefused, match="does not go on"):
        await task
    assert hall.idle


async def test_after_a_gap_it_waits_a_little_again() -> None:
    """One packet that was late shall not make every following one late."""
    hall, sender = Hall(), Sender()
    await hall.begin(sender)

    heard = await hall.play_live(sender, tone(seconds=0.5))
    heard = np.concatenate([heard, await hall.play(0.4)])
    heard = np.concatenate([heard, await hall.play_live(sender, tone(seconds=0.5))])

    [first, second] = loud_spans(heard)
    assert second[0] - 0.9 == pytest.approx(START, abs=0.02)
    assert hall.stream.snapshot()["waiting_ms"] == pytest.approx(1000 * START, abs=25)
    assert first[1] == pytest.approx(0.5 + START, abs=0.02)


@pytest.mark.no_cover
@pytest.mark.parametrize("pace", [1.0025, 0.9975])
async def test_a_sender_whose_clock_differs_is_followed(pace: float) -> None:
    """Else his sound would come ever later, or break off again and again."""
    hall, sender = Hall(), Sender()
    await hall.begin(sender)

    step = 0.1
    sound = b"\xff" * (600 * round(step * OCTETS * pace))
    await hall.play_live(sender, sound, step, pace)

    waiting = hall.stream.snapshot()["waiting_ms"]
    assert 20 < waiting < 1000 * START + 20
    [source] = hall.bench.sound.snapshot()["sources"]
    assert source["underruns"] == 0


async def test_who_has_to_wait_is_no_clock() -> None:
    """Who is too far ahead is caught up with; but what is sent as from a file has its pitch."""
    hall, sender = Hall(), Sender()
    await hall.begin(sender)
    sender.send(b"\xff" * round(0.2 * OCTETS))
    await hall.play_live(sender, b"\xff" * round(6.0 * OCTETS))
    assert hall.stream.snapshot()["waiting_ms"] < 317  # it is played faster by now

    sender.send(tone(seconds=3.0))
    await turns()
    heard = await hall.play(3.0)

    assert tone_db(heard[48000:], 500.0) == pytest.approx(-9.0, abs=0.2)  # 501.5 Hz: silence


async def test_there_is_one_sender_at_a_time() -> None:
    hall, first = Hall(), Sender()
    task = await hall.begin(first)

    with pytest.raises(CommandRefused, match="olga at 192") as refusal:
        await hall.stream.transmit(MULAW, "victor at 192.0.2.8", Sender().content())
    assert refusal.value.code == "busy"
    first.send(b"")
    await hall.play(0.2)
    await task

    second = Sender()
    task = await hall.begin(second, who="victor at 192.0.2.8")
    assert hall.told[-1] == ("active", "victor at 192.0.2.8")
    second.send(b"")
    await hall.play(0.2)
    await task


@pytest.mark.parametrize("media_type", ["", "audio/mpeg4-generic", "text/plain", "x" * 300])
async def test_other_kinds_of_sound_are_refused_with_what_is_understood(media_type: str) -> None:
    hall = Hall()
    with pytest.raises(CommandRefused, match="audio/basic, audio/axis-mulaw-128") as refusal:
        await hall.stream.transmit(media_type, WHO, Sender().content())
    assert refusal.value.code == "unknown_type"
    assert len(str(refusal.value)) < 200
    assert hall.told == []


async def test_it_has_a_place_of_its_own_in_the_list() -> None:
    """MCC-08, GAP-16: the first in the list is heard, and the others are back when it ends."""
    hall, sender = Hall(), Sender()
    hall.bench.sound.apply_places(Places(calls=1, streams=2, clips=4))
    page = SampleRing(10 * SAMPLE_RATE)
    page.write(np.full(page.capacity, 0.25, np.float32))
    execute = hall.bench.context.dispatcher.execute
    task = await hall.begin(sender)
    sender.send(tone(seconds=5.0))

    execute(AddSource(owner="music", kind=SourceKind.PAGE, ring=page, rank=5, place=3))
    await hall.play(0.3)
    assert hall.told == [("active", WHO)]
    hall.bench.sound.apply_places(Places(calls=1, streams=3, clips=4))  # the list is changed
    execute(AddSource(owner="fire", kind=SourceKind.PAGE, ring=page, rank=5, place=2))
    await hall.play(0.1)
    assert hall.told[-1] == ("hidden", WHO)
    execute(RemoveSource(owner="fire"))
    await hall.play(0.1)
    assert hall.told[-1] == ("active", WHO)

    task.cancel()
    await turns()
    assert hall.told[-1] == ("idle", WHO)


async def test_a_speaker_that_takes_nothing_ends_it() -> None:
    """A sender who is held up for ever would hold the place for ever."""
    hall, sender = Hall(), Sender()
    task = await hall.begin(sender)
    sender.send(tone(seconds=2.0))
    await turns()

    for _ in range(round((HELD_UP + 1.0) / 0.1)):
        hall.bench.clock.advance(0.1)
        await turns(5)

    with pytest.raises(CommandRefused, match="the speaker takes nothing"):
        await task
