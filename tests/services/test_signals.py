"""Orders to light and siren, and what is seen and heard of them."""

import numpy as np
import pytest

from sipstrobe.commands import (
    LocateDevice,
    OperationId,
    StartOperation,
    StartProfile,
    StopAll,
    StopOperations,
    StopProfile,
)
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, OperationChanged
from sipstrobe.lightsiren.frame import DARKNESS, Frame, Side
from sipstrobe.lightsiren.settings import Duration, LightPart, Profile, SirenPart
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.trace import Input
from tests.support.signals import Bench

LED, AUDIO_LED, SPEAKER = Function

RINGING = Profile(
    name="Ringing",
    light=LightPart(pattern="Blink", colors=("green",), speed=2, priority=3),
    siren=SirenPart(pattern="Notification: Calling", priority=3),
)
ALARM = Profile(
    name="Alarm",
    light=LightPart(pattern="Steady", colors=("red",), intensity=5, priority=8),
    siren=SirenPart(pattern="Siren: Evac", priority=8, intensity=5),
)
BRIEF = Profile(
    name="Brief",
    light=LightPart(
        pattern="Blink", speed=2, priority=5, duration=Duration(unit="repetitions", value=3)
    ),
)
DOORBELL = Profile(
    name="Doorbell",
    siren=SirenPart(
        pattern="Notification: Accepted", duration=Duration(unit="repetitions", value=2)
    ),
)


def phases(bench: Bench) -> list[tuple[str, int, str]]:
    return [
        (event.function.value, event.operation, event.phase.value)
        for event in bench.told(OperationChanged)
        if isinstance(event, OperationChanged)
    ]


def test_a_profile_lights_and_sounds_within_the_order() -> None:
    """GAP-01: light and siren are operations of their own, each with an id."""
    bench = Bench(RINGING)

    started = bench.do(StartProfile(profile="Ringing"))

    assert started == (OperationId(LED, 1), OperationId(SPEAKER, 1))
    assert bench.shown() == [(0.0, "green", "Ringing")]
    assert bench.speaker.heard == [(0.0, "siren")]
    assert phases(bench) == [("SignalingLED", 1, "shown"), ("AudioSpeaker", 1, "shown")]


def test_an_order_may_raise_a_profile_above_what_its_own_priorities_are() -> None:
    bench = Bench(RINGING, ALARM)

    bench.do(StartProfile(profile="Alarm"))
    bench.do(StartProfile(profile="Ringing", priority=9))

    assert [(o.profile, o.priority, o.shown) for o in bench.signals.status()] == [
        ("Ringing", 9, True),
        ("Alarm", 8, False),
        ("Ringing", 9, True),
        ("Alarm", 8, False),
    ]


@pytest.mark.parametrize("priority", [0, 11])
def test_no_order_of_a_user_gets_above_the_system(priority: int) -> None:
    """Maintenance is 11."""
    bench = Bench(RINGING)

    with pytest.raises(CommandRefused, match="1 to 10"):
        bench.do(StartProfile(profile="Ringing", priority=priority))

    assert bench.shown() == []


def test_an_id_is_not_given_again() -> None:
    """Who remembers the id of what has ended, as a rule does, must not stop somebody else's."""
    bench = Bench(RINGING, ALARM)
    remembered = bench.do(StartProfile(profile="Ringing"))
    bench.do(StartProfile(profile="Ringing"))  # takes the place of the first (MIX-02)
    bench.do(StartProfile(profile="Alarm"))

    bench.do(StopOperations(operations=remembered, tolerant=True))

    assert [s.profile for s in bench.signals.status() if s.function is LED] == ["Alarm", "Ringing"]


def test_the_light_log_of_an_interrupted_blink() -> None:
    """MIX-01, MIX-03: the frames to the microsecond; the blink returns in its own phase."""
    bench = Bench(RINGING, ALARM)
    bench.do(StartProfile(profile="Ringing"))

    bench.clock.advance_to(1.3)
    bench.do(StartProfile(profile="Alarm"))
    bench.clock.advance_to(2.7)
    bench.do(StopProfile(profile="Alarm"))
    bench.clock.advance_to(4.0)
    bench.do(StopProfile(profile="Ringing"))
    bench.clock.advance_to(9.0)

    assert bench.shown() == [
        (0.0, "green", "Ringing"),
        (0.5, "", "Ringing"),
        (1.0, "green", "Ringing"),
        (1.3, "red", "Alarm"),
        (2.7, "", "Ringing"),
        (3.0, "green", "Ringing"),
        (3.5, "", "Ringing"),
        (4.0, "green", "Ringing"),
        (4.0, "", ""),
    ]


