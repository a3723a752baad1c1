"""Who is heard with whom, and how loud, as it leaves the speaker."""

import msgspec
import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db, rms_db
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings, Emergency, MixRule, Volumes
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.commands import SetVolume
from tests.services.test_sound import Bench

CALL, PAGE, SIREN, CLIP, TONE = SourceKind


def _tone(frequency: float, seconds: float = 20.0, level: float = 0.25) -> SampleRing:
    ring = SampleRing(round(seconds * SAMPLE_RATE))
    t = np.arange(ring.capacity) / SAMPLE_RATE
    ring.write((level * np.sin(2 * np.pi * frequency * t)).astype(np.float32))
    return ring


def _silence(seconds: float = 20.0) -> SampleRing:
    ring = SampleRing(round(seconds * SAMPLE_RATE))
    ring.write(np.zeros(ring.capacity, np.float32))
    return ring


def _level_db(sound: Samples, frequency: float) -> float:
    """Of this frequency in the last 0.1 s, as an RMS."""
    last = sound[-4800:].astype(np.float64)
    phase = np.exp(-2j * np.pi * frequency * np.arange(4800) / SAMPLE_RATE)
    return float(20 * np.log10(abs((last * phase).sum()) * 2**0.5 / 4800 + 1e-9))


def test_a_caller_who_speaks_makes_the_siren_softer_by_12_db_and_it_comes_back() -> None:
    bench = Bench()
    bench.add("siren", _tone(1000.0), SIREN, rank=3)
    before = bench.play(0.5)

    bench.add("call", _tone(400.0, seconds=1.0), CALL, rank=5)
    during = bench.play(0.9)
    after = bench.play(2.0)

    level = _level_db(before, 1000.0)
    assert _level_db(during, 1000.0) == pytest.approx(level - 12.0, abs=0.1)
    assert _level_db(during, 400.0) == pytest.approx(level, abs=0.1)
    assert _level_db(after, 1000.0) == pytest.approx(level, abs=0.1)
    steps = np.abs(np.diff(np.concatenate([before, during, after])))
    assert steps.max() < 0.25 * 2 * np.pi * 1400 / SAMPLE_RATE  # no more than both tones make


def test_the_siren_makes_room_within_two_looks_at_who_speaks() -> None:
    bench = Bench()
    bench.add("siren", _tone(1000.0), SIREN, rank=3)
    bench.play(0.5)
    bench.add("call", _tone(400.0), CALL, rank=5)

    bench.play(0.05)

    assert {s["owner"]: s["ducked"] for s in bench.sound.snapshot()["sources"]} == {
        "call": False,
        "siren": True,
    }


def test_an_open_line_on_which_nobody_speaks_leaves_the_siren_as_it_is() -> None:
    bench = Bench()
    bench.add("siren", _tone(1000.0), SIREN, rank=3)
    before = bench.play(0.5)

    bench.add("call", _silence(), CALL, rank=5)
    during = bench.play(1.0)

    assert _level_db(during, 1000.0) == pytest.approx(_level_db(before, 1000.0), abs=0.01)


def test_pauses_between_words_do_not_bring_the_siren_back() -> None:
    bench = Bench()
    ring = SampleRing(4 * SAMPLE_RATE)
    t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    word = (0.25 * np.sin(2 * np.pi * 400 * t)).astype(np.float32)
    ring.write(np.concatenate([word, np.zeros_like(word)] * 3))
    bench.add("siren", _tone(1000.0), SIREN, rank=3)
    level = _level_db(bench.play(0.5), 1000.0)

    bench.add("call", ring, CALL, rank=5)
    heard = [bench.play(0.5) for _ in range(6)]

    found = [_level_db(part, 1000.0) for part in heard]
    assert found == pytest.approx([level - 12.0] * 6, abs=0.1)


def test_a_siren_of_higher_priority_stays_as_loud_as_it_is() -> None:
    bench = Bench()
    bench.add("siren", _tone(1000.0), SIREN, rank=9)
    before = bench.play(0.5)

    bench.add("call", _tone(400.0), CALL, rank=5)
    during = bench.play(0.5)

    assert _level_db(during, 1000.0) == pytest.approx(_level_db(before, 1000.0), abs=0.01)


def test_the_owner_says_otherwise_while_it_sounds() -> None:
    bench = Bench()
    bench.add("siren", _tone(1000.0), SIREN, rank=3)
    bench.add("call", _tone(400.0), CALL, rank=5)
    ducked = _level_db(bench.play(1.0), 1000.0)

    rule = MixRule(over="call", under="siren", does="duck", duck_db=-20.0)
    bench.sound.apply(AudioSettings(output="hand", policy=(rule,)))
    lower = _level_db(bench.play(1.0), 1000.0)
    rule = MixRule(over="call", under="siren", does="mix")
    bench.sound.apply(AudioSettings(output="hand", policy=(rule,)))
    mixed = _level_db(bench.play(1.0), 1000.0)

    assert lower == pytest.approx(ducked - 8.0, abs=0.1)
    assert mixed == pytest.approx(ducked + 12.0, abs=0.1)


