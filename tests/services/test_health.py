"""The health check lights each side in turn, plays a tone, and says what does not work."""

from datetime import timedelta

import pytest

from sipstrobe.commands import OperationId, RunHealthCheck, StopOperations
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, HealthCheckDone
from tests.support.signals import Bench


def run(bench: Bench, *, taken: float = 3.9) -> None:
    """Begin a check, let the sound card take this much of the tone, and wait for the end."""
    bench.told()
    bench.do(RunHealthCheck())
    if taken and bench.speaker.source is not None:
        bench.speaker.take(taken)
    bench.clock.advance(4.5)


def test_all_is_well() -> None:
    """HCK-01, HCK-02, GAP-13: it runs by itself, and the result is kept."""
    bench = Bench(maintenance=True)
    begun = bench.clock.wall()

    run(bench)

    assert bench.told(HealthCheckDone) == [HealthCheckDone(passed=True, errors="")]
    result = bench.signals.last_health_check
    assert result is not None
    assert result.errors == ()
    assert result.wall == begun + timedelta(seconds=4)
    assert [status.priority for status in bench.signals.status()] == [11, 11, 11]


def test_the_tone_is_1_khz_and_heard_alone() -> None:
    bench = Bench()
    bench.do(RunHealthCheck())

    assert bench.speaker.source is not None
    assert (bench.speaker.source.kind, bench.speaker.source.rank) == ("tone", 13)
    samples = bench.speaker.take(1.0)
    rising = ((samples[:-1] < 0) & (samples[1:] >= 0)).sum()
    assert rising == pytest.approx(1000, abs=1)


def test_each_side_is_lit_in_turn() -> None:
    bench = Bench()
    seen: list[str] = []
    bench.signals.watch_frames(
        lambda frame: seen.extend(n for n, s in zip("ABCD", frame, strict=True) if s.level)
    )

    run(bench)

    assert "".join(dict.fromkeys(seen)) == "ABCD"


def test_a_light_that_fails_is_named() -> None:
    """HCK-03: error 101."""
    bench = Bench()
    bench.light.broken = "lamp controller gone"

    run(bench)

    result = bench.signals.last_health_check
    assert result is not None
    assert result.errors == ((101, "virtual: lamp controller gone"),)
    assert bench.told(HealthCheckDone) == [
        HealthCheckDone(passed=False, errors="virtual: lamp controller gone")
    ]


def test_a_tone_that_the_card_did_not_take_is_an_error() -> None:
    """HCK-03: error 102."""
    bench = Bench()

    run(bench, taken=0.4)

    result = bench.signals.last_health_check
    assert result is not None
    assert [code for code, _ in result.errors] == [102]


def test_what_the_sound_card_says_is_the_reason() -> None:
    bench = Bench()
    bench.sound_problem = "no such device: USB"

    run(bench)

    result = bench.signals.last_health_check
    assert result is not None
    assert result.errors == ((102, "no such device: USB"),)


def test_a_speaker_that_refuses_is_the_reason() -> None:
    bench = Bench()
    bench.speaker.full = True

    run(bench)

    result = bench.signals.last_health_check
    assert result is not None
    assert result.errors == ((102, "no room"),)


def test_a_second_order_joins_the_check_that_runs() -> None:
    bench = Bench()
    bench.do(RunHealthCheck())
    bench.clock.advance(2.0)

    run(bench)

    assert len(bench.told(HealthCheckDone)) == 1
    run(bench)
    assert len(bench.told(HealthCheckDone)) == 1


def test_users_cannot_stop_it() -> None:
    """MIX-04."""
    bench = Bench()
    bench.do(RunHealthCheck())

    with pytest.raises(CommandRefused):
        bench.do(StopOperations(operations=(OperationId(Function.SIGNALING_LED, 1),)))
