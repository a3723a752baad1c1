"""Who talks from a browser: what comes to the speaker and what goes to him, and when it ends."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.services.talk import (
    AHEAD,
    CONNECT_LIMIT,
    FRAMES_MAX,
    LONGEST,
    MAX_TALKERS,
    NOTHING_LIMIT,
    SILENCE_LIMIT,
    START,
    Talk,
)
from sipstrobe.trace import Input
from tests.support.clock import FakeClock
from tests.support.hear import largest_step
from tests.support.talk import OFFER, FakeLine, FakeLines
from tests.support.waiting import turns

LISTENING = OFFER.replace("a=sendonly", "a=recvonly")
BOTH = OFFER.replace("a=sendonly", "a=sendrecv")


class Room:
    """A device with a microphone that hears a constant, and a speaker that lists its sources."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000.0)
        self.context = Context(self.clock)
        self.lines = FakeLines()
        self.has_microphone = True
        self.muted = False
        self.missed = 0  # samples that the speaker would have played
        self.open_microphones = 0
        self.allowed = True
        self.sources: dict[str, AddSource] = {}
        self.was: list[AddSource] = []
        self.causes: list[str] = []
        self.refusal: CommandRefused | None = None
        self.context.dispatcher.serve(AddSource, self._add)
        self.context.dispatcher.serve(RemoveSource, lambda c: self.sources.pop(c.owner, None))
        self.talk = Talk(self.context, self.lines, lambda: self.has_microphone, self._listen)

    async def join(self, offer: str = OFFER) -> FakeLine:
        await self.talk.open(offer, "olga", "192.0.2.9", lambda: self.allowed)
        line = self.lines.made[-1]
        line.changed("connected")
        return line

    def say(
        self,
        line: FakeLine,
        level: float,
        seconds: float,
        rate: int = SAMPLE_RATE,
        played: int = SAMPLE_RATE // 50,
    ) -> None:
        """Frames come in real time, while the speaker plays so many samples in the time of each."""
        for _ in range(round(seconds / 0.02)):
            line.tone(level, rate=rate)
            self.clock.advance(0.02)
            for source in self.sources.values():
                self.missed += played - source.ring.skip(played)

    def _add(self, command: AddSource) -> None:
        if self.refusal is not None:
            raise self.refusal
        cause = self.context.trace.current
        root = None if cause is None else cause.root.what
        assert isinstance(root, Input)
        self.causes.append(f"{root.kind}: {root.words}")
        self.sources[command.owner] = command
        self.was.append(command)

    def _listen(self) -> "Room":
        self.open_microphones += 1
        return self

    def __call__(self, count: int) -> Samples | None:
        return None if self.muted else np.full(count, 0.25, np.float32)

    def close(self) -> None:
        self.open_microphones -= 1


async def test_each_press_is_one_sound_with_the_priority_of_the_settings() -> None:
    """A page, in the place of audio streams, for as long as something is said."""
    room = Room()
    room.talk.apply(7)
    line = await room.join()

    room.say(line, 0.0, 1.0)  # the key is not pressed
    assert not room.sources
    room.say(line, 0.3, 2.0)
    assert room.talk.snapshot()[0]["talking"] is True
    room.say(line, 0.0, 1.5)
    assert not room.sources
    room.say(line, 0.3, 0.5)

    assert [(s.owner, s.kind, s.rank, s.streamed) for s in room.was] == [
        ("talk-1", SourceKind.PAGE, 7, True)
    ] * 2
    assert room.was[0].ring is not room.was[1].ring
    assert [s.ring.ended for s in room.was] == [True, False]  # one is over, the other goes on


async def test_the_cause_of_what_is_heard_is_whoever_talks() -> None:
    room = Room()
    line = await room.join()

    line.tone(0.3)

    assert room.causes == ["webrtc: olga talks"]


async def test_what_came_just_before_the_word_is_heard_too() -> None:
    """The frame that was too soft to begin with is the cushion that waits before the first."""
    room = Room()
    line = await room.join()

    line.tone(0.0005)
    line.tone(0.3)

    ring = room.was[0].ring
    heard = np.zeros(ring.fill, np.float32)
    ring.read_into(heard)
    assert heard.size == round((START + 0.02) * SAMPLE_RATE)
    assert np.allclose(heard[960:1920], 0.0005)
    assert np.allclose(heard[1930:], 0.3, atol=1e-3)  # its first samples are those of the warp


async def test_neither_a_whisper_nor_a_breath_ends_what_is_said() -> None:
    """Soft words are words, and between two of them is a pause."""
    room = Room()
    line = await room.join()

    room.say(line, 0.003, 1.0)  # -50 dBFS
    room.say(line, 0.0, 0.9)
    room.say(line, 0.003, 1.0)

    assert len(room.was) == 1
    assert room.was[0].ring.written == pytest.approx((2.9 + START) * SAMPLE_RATE, rel=0.01)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
async def test_any_codec_of_browsers_is_heard(rate: int) -> None:
    """PCMU, G.722 and Opus, as decoded."""
    room = Room()
    line = await room.join()

    room.say(line, 0.3, 1.0, rate)

    assert room.was[0].ring.written == pytest.approx((1.0 + START) * SAMPLE_RATE, rel=0.01)