def test_the_siren_returns_where_it_would_be_by_now() -> None:
    bench = Bench(RINGING, ALARM)
    bench.do(StartProfile(profile="Ringing"))
    bench.clock.advance_to(0.25)
    bench.do(StartProfile(profile="Alarm"))
    bench.clock.advance_to(0.5)

    bench.do(StopProfile(profile="Alarm"))

    assert bench.speaker.heard == [(0.0, "siren"), (0.25, "siren"), (0.5, "siren")]
    sound = SOUNDS["Notification: Calling"]
    whole = np.resize(sound.render(), 72_000) * np.float32(10 ** (-18 / 20))
    np.testing.assert_allclose(bench.speaker.take(0.5), whole[24_000:48_000], atol=1e-6)


def test_intensity_is_loudness_in_steps_of_6_db() -> None:
    levels: list[float] = []
    for intensity in (1, 2, 3, 4, 5):
        bench = Bench()
        bench.do(StartOperation(function=SPEAKER, pattern="Siren: Evac", intensity=intensity))
        levels.append(20 * np.log10(np.abs(bench.speaker.take(1.0)).max()))

    assert np.diff(levels) == pytest.approx([6, 6, 6, 6], abs=0.01)
    assert levels[-1] == pytest.approx(-1, abs=0.5)


def test_repetitions_of_a_light_are_whole_periods() -> None:
    """PRF-05: three blinks of one second."""
    bench = Bench(BRIEF)

    bench.do(StartProfile(profile="Brief"))
    bench.clock.advance_to(10)

    assert [at for at, color, _ in bench.shown() if color] == [0.0, 1.0, 2.0]
    assert phases(bench) == [("SignalingLED", 1, "shown"), ("SignalingLED", 1, "ended")]


def test_repetitions_of_a_siren_are_rounds_of_its_sound() -> None:
    bench = Bench(DOORBELL)

    bench.do(StartProfile(profile="Doorbell"))
    bench.clock.advance_to(60)

    once = SOUNDS["Notification: Accepted"].seconds
    assert bench.speaker.heard == [(0.0, "siren"), (pytest.approx(2 * once), None)]


def test_light_and_siren_are_arbitrated_apart() -> None:
    """GAP-01, MIX-05."""
    bench = Bench(RINGING)
    bench.do(StartProfile(profile="Ringing"))

    bench.do(StartOperation(function=LED, pattern="Off", priority=9))

    assert bench.signals.frame() == DARKNESS
    assert bench.speaker.heard == [(0.0, "siren")]
    assert [(s.function, s.pattern, s.shown) for s in bench.signals.status()] == [
        (LED, "Off", True),
        (LED, "Blink", False),
        (SPEAKER, "Notification: Calling", True),
    ]


def test_each_light_function_has_its_own_list() -> None:
    bench = Bench()

    first = bench.do(StartOperation(function=LED, pattern="Steady", colors=("red",)))
    second = bench.do(StartOperation(function=AUDIO_LED, pattern="Steady", colors=("green",)))

    assert (first, second) == (OperationId(LED, 1), OperationId(AUDIO_LED, 2)), "one count for both"
    assert bench.signals.frame(LED) == Frame(*[Side("red", 0.4)] * 4)
    assert bench.signals.frame(AUDIO_LED) == Frame(*[Side("green", 0.4)] * 4)


def test_defaults_of_an_order() -> None:
    """GAP-05: priority 3, intensity 2; speed and colours are the pattern's own."""
    bench = Bench()

    bench.do(StartOperation(function=LED, pattern="Alternate"))

    status = bench.signals.status()[0]
    assert (status.priority, status.intensity, status.speed) == (3, 2, 2)
    assert status.colors == ("red", "blue")
    assert status.ends_at is None


def test_what_is_left_of_a_timed_operation_can_be_seen() -> None:
    bench = Bench()
    bench.do(StartOperation(function=LED, pattern="Steady", duration=("seconds", 90)))

    bench.clock.advance_to(30)

    assert bench.signals.status()[0].ends_at == 90


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (StartOperation(function=LED, pattern="Disco"), "light_pattern"),
        (StartOperation(function=SPEAKER, pattern="Disco"), "siren_pattern"),
        (StartOperation(function=LED, pattern="Steady", intensity=6), "light_intensity"),
        (StartOperation(function=SPEAKER, pattern="Siren: Evac", priority=0), "siren_priority"),
        (StartOperation(function=LED, pattern="Blink", speed=9), "speed"),
        (StartOperation(function=LED, pattern="Blink", colors=("red", "blue")), "color_count"),
        (StartOperation(function=LED, pattern="Blink", colors=("grey",)), "unknown_color"),
        (
            StartOperation(function=LED, pattern="Blink", duration=("hours", 1)),
            "light_duration_unit",
        ),
        (
            StartOperation(function=SPEAKER, pattern="Siren: Evac", duration=("seconds", -1)),
            "siren_duration",
        ),
        (StartProfile(profile="Ghost"), "unknown_profile"),
        (StopProfile(profile="Ghost"), "unknown_profile"),
        (StopProfile(profile="Ringing"), "not_running"),
        (StopOperations(operations=(OperationId(LED, 1),)), "unknown_operation"),
    ],
)
def test_orders_that_make_no_sense_are_refused(command: StartProfile, code: str) -> None:
    """GAP-12: every reason has its own code; nothing is started or stopped."""
    bench = Bench(RINGING)

    with pytest.raises(CommandRefused) as refused:
        bench.do(command)

    assert refused.value.code == code
    assert bench.signals.status() == []


