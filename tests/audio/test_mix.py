"""What the audio thread does."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.mix import MAX_PERIOD, Channel, Entry, Mixer, MixPlan
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.tap import LOOK_BACK, TAP_SAMPLES, Tap

FADE = 240


def _channel(sound: Samples) -> Channel:
    ring = SampleRing(max(1, sound.size))
    ring.write(sound)
    return Channel(ring)


def _plan(*channels: Channel) -> MixPlan:
    return MixPlan(tuple(Entry(channel, 1.0) for channel in channels))


def _mixed(mixer: Mixer, *sizes: int, at: float = 0.0) -> Samples:
    blocks = [np.full(size, 7.0, np.float32) for size in sizes]
    for block in blocks:
        mixer.mix(block, at)
        at += block.size / SAMPLE_RATE
    return np.concatenate(blocks)


def _tone(amplitude: float, samples: int, frequency: float = 440.0) -> Samples:
    t = np.arange(samples) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def _largest_step(sound: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(sound, prepend=0.0)).max())


def test_an_empty_plan_is_silence() -> None:
    assert not _mixed(Mixer(), 480, 480).any()


def test_a_source_is_heard_sample_for_sample_once_it_has_faded_in() -> None:
    sound = _tone(0.5, 4800)
    mixer = Mixer()
    mixer.plan = _plan(_channel(sound))

    assert np.array_equal(_mixed(mixer, *[480] * 10)[FADE:], sound[FADE:])


def test_sources_add_up_each_with_its_gain() -> None:
    one, other = _tone(0.25, 2400), _tone(0.25, 2400, 700.0)
    mixer = Mixer()
    mixer.plan = MixPlan((Entry(_channel(one), 1.0), Entry(_channel(other), 0.5)))

    out = _mixed(mixer, *[240] * 10)

    np.testing.assert_allclose(out[FADE:], (one + 0.5 * other)[FADE:], atol=1e-7)


@pytest.mark.parametrize("size", [1, 64, 240, 480, MAX_PERIOD, 3 * MAX_PERIOD + 1])
def test_any_period_will_do(size: int) -> None:
    sound = _tone(0.5, 20 * 480)
    mixer = Mixer()
    mixer.plan = _plan(_channel(sound))

    out = _mixed(mixer, *[size] * min(600, sound.size // size or 1))[: sound.size]

    assert np.array_equal(out[FADE : sound.size], sound[FADE : out.size])


def test_a_source_on_its_way_out_is_silent_after_5_ms_and_says_when() -> None:
    channel = _channel(_tone(0.9, 9600))
    mixer = Mixer()
    mixer.plan = _plan(channel)
    before = _mixed(mixer, *[480] * 5, at=10.0)

    mixer.plan = MixPlan((Entry(channel, 0.0),))
    after = _mixed(mixer, 480, 480, at=10.05)

    assert not after[FADE:].any()
    assert _largest_step(np.concatenate([before, after])) < 0.06  # the tone itself makes 0.052
    assert channel.silent_at == pytest.approx(10.055)


def test_a_silent_source_goes_on_and_does_not_wait() -> None:
    channel = _channel(_tone(0.9, 9600))
    mixer = Mixer()
    mixer.plan = MixPlan((Entry(channel, 0.0),))

    assert not _mixed(mixer, 480, 480).any()

    assert channel.ring.consumed == 960
    assert channel.silent_at == 0.0


def test_the_first_audible_sample_is_dated() -> None:
    sound = np.concatenate([np.zeros(600, np.float32), _tone(0.5, 1000)[1:]])
    channel = _channel(sound)
    mixer = Mixer()
    mixer.plan = _plan(channel)

    _mixed(mixer, 480, 480, at=5.0)

    assert channel.heard_at == pytest.approx(5.0 + 600 / SAMPLE_RATE)


def test_no_array_is_made_while_a_source_is_heard_for_the_first_time() -> None:
    sound = np.concatenate([np.zeros(3000, np.float32), _tone(0.5, 7000)])
    mixer, out = Mixer(), np.empty(4800, np.float32)
    mixer.plan = _plan(_channel(sound))
    tracemalloc.start()
    try:
        for period in range(2):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            mixer.mix(out, period * 0.1)
            assert tracemalloc.get_traced_memory()[1] - before < 4800
    finally:
        tracemalloc.stop()


def test_a_source_without_a_sample_yet_has_not_run_dry() -> None:
    channel = Channel(SampleRing(4800))
    mixer = Mixer()
    mixer.plan = _plan(channel)

    assert not _mixed(mixer, 480, 480).any()
    assert channel.underruns == 0

    channel.ring.write(_tone(0.5, 480))
    assert _mixed(mixer, 480).any()


@pytest.mark.parametrize("available", [960, 961, 1100, 1200, 1439])
def test_a_source_that_runs_dry_fades_out_wherever_it_ends_and_is_counted(available: int) -> None:
    channel = _channel(_tone(0.9, 4800, 1000.0)[24 : 24 + available])
    mixer = Mixer()
    mixer.plan = _plan(channel)

    out = _mixed(mixer, *[480] * 5)

    assert _largest_step(out) < 0.125  # the tone itself makes 0.118
    assert out[available : available + FADE // 2].any()
    assert not out[available + FADE :].any()
    assert channel.underruns == 1


def test_a_source_that_has_ended_fades_out_as_well_and_has_not_run_dry() -> None:
    channel = _channel(_tone(0.9, 4800, 1000.0)[24 : 24 + 1100])
    channel.ring.ended = True
    mixer = Mixer()
    mixer.plan = _plan(channel)

    out = _mixed(mixer, *[480] * 5)

    assert _largest_step(out) < 0.125
    assert out[1100 : 1100 + FADE // 2].any()
    assert not out[1100 + FADE :].any()
    assert (channel.underruns, channel.played) == (0, 1100)


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.sampled_from([0.0, 1.0])), max_size=25),
    st.sampled_from([64, 240, 480]),
)
@settings(max_examples=80, deadline=None)
def test_however_a_source_stutters_and_comes_and_goes_there_is_no_click(
    steps: list[tuple[int, float]], size: int
) -> None:
    """A slow tone, of which some periods bring less than is due, some more, some nothing."""
    sound = _tone(0.5, 30_000, 50.0)
    channel = Channel(SampleRing(2000))
    mixer = Mixer()
    heard: list[Samples] = []

    for count, gain in steps:
        start = channel.ring.written
        channel.ring.write(sound[start : start + count])
        mixer.plan = MixPlan((Entry(channel, gain),))
        heard.append(_mixed(mixer, size))
    heard.append(_mixed(mixer, *[size] * 40))

    assert _largest_step(np.concatenate(heard)) < 0.5 * 0.007 + 0.004
    assert not heard[-1][-size:].any()


def test_what_was_played_is_accounted_for_sample_by_sample() -> None:
    """Half a second as it is, half of it softer, then silenced; and 0.1 s to nobody before."""
    channel = _channel(np.full(60_000, 0.5, np.float32))
    mixer = Mixer()
    mixer.plan = _plan(channel)
    out = np.empty(480, np.float32)
    for period in range(10):
        mixer.mix_unheard(out, period * 0.01)
    assert (channel.played, channel.hidden, channel.heard_at) == (0, 4800, None)

    _mixed(mixer, *[480] * 50, at=1.0)
    mixer.plan = MixPlan((Entry(channel, 0.5, ducked=True),))
    _mixed(mixer, *[480] * 50, at=1.5)
    mixer.plan = MixPlan((Entry(channel, 0.0),))
    _mixed(mixer, 480, 480, at=2.0)

    assert (channel.played, channel.ducked, channel.hidden) == (48_480, 24_000, 5_280)
    assert channel.heard_at == pytest.approx(1.0)
    assert channel.heard_until == pytest.approx(2.01)
    mean_square = (0.5**2 + 0.25**2) / 2
    assert channel.energy / channel.played == pytest.approx(mean_square, rel=0.02)


def test_a_hundred_full_scale_sources_do_not_clip() -> None:
    mixer = Mixer()
    mixer.plan = _plan(*[_channel(np.full(2400, 1.0, np.float32)) for _ in range(100)])

    out = _mixed(mixer, *[480] * 5)

    assert out.max() <= 0.967
    assert mixer.reduction_db == pytest.approx(-40.3, abs=0.1)


def test_the_tap_holds_what_was_really_played() -> None:
    mixer = Mixer()
    mixer.plan = _plan(_channel(_tone(0.5, 4800)))

    out = _mixed(mixer, *[480] * 10)

    assert np.array_equal(mixer.tap.recent(4800), out)
    assert (mixer.tap.played, mixer.tap.seconds) == (4800, 0.1)


@given(st.lists(st.integers(0, MAX_PERIOD), max_size=60))
@settings(max_examples=30, deadline=None)
def test_the_tap_forgets_only_what_is_older_than_it_is_long(sizes: list[int]) -> None:
    tap = Tap()
    total = 0
    for size in sizes:
        tap.write(np.arange(total + 1, total + 1 + size, dtype=np.float32), total / SAMPLE_RATE)
        total += size

    recent = tap.recent(TAP_SAMPLES)

    expected = np.arange(total - recent.size + 1, total + 1, dtype=np.float32).clip(min=0)
    assert np.array_equal(recent, expected)
    assert tap.ends_at == pytest.approx(total / SAMPLE_RATE)
    newest = tap.since(total - 1000)
    assert np.array_equal(newest, recent[max(0, recent.size - min(1000, total)) :])
    assert np.array_equal(tap.since(total - 1000, 10), newest[:10])
    assert tap.since(0).size == min(total, LOOK_BACK)