async def test_what_is_heard_of_a_narrow_codec_has_no_clicks_between_its_packets() -> None:
    """Nor has that of the next, when the browser changes it."""
    room = Room()
    line = await room.join()
    line.tone(0.3)  # so that something is said
    heard: dict[int, Samples] = {}

    for rate in (16000, 8000):
        tone = 0.3 * np.sin(2 * np.pi * 400.0 * np.arange(rate) / rate)
        pieces: list[Samples] = []
        for frame in np.split(tone.astype(np.float32), 50):
            line.heard(frame, rate)
            pieces.append(np.zeros(SAMPLE_RATE // 50, np.float32))
            room.was[0].ring.read_into(pieces[-1])
            room.clock.advance(0.02)
        heard[rate] = np.concatenate(pieces)

    for sound in heard.values():
        later = sound[SAMPLE_RATE // 4 :].astype(np.float64)
        assert largest_step(later) == pytest.approx(0.3 * 2 * np.pi * 400.0 / SAMPLE_RATE, rel=0.05)


async def test_an_empty_packet_is_no_sound() -> None:
    room = Room()
    line = await room.join()

    line.heard(np.zeros(0, np.float32), SAMPLE_RATE)

    assert not room.sources


async def test_what_was_held_up_shortly_is_heard_whole() -> None:
    room = Room()
    line = await room.join()

    line.tone(0.3, frames=9)  # at once, as after 180 ms on the way

    assert room.was[0].ring.fill == pytest.approx((0.18 + START) * SAMPLE_RATE, rel=0.01)
    waiting = room.context.measures.histogram("talk_waiting_seconds")
    assert (waiting.count, waiting.largest) == (9, pytest.approx(0.18 + START, rel=0.01))


@pytest.mark.parametrize("played", [959, 961])
async def test_a_browser_with_another_clock_is_followed(played: int) -> None:
    """In two minutes it is astray by 120 ms, of which nothing is missed and nothing piles up."""
    room = Room()
    line = await room.join()

    room.say(line, 0.3, 120.0, played=played)

    assert room.missed == 0
    assert room.was[0].ring.fill <= round(3 * START * SAMPLE_RATE)


async def test_after_a_gap_some_waits_again_so_that_there_is_not_one_after_another() -> None:
    room = Room()
    line = await room.join()
    room.say(line, 0.3, 1.0)
    room.was[0].ring.skip(SAMPLE_RATE)  # nothing comes for a while

    line.tone(0.3)

    assert room.was[0].ring.fill == pytest.approx((START + 0.02) * SAMPLE_RATE, abs=5)


async def test_a_burst_is_not_heard_late_for_ever() -> None:
    """After a lost packet all that was held back comes at once: what is too much is left out."""
    room = Room()
    line = await room.join()

    line.tone(0.3, frames=50)

    assert room.was[0].ring.fill <= round((AHEAD + START) * SAMPLE_RATE)


async def test_a_speaker_that_takes_no_more_is_asked_again() -> None:
    room = Room()
    room.refusal = CommandRefused("too_many_sources", "512 are listed")
    line = await room.join()
    line.tone(0.3)
    assert not room.talk.snapshot()[0]["talking"]

    room.refusal = None
    line.tone(0.3)

    assert room.talk.snapshot()[0]["talking"]


async def test_it_is_told_how_loud_and_for_how_long_somebody_talks() -> None:
    room = Room()
    line = await room.join()
    silent = room.talk.snapshot()[0]
    room.say(line, 0.1, 2.0)

    talks = room.talk.snapshot()[0]

    assert (silent["level_db"], silent["seconds"]) == (-120.0, 0.0)
    assert (talks["level_db"], talks["seconds"]) == (-20.0, 2.0)


# --- listening ----------------------------------------------------------------------------------


async def test_the_microphone_is_heard_in_real_time_and_closed_in_the_end() -> None:
    room = Room()
    line = await room.join(LISTENING)

    room.clock.advance(1.0)
    room.clock.time += 5.0  # the machine sleeps: what is old by now is left out
    room.clock.advance(0.02)

    assert line.speaks
    assert 50 <= len(line.said) <= 56
    assert all(block.size == SAMPLE_RATE // 50 for block in line.said)
    assert np.allclose(line.said[0], 0.25)
    assert room.open_microphones == 1
    assert room.talk.close("talk-1")
    await turns()
    assert (room.open_microphones, line.closed) == (0, True)


async def test_whoever_listens_to_a_muted_microphone_hears_silence() -> None:
    room = Room()
    line = await room.join(LISTENING)
    room.muted = True

    room.clock.advance(0.1)

    assert len(line.said) == 6
    assert line.said[0].any()
    assert not np.concatenate(line.said[1:]).any()


async def test_a_short_hold_up_of_the_device_is_made_good_to_whoever_listens() -> None:
    """And nothing is given before its time."""
    room = Room()
    line = await room.join(LISTENING)
    assert len(line.said) == 1
    room.clock.advance(0.01)

    room.clock.time += 0.04
    room.clock.advance(0.02)

    assert len(line.said) == 4  # at 0, 20, 40 and 60 ms


async def test_without_a_microphone_that_is_said() -> None:
    room = Room()
    room.has_microphone = False

    begun = await room.talk.open(BOTH, "olga", "192.0.2.9", lambda: True)

    assert (begun.listening, begun.words) == (False, "the microphone is off")
    assert not room.lines.made[0].speaks
    begun = await room.talk.open(OFFER, "olga", "192.0.2.9", lambda: True)
    assert (begun.listening, begun.words) == (False, "")  # and nobody wanted to
    room.has_microphone = True
    begun = await room.talk.open(BOTH, "olga", "192.0.2.9", lambda: True)
    assert (begun.listening, begun.words) == (True, "")


# --- the end ------------------------------------------------------------------------------------


def _log_out(room: Room, line: FakeLine) -> None:
    room.allowed = False
    room.clock.advance(1.5)


def _lose(room: Room, line: FakeLine) -> None:
    line.changed("failed")


def _send_nothing(room: Room, line: FakeLine) -> None:
    room.clock.advance(NOTHING_LIMIT + 1.5)


def _say_nothing(room: Room, line: FakeLine) -> None:
    for _ in range(round(SILENCE_LIMIT) + 2):
        line.tone(0.0)
        room.clock.advance(1.0)


def _flood(room: Room, line: FakeLine) -> None:
    line.tone(0.3, frames=FRAMES_MAX + 1)
    room.clock.advance(1.5)


@pytest.mark.parametrize("what", [_log_out, _lose, _send_nothing, _say_nothing, _flood])
async def test_it_ends(what: Callable[[Room, FakeLine], None]) -> None:
    room = Room()
    line = await room.join()
    line.tone(0.3)

    what(room, line)
    await turns()

    assert (room.talk.snapshot(), room.sources, line.closed) == ([], {}, True)
    assert room.clock.waiting == 0
    for state in ("connected", "closed"):  # what comes late from another thread
        line.changed(state)
        line.tone(0.3)
    assert not room.sources


async def test_a_connection_that_never_comes_about_is_given_up() -> None:
    room = Room()
    await room.talk.open(LISTENING, "olga", "192.0.2.9", lambda: True)

    room.clock.advance(CONNECT_LIMIT + 1.5)
    await turns()

    assert room.lines.made[0].closed


async def test_who_was_long_in_coming_is_given_time_for_the_first_word() -> None:
    """He is not parted from for what could not come before there was a connection."""
    room = Room()
    await room.talk.open(OFFER, "olga", "192.0.2.9", lambda: True)
    room.clock.advance(CONNECT_LIMIT - 0.5)
    room.lines.made[0].changed("connected")

    room.clock.advance(NOTHING_LIMIT - 0.5)

    assert not room.lines.made[0].closed
    assert room.talk.snapshot()[0]["state"] == "connected"


async def test_nobody_stays_for_ever() -> None:
    room = Room()
    line = await room.join()
    for _ in range(round(LONGEST / 4.0)):
        assert room.talk.snapshot()
        line.tone(0.3)
        room.clock.advance(4.0)

    room.clock.advance(1.5)
    await turns()

    assert line.closed


async def test_who_listens_need_say_nothing() -> None:
    room = Room()
    await room.join(LISTENING)

    room.clock.advance(SILENCE_LIMIT + 10.0)

    assert room.talk.snapshot()[0]["listening"]


async def test_only_so_many_at_a_time() -> None:
    room = Room()
    for _ in range(MAX_TALKERS):
        await room.join()

    with pytest.raises(CommandRefused, match="4 talk") as refused:
        await room.join()

    assert refused.value.code == "too_many_talkers"
    assert room.talk.close("talk-2")
    assert not room.talk.close("talk-2")
    await room.join()


async def test_those_who_come_at_once_are_counted_too() -> None:
    """It takes a while to answer a browser."""
    room = Room()

    came = await asyncio.gather(
        *(room.join() for _ in range(MAX_TALKERS + 1)), return_exceptions=True
    )

    assert [type(c) for c in came if not isinstance(c, FakeLine)] == [CommandRefused]
    assert len(room.talk.snapshot()) == MAX_TALKERS


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ImportError("no aiortc"), "not_available"), (TimeoutError(), "no_answer")],
)
async def test_what_cannot_be_answered_leaves_nothing_behind(failure: Exception, code: str) -> None:
    room = Room()
    room.lines.failure = failure

    for _ in range(MAX_TALKERS + 1):
        with pytest.raises(CommandRefused) as refused:
            await room.join()
        assert refused.value.code == code
    with pytest.raises(RemoteProtocolError, match="neither"):
        await room.join(OFFER.replace("a=sendonly", "a=inactive"))
    assert room.talk.snapshot() == []


async def test_the_end_of_the_device_parts_from_everybody() -> None:
    room = Room()
    line = await room.join(BOTH)
    line.tone(0.3)

    await room.talk.aclose()

    assert (line.closed, room.lines.closed, room.sources) == (True, True, {})
    assert room.clock.waiting == 0