def test_stopping_by_id_is_all_or_nothing() -> None:
    """GAP-04."""
    bench = Bench(RINGING)
    started = bench.do(StartProfile(profile="Ringing"))
    gone = OperationId(LED, 7)

    with pytest.raises(CommandRefused):
        bench.do(StopOperations(operations=(*started, gone)))
    assert len(bench.signals.status()) == 2

    bench.do(StopOperations(operations=(*started, gone), tolerant=True))
    assert bench.signals.status() == []


def test_stopping_all_leaves_other_functions_alone() -> None:
    bench = Bench(RINGING, ALARM)
    bench.do(StartProfile(profile="Ringing"))
    bench.do(StartProfile(profile="Alarm"))

    bench.do(StopAll(functions=(LED,)))

    assert {status.function for status in bench.signals.status()} == {SPEAKER}
    assert bench.signals.frame() == DARKNESS


def test_what_runs_goes_on_when_its_profile_is_edited_or_deleted() -> None:
    bench = Bench(RINGING)
    bench.do(StartProfile(profile="Ringing"))

    bench.signals.apply_profiles(())

    assert [status.profile for status in bench.signals.status()] == ["Ringing", "Ringing"]
    bench.do(StopProfile(profile="Ringing"))
    assert bench.signals.status() == []
    with pytest.raises(CommandRefused):
        bench.do(StartProfile(profile="Ringing"))


def test_why_is_the_light_on() -> None:
    """Every operation remembers the order that started it, and what came before."""
    bench = Bench(RINGING)
    with bench.context.trace.input("datagram", "INVITE from 192.0.2.7", bench.clock.now()):
        bench.do(StartProfile(profile="Ringing"))

    cause = bench.signals.status()[0].cause

    assert cause is not None
    assert [link.what for link in cause.chain()] == [
        StartProfile(profile="Ringing"),
        Input("datagram", "INVITE from 192.0.2.7"),
    ]


def test_the_time_from_the_input_to_the_light_is_measured() -> None:
    bench = Bench(RINGING)
    bench.clock.advance_to(5.0)
    with bench.context.trace.input("datagram", "INVITE", 4.9996):
        bench.do(StartProfile(profile="Ringing"))
    bench.clock.advance_to(20.0)

    histogram = bench.context.measures.histogram("input_to_light_seconds")

    assert histogram.count == 1
    assert histogram.largest == pytest.approx(0.0004)


def test_frames_can_be_watched() -> None:
    bench = Bench(ALARM)
    seen: list[Frame] = []
    unwatch = bench.signals.watch_frames(seen.append)

    bench.do(StartProfile(profile="Alarm"))
    unwatch()
    bench.do(StopProfile(profile="Alarm"))

    assert seen == [Frame(*[Side("red", 1.0)] * 4)]


def test_locating_the_device_interrupts_even_maintenance() -> None:
    """IDN-01, MNT-03."""
    bench = Bench(maintenance=True)

    bench.do(LocateDevice(seconds=5))

    assert bench.signals.status()[0].priority == 12
    assert {side.color for side in bench.signals.frame()} == {"turquoise", ""}
    assert bench.speaker.source is not None
    bench.clock.advance_to(5.0)
    assert {side.color for side in bench.signals.frame()} == {"white", ""}
    assert bench.speaker.source is None


def test_a_speaker_without_room_does_not_keep_the_light_from_shining() -> None:
    bench = Bench(RINGING)
    bench.speaker.full = True

    bench.do(StartProfile(profile="Ringing"))
    bench.do(StopProfile(profile="Ringing"))

    assert [color for _, color, _ in bench.shown()] == ["green", ""]


def test_closing_leaves_light_dark_and_siren_silent() -> None:
    bench = Bench(RINGING)
    bench.do(StartProfile(profile="Ringing"))

    bench.signals.close()
    bench.clock.advance_to(60)

    assert bench.shown()[-1] == (0.0, "", "")
    assert bench.speaker.source is None
    assert bench.light.closed