def test_each_kind_has_its_volume_and_it_changes_without_a_click() -> None:
    bench = Bench()
    bench.add("call", _tone(400.0), CALL, rank=9)
    bench.add("siren", _tone(1000.0), SIREN, rank=9)
    rule = MixRule(over="call", under="siren", does="mix")
    bench.sound.apply(AudioSettings(output="hand", policy=(rule,)))
    before = bench.play(0.5)

    volumes = Volumes(call=-6.0, siren=-20.0)
    bench.sound.apply(AudioSettings(output="hand", policy=(rule,), volumes=volumes))
    after = bench.play(0.5)

    for frequency, change_db in ((400.0, -6.0), (1000.0, -20.0)):
        change = _level_db(after, frequency) - _level_db(before, frequency)
        assert change == pytest.approx(change_db, abs=0.1)
    steps = np.abs(np.diff(np.concatenate([before, after])))
    assert steps.max() < 0.25 * 2 * np.pi * 1400 / SAMPLE_RATE


def test_an_emergency_sounds_on_a_muted_device_and_nothing_else_does() -> None:
    bench = Bench()
    emergency = Emergency(priority=8, volume_db=-6.0)
    bench.sound.apply(AudioSettings(output="hand", muted=True, emergency=emergency))
    bench.add("call", _tone(400.0), CALL, rank=5)
    assert not bench.play(0.2).any()

    bench.add("siren", _tone(1000.0), SIREN, rank=8)
    sounding = bench.play(0.3)
    bench.context.dispatcher.execute(SetVolume(volume_db=-60.0, muted=False))
    softer = bench.play(0.3)

    level = 20 * np.log10(0.25 / 2**0.5)
    assert _level_db(sounding, 1000.0) == pytest.approx(level - 6.0, abs=0.1)
    assert _level_db(sounding, 400.0) < -100.0
    assert _level_db(softer, 1000.0) == pytest.approx(level - 6.0, abs=0.1)
    assert _level_db(softer, 400.0) == pytest.approx(level - 60.0, abs=1.0)


def test_a_quiet_caller_becomes_louder() -> None:
    """Words of 0.3 s, 0.1 s between them, at -40 dBFS."""
    bench = Bench()
    bench.sound.apply(AudioSettings(output="hand", level_callers=True))
    t = np.arange(round(0.3 * SAMPLE_RATE)) / SAMPLE_RATE
    word = gain_from_db(-40.0) * 2**0.5 * np.sin(2 * np.pi * 400 * t)
    pause = np.zeros(round(0.1 * SAMPLE_RATE))
    ring = SampleRing(10 * SAMPLE_RATE)
    ring.write(np.concatenate([pause, *[word, pause] * 12]).astype(np.float32))

    bench.add("call", ring, CALL, rank=5)
    heard = bench.play(4.8)

    first, last = heard[4800:14400], heard[-19200:-4800]
    assert 10.0 < rms_db(last) - rms_db(first) < 18.5
    assert np.abs(np.diff(heard)).max() < 0.02


def test_at_full_volume_a_page_is_heard_instead_of_the_siren_and_the_siren_returns() -> None:
    """What a page does to the siren: mute and full volume, also where the owner is soft on pages
    and has muted the device."""
    bench = Bench()
    rule = MixRule(over="page", under="siren", does="full")
    audio = AudioSettings(output="hand", policy=(rule,), volumes=Volumes(page=-20.0), muted=True)
    bench.sound.apply(audio)
    bench.add("siren", _tone(1000.0), SIREN, rank=5)
    bench.add("page", _tone(400.0), PAGE, rank=5)

    muted = bench.play(0.5)
    bench.sound.apply(msgspec.structs.replace(audio, muted=False))
    heard = bench.play(0.5)
    bench.remove("siren")
    alone = bench.play(0.5)

    full = 20 * np.log10(0.25 / 2**0.5)
    for sound in (muted, heard):
        assert _level_db(sound, 400.0) == pytest.approx(full, abs=0.1)
        assert _level_db(sound, 1000.0) < -80.0
    assert _level_db(alone, 400.0) == pytest.approx(full - 20.0, abs=0.1)


def test_who_can_wait_is_told_when_no_other_silences_him() -> None:
    """Not when the speaker is muted: then nobody is to hear him, and he need not wait."""
    bench, told = Bench(), list[bool]()
    bench.add("siren", _tone(1000.0), SIREN, rank=9)
    order = AddSource(owner="page", kind=CLIP, ring=_tone(400.0), rank=5, on_turn=told.append)
    bench.context.dispatcher.execute(order)
    bench.play(0.1)
    assert told == [False], "a siren is alone over a clip"

    bench.context.dispatcher.execute(SetVolume(muted=True))
    bench.play(0.1)
    assert told == [False]
    bench.context.dispatcher.execute(RemoveSource(owner="siren"))
    bench.play(0.1)

    assert told == [False, True]
