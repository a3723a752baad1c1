"""One microphone for all who listen, open only while somebody does: AUD-01…03."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.settings import Microphone as Settings
from sipstrobe.audio.tap import Tap
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import MicrophoneChanged, ServiceStateChanged
from sipstrobe.services.microphone import CUSHION, Listener, Microphone
from tests.services.room import Played, Script, echo_of, speech
from tests.services.test_recordings import written
from tests.support.clock import FakeClock
from tests.support.hear import largest_step, level_db, loud_spans, tone_db, tone_near
from tests.support.waiting import turns, until

PACKET = 960  # samples: 20 ms
SCRIPT = Settings(input="script", echo_cancellation=False)


class Desk:
    """A microphone on a bus, and whoever listens to it."""

    def __init__(self, *, allowed: bool = True, played: Samples | None = None) -> None:
        """played: by the speaker in the same room, from the beginning on."""
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.told: list[ServiceStateChanged] = []
        self.context.bus.subscribe(ServiceStateChanged, self.told.append)
        self.inputs: list[Script] = []
        self.broken: Exception | None = None
        self.speaker = Played(np.zeros(0, np.float32) if played is None else played)
        self.microphone = Microphone(
            self.context,
            self.speaker.tap,
            lambda: self.speaker.until(self.clock.now()),
            allowed=allowed,
            make_input=self._make,
        )

    def _make(self, name: str, *_: object) -> Script:
        self.inputs.append(Script(name))
        self.inputs[-1].failure = self.broken
        return self.inputs[-1]

    async def settled(self) -> None:
        """Nothing is being opened or closed."""
        await until(lambda: not self.microphone._changing)  # pyright: ignore[reportPrivateUsage]
        await turns()

    async def open(self, wanted: Settings = SCRIPT) -> Listener:
        self.microphone.apply(wanted)
        listener = self.microphone.listen()
        await self.settled()
        return listener

    def hear(
        self, sound: Samples, *listeners: Listener, block: int = 480, ppm: float = 0.0
    ) -> list[Samples]:
        """What listeners get who ask for a packet every 20 ms, while the card hears this in blocks.

        ppm: by how much the card's clock is too fast.
        """
        got: list[list[Samples]] = [[] for _ in listeners]
        given, began = 0, self.clock.now()
        for n in range(sound.size // PACKET - 3):
            self.clock.advance_to(began + (n + 1) * PACKET / SAMPLE_RATE)
            passed = (self.clock.now() - began) * (1 + ppm * 1e-6)
            take = self.inputs[-1].take
            while given + block <= round(passed * SAMPLE_RATE):
                if take is not None:
                    take(sound[given : given + block], began + given / SAMPLE_RATE)
                given += block
            for listener, pieces in zip(listeners, got, strict=True):
                piece = listener(PACKET)
                pieces.append(np.zeros(PACKET, np.float32) if piece is None else piece.copy())
        return [np.concatenate(pieces) for pieces in got]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.settled()
    await desk.microphone.aclose()


def tone(hertz: float, seconds: float, level: float = -20.0) -> Samples:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


async def test_whoever_listens_hears_what_the_microphone_hears(desk: Desk) -> None:
    """Bit for bit, a cushion and a packet late; two listeners the same."""
    one = await desk.open()
    two = desk.microphone.listen()
    sound = tone(1000.0, 1.0)

    first, second = desk.hear(sound, one, two)

    assert len([i for i in desk.inputs if i.take is not None]) == 1
    assert np.array_equal(first, second)
    silent = int(np.argmax(first != 0.0))
    delay = silent - int(np.argmax(sound != 0.0))
    assert 0 <= delay <= PACKET + CUSHION
    assert np.array_equal(first[silent:], sound[silent - delay : first.size - delay])
    assert (one.underruns, two.underruns) == (0, 0)


async def test_rules_are_told_whether_it_is_on(desk: Desk) -> None:
    """EVT-10: with an input and not muted, whether somebody listens or not."""
    told: list[bool] = []
    desk.context.bus.subscribe(MicrophoneChanged, lambda event: told.append(event.on))

    for wanted in (Settings(), SCRIPT, SCRIPT, replace(SCRIPT, muted=True), SCRIPT, Settings()):
        desk.microphone.apply(wanted)

    assert told == [True, False, True, False]
    await desk.settled()


async def test_a_microphone_that_is_not_allowed_is_never_on() -> None:
    """AUD-07."""
    desk = Desk(allowed=False)
    told: list[MicrophoneChanged] = []
    desk.context.bus.subscribe(MicrophoneChanged, told.append)

    desk.microphone.apply(SCRIPT)

    assert told == []
    await desk.microphone.aclose()


async def test_it_is_open_while_somebody_listens(desk: Desk) -> None:
    one = await desk.open()
    two = desk.microphone.listen()
    input_ = desk.inputs[-1]
    one.close()
    await desk.settled()
    assert input_.take is not None

    two.close()
    await desk.settled()

    assert input_.take is None
    assert one(PACKET) is None
    assert desk.microphone.snapshot()["open"] is False


async def test_what_is_named_is_tried_once_though_nobody_listens(desk: Desk) -> None:
    """So that its owner learns at once whether it works."""
    desk.microphone.apply(SCRIPT)
    await desk.settled()
    await desk.settled()

    assert [(i.opened, i.take) for i in desk.inputs] == [(1, None)]
    assert desk.told == [ServiceStateChanged(service="microphone", working=True, problem="")]


async def test_off_costs_nothing_and_opens_nothing(desk: Desk) -> None:
    desk.microphone.apply(Settings())
    listener = desk.microphone.listen()

    assert listener(PACKET) is None
    assert not desk.microphone.on
    assert (desk.inputs, desk.told, desk.clock.waiting) == ([], [], 0)


async def test_muted_nothing_of_the_room_is_heard_at_all(desk: Desk) -> None:
    """The input is closed; whoever listens goes on when it is no longer muted (AUD-03)."""
    listener = await desk.open()
    [before] = desk.hear(tone(1000.0, 0.4), listener)
    desk.microphone.apply(Settings(input="script", echo_cancellation=False, muted=True))
    await desk.settled()
    assert desk.inputs[-1].take is None
    [muted] = desk.hear(tone(1000.0, 0.4), listener)

    desk.microphone.apply(SCRIPT)
    await desk.settled()
    [after] = desk.hear(tone(1000.0, 0.4), listener)

    assert not muted.any()
    assert before.any()
    assert after.any()


async def test_a_kill_switch_of_its_owner_beats_all_settings() -> None:
    """AUD-07: whatever is set by the page or the API."""
    desk = Desk(allowed=False)

    listener = await desk.open()

    assert listener(PACKET) is None
    assert not desk.inputs
    assert desk.microphone.snapshot()["allowed"] is False


@pytest.mark.parametrize("gain_db", [-12.0, 6.0])
async def test_gain(desk: Desk, gain_db: float) -> None:
    wanted = Settings(input="script", echo_cancellation=False, gain_db=gain_db)
    listener = await desk.open(wanted)

    [heard] = desk.hear(tone(1000.0, 0.6), listener)

    assert tone_db(heard[-9600:].astype(np.float64), 1000.0) == pytest.approx(-20.0 + gain_db, 0.01)


async def test_too_much_gain_is_limited_and_not_clipped(desk: Desk) -> None:
    wanted = Settings(input="script", echo_cancellation=False, gain_db=40.0)
    listener = await desk.open(wanted)

    [heard] = desk.hear(tone(400.0, 0.6), listener)

    sound = heard[-9600:].astype(np.float64)
    assert abs(sound).max() < 1.0
    assert tone_db(sound, 1200.0) < -50.0  # no third harmonic


@pytest.mark.parametrize("level", [-34.0, -14.0])
async def test_automatic_gain_brings_voices_to_one_level(desk: Desk, level: float) -> None:
    wanted = Settings(input="script", echo_cancellation=False, automatic_gain=True)
    listener = await desk.open(wanted)

    [heard] = desk.hear(speech(8.0, level), listener)

    assert level_db(heard[-48000:].astype(np.float64)) == pytest.approx(-21.0, abs=3.0)


async def test_automatic_gain_goes_by_what_the_fixed_gain_leaves(desk: Desk) -> None:
    """And no silence, as of a microphone with a switch, makes it forget what it knows."""
    wanted = Settings(input="script", echo_cancellation=False, automatic_gain=True, gain_db=12.0)
    listener = await desk.open(wanted)
    sound = speech(8.0, -20.0)
    sound[96_000:192_000] = 0.0

    [heard] = desk.hear(sound, listener)

    assert level_db(heard[-48000:].astype(np.float64)) == pytest.approx(-21.0, abs=3.0)


async def test_automatic_gain_keeps_what_it_knows_until_it_is_switched_off(desk: Desk) -> None:
    automatic = Settings(input="script", echo_cancellation=False, automatic_gain=True)
    listener = await desk.open(automatic)
    desk.hear(speech(4.0, -34.0), listener)
    known = desk.microphone.snapshot()["gain_db"]
    assert known > 6.0

    desk.microphone.apply(replace(automatic, gain_db=1.0))
    assert desk.microphone.snapshot()["gain_db"] == pytest.approx(known + 1.0)
    desk.microphone.apply(replace(automatic, automatic_gain=False))
    assert desk.microphone.snapshot()["gain_db"] == 0.0


async def test_a_gain_that_is_taken_back_is_gone_without_a_click(desk: Desk) -> None:
    listener = await desk.open(replace(SCRIPT, gain_db=12.0))
    loud = tone(400.0, 0.5)
    [before] = desk.hear(loud, listener)
    desk.microphone.apply(SCRIPT)

    [after] = desk.hear(np.roll(loud, -before.size), listener)

    settled = tone_db(after[-9600:].astype(np.float64), 400.0)
    assert settled == pytest.approx(-20.0, abs=0.1)
    most = largest_step(before[PACKET * 5 :].astype(np.float64))
    assert largest_step(after[: -PACKET * 5].astype(np.float64)) <= 1.01 * most


async def test_it_is_told_how_loud_it_is_there(desk: Desk) -> None:
    """After the gain, as those who listen hear it."""
    listener = await desk.open(replace(SCRIPT, gain_db=6.0))
    assert desk.microphone.snapshot()["level_db"] == -120.0

    desk.hear(tone(1000.0, 0.5), listener)

    assert desk.microphone.snapshot()["level_db"] == pytest.approx(-14.0, abs=0.1)


async def test_whoever_speaks_through_the_speaker_does_not_hear_himself() -> None:
    """AUD-02: by whatever means there are here, and with the instants that the card tells."""
    far = speech(5.0)
    desk = Desk(played=far)
    listener = await desk.open(Settings(input="script"))
    back = echo_of(far)

    [heard] = desk.hear(back, listener)

    late = heard[3 * SAMPLE_RATE :].astype(np.float64)
    loud = level_db(back[3 * SAMPLE_RATE : 5 * SAMPLE_RATE].astype(np.float64))
    assert level_db(late) < loud - 15.0
    await desk.settled()
    await desk.microphone.aclose()


async def test_a_witness_hears_the_room_as_it_is(desk: Desk) -> None:
    """Before anything is done to it; and no more after it has gone."""
    pieces: list[Samples] = []
    witness = desk.microphone.witness(lambda piece: pieces.append(piece.copy()))
    listener = await desk.open(replace(SCRIPT, gain_db=-12.0))
    sound = tone(1000.0, 0.4)

    desk.hear(sound, listener)
    witness.read()
    witness.close()
    heard = np.concatenate(pieces)
    desk.hear(sound, listener)

    assert np.array_equal(heard, sound[: heard.size])
    assert heard.size > 0.3 * SAMPLE_RATE
    assert sum(piece.size for piece in pieces) == heard.size


@pytest.mark.parametrize("ppm", [-500.0, 500.0])
async def test_a_card_with_another_clock_is_followed_without_a_gap(desk: Desk, ppm: float) -> None:
    """The sound is played a little faster or slower; else a minute would be astray by 30 ms."""
    listener = await desk.open()
    sound = tone(440.0, 60.0)

    [heard] = desk.hear(sound, listener, ppm=ppm)

    assert listener.underruns == 0
    begun = heard[SAMPLE_RATE:].astype(np.float64)
    assert largest_step(begun) < 1.05 * largest_step(sound.astype(np.float64))


@pytest.mark.parametrize("ppm", [-500.0, 500.0])
async def test_the_delay_stays_whatever_the_clock_of_the_card_does(desk: Desk, ppm: float) -> None:
    """Of two beeps in the room, the second is heard neither earlier nor later than the first."""
    listener = await desk.open()
    sound = np.zeros(60 * SAMPLE_RATE, np.float32)
    for second in (2, 58):
        sound[second * SAMPLE_RATE :][:4800] = tone(1000.0, 0.1)

    [heard] = desk.hear(sound, listener, ppm=ppm)

    first, *_, last = loud_spans(heard.astype(np.float64), block=0.001)
    apart = 56.0 / (1 + ppm * 1e-6)  # and 28 ms more or less by the clock of the card
    assert last[0] - first[0] == pytest.approx(apart, abs=0.015)


@pytest.mark.parametrize("block", [128, 1024])
async def test_the_blocks_of_a_card_may_have_any_length(desk: Desk, block: int) -> None:
    listener = await desk.open()

    [heard] = desk.hear(tone(1000.0, 2.0), listener, block=block)

    assert listener.underruns <= 1
    assert tone_db(heard[-9600:].astype(np.float64), 1000.0) == pytest.approx(-20.0, abs=0.1)


async def test_after_a_hold_up_the_newest_is_heard(desk: Desk) -> None:
    """What was not asked for in time is left out; the delay does not grow."""
    listener = await desk.open()
    sound: Samples = np.linspace(0.0, 0.5, SAMPLE_RATE, dtype=np.float32)
    take = desk.inputs[-1].take
    assert take is not None
    for start in range(0, 24000, 480):
        take(sound[start : start + 480], start / SAMPLE_RATE)
    desk.clock.advance(0.5)

    piece = listener(PACKET)

    assert piece is not None
    assert piece[-1] > sound[24000 - PACKET - CUSHION - 480]
    assert desk.microphone.snapshot()["lost"] > 0


async def test_after_a_hold_up_nobody_sounds_higher_or_lower(desk: Desk) -> None:
    """What is left out is not made up for by playing the rest slower."""
    listener = await desk.open()
    desk.hear(tone(440.0, 3.0), listener)
    take = desk.inputs[-1].take
    assert take is not None
    take(tone(440.0, 0.4), desk.clock.now())
    desk.clock.advance(0.4)

    [heard] = desk.hear(tone(440.0, 4.0), listener)

    assert desk.microphone.snapshot()["lost"] > 0
    assert tone_near(heard[SAMPLE_RATE:].astype(np.float64), 440.0) == pytest.approx(440.0, abs=0.1)


async def test_what_does_not_work_is_told_and_tried_again(desk: Desk) -> None:
    desk.broken = MediaError("No microphone: PortAudio finds none.")
    listener = await desk.open()
    assert listener(PACKET) is None
    assert [t.problem for t in desk.told] == ["No microphone: PortAudio finds none."]

    for seconds in (1.0, 2.0):
        desk.clock.advance(seconds)
        await desk.settled()
    desk.broken = None
    assert len(desk.inputs) == 3
    desk.clock.advance(4.0)
    await desk.settled()

    [heard] = desk.hear(tone(1000.0, 0.4), listener)
    assert heard.any()
    assert desk.told[-1].working


@pytest.mark.parametrize("fault", ["stops", "hangs"])
async def test_a_card_that_is_lost_is_looked_for_again(desk: Desk, fault: str) -> None:
    listener = await desk.open()
    desk.hear(tone(1000.0, 0.5), listener)
    lost = desk.inputs[-1]
    if fault == "stops":
        lost.problem = "The microphone script has stopped."

    desk.clock.advance(2.5)
    await desk.settled()

    words = {"stops": "has stopped", "hangs": "hangs"}[fault]
    assert desk.told[-1].problem == f"The microphone script {words}."
    assert lost.closed
    desk.clock.advance(1.0)
    await desk.settled()
    assert desk.inputs[-1] is not lost
    [heard] = desk.hear(tone(1000.0, 0.4), listener)
    assert heard.any()


async def test_another_input_takes_over_for_those_who_listen(desk: Desk) -> None:
    listener = await desk.open()
    desk.hear(tone(1000.0, 0.4), listener)

    desk.microphone.apply(Settings(input="other", echo_cancellation=False))
    await until(lambda: desk.inputs[-1].name == "other" and desk.inputs[-1].take)
    await desk.settled()

    [heard] = desk.hear(tone(500.0, 0.4), listener)
    assert tone_db(heard[-9600:].astype(np.float64), 500.0) == pytest.approx(-20.0, abs=0.1)
    assert desk.inputs[0].closed


async def test_a_problem_is_over_when_the_input_is_switched_off(desk: Desk) -> None:
    desk.broken = MediaError("no")
    await desk.open()

    desk.microphone.apply(Settings())

    assert [t.problem for t in desk.told] == ["no", ""]
    assert desk.clock.waiting == 0


async def test_a_file_is_a_microphone(tmp_path: Path) -> None:
    """wav:PATH, at any of the rates that greetings may have."""
    path = written(tmp_path / "mic.wav", 16_000, seconds=1.0, frequency=500.0)
    clock = FakeClock()
    context = Context(clock)
    microphone = Microphone(context, Tap(), lambda: None)
    microphone.apply(Settings(input=f"wav:{path}", echo_cancellation=False))
    listener = microphone.listen()
    ready: Callable[[], object] = lambda: microphone.fresh() is not None  # noqa: E731
    await until(ready)

    pieces: list[Samples] = []
    for _ in range(50):
        clock.advance(0.02)
        piece = listener(PACKET)
        pieces += [] if piece is None else [piece]

    sound = np.concatenate(pieces).astype(np.float64)
    assert sound.size >= 47 * PACKET
    assert tone_db(sound[-24000:], 500.0) == pytest.approx(-9.03, abs=0.1)
    assert listener.underruns == 0
    await microphone.aclose()
