"""Those who listen live to the microphone: AUD-05."""

import asyncio
import io
import wave

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.audio.resample import Downsampler
from sipstrobe.codecs.g711 import PCMU
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import LiveStreamChanged
from sipstrobe.services.listening import MAX_LISTENERS, Listening
from tests.support.clock import FakeClock
from tests.support.waiting import turns


class Room:
    """A microphone that hears 1, 2, 3 … in small steps, or nothing."""

    def __init__(self) -> None:
        self.on = True
        self.silent = False
        self.open = 0
        self.heard = 0

    def listen(self) -> "Room | None":
        self.open += 1
        return self

    def __call__(self, count: int) -> Samples | None:
        if self.silent:
            return None
        self.heard += count
        first = self.heard - count
        return np.arange(first, self.heard, dtype=np.float32) / np.float32(32767)

    def close(self) -> None:
        self.open -= 1


async def test_it_is_a_wav_file_in_real_time() -> None:
    """As long as it goes on; what a player reads of it is what was heard."""
    clock, room = FakeClock(), Room()
    stream = Listening(Context(clock), lambda: room.on, room.listen).open()
    file = await anext(stream)

    for n in range(4):
        piece = asyncio.ensure_future(anext(stream))
        await turns()
        room.silent = n == 3
        clock.advance(0.1)
        file += await piece
    await stream.aclose()

    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 48000)
    samples = np.frombuffer(file[44:], "<i2")
    assert np.array_equal(samples, [*range(14400), *[0] * 4800])
    assert room.open == 0
    assert clock.waiting == 0


async def test_bare_g711_is_the_same_sound_at_8_khz() -> None:
    """RFC 2046 §4.3: audio/basic."""
    clock, room = FakeClock(), Room()
    stream = Listening(Context(clock), lambda: room.on, room.listen).open(basic=True)

    pieces: list[bytes] = []
    for _ in range(4):
        piece = asyncio.ensure_future(anext(stream))
        await turns()
        clock.advance(0.1)
        pieces.append(await piece)
    await stream.aclose()

    assert [len(piece) for piece in pieces] == [800] * 4
    heard = PCMU.decoder().decode(b"".join(pieces))
    delay = Downsampler(6).delay_samples / 6
    ramp = (np.arange(heard.size) - delay) * 6 / 32767
    assert np.abs(heard - ramp)[20:].max() < 0.02  # µ-law has steps of 3 % at most


async def test_a_slow_listener_is_not_behind_for_ever() -> None:
    clock, room = FakeClock(), Room()
    stream = Listening(Context(clock), lambda: room.on, room.listen).open()
    await anext(stream)
    first = asyncio.ensure_future(anext(stream))
    await turns()
    clock.advance(60.0)
    await first

    task = asyncio.ensure_future(anext(stream))
    await turns()
    assert not task.done()
    clock.advance(0.1)
    assert len(await task) == 9600
    await stream.aclose()


async def test_few_listen_at_once_and_nobody_while_it_is_off() -> None:
    clock, room = FakeClock(), Room()
    listening = Listening(Context(clock), lambda: room.on, room.listen)
    streams = [listening.open() for _ in range(MAX_LISTENERS)]
    for stream in streams:
        await anext(stream)

    with pytest.raises(CommandRefused, match="4 listen already"):
        listening.open()
    for stream in streams:
        await stream.aclose()
    room.on = False
    with pytest.raises(CommandRefused, match="the microphone is off"):
        listening.open()
    assert (room.open, listening.listeners) == (0, 0)


async def test_rules_are_told_from_the_first_who_listens_to_the_last() -> None:
    """EVT-10."""
    context, room = Context(FakeClock()), Room()
    told: list[bool] = []
    context.bus.subscribe(LiveStreamChanged, lambda event: told.append(event.active))
    listening = Listening(context, lambda: room.on, room.listen)
    one, other = listening.open(), listening.open()

    await anext(one)
    await anext(other)
    await one.aclose()
    assert told == [True]
    await other.aclose()
    assert told == [True, False]


async def test_those_who_come_at_the_same_instant_are_no_more_than_others() -> None:
    """Between the request and its first byte others may have come."""
    room = Room()
    listening = Listening(Context(FakeClock()), lambda: room.on, room.listen)
    streams = [listening.open() for _ in range(2 * MAX_LISTENERS)]

    begun = [await anext(stream, b"") for stream in streams]

    assert [bool(piece) for piece in begun] == [True] * MAX_LISTENERS + [False] * MAX_LISTENERS
    assert (room.open, listening.listeners) == (MAX_LISTENERS, MAX_LISTENERS)
    for stream in streams:
        await stream.aclose()


async def test_the_room_is_asked_for_little_at_a_time() -> None:
    """To cancel the echo of a second takes 40 ms: of what is sent at once no more than a fifth is
    made at once, so that the loop is not held up."""
    clock, room = FakeClock(), Room()
    stream = Listening(Context(clock), lambda: room.on, room.listen).open()
    await anext(stream)

    piece = asyncio.ensure_future(anext(stream))
    for n in range(5):
        assert not piece.done()
        await turns()
        clock.advance(0.0201)
        await turns()
        assert room.heard == (n + 1) * 960
    await piece
    await stream.aclose()
