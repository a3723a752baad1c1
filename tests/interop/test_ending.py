"""The end: as init asks for it, and as a power failure brings it."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.interop.caller import Dialogue, Wire
from tests.interop.device import LATE, STOP_LIMIT, Device, device, wait_until
from tests.interop.sipp import playing
from tests.interop.witness import await_profile, is_dark, seen

pytestmark = pytest.mark.interop

HOUR = 3600
MAINTENANCE = 11  # its priority


def test_the_end_says_goodbye(tmp_path: Path, figures: dict[str, str]) -> None:
    """SIGTERM amid two calls: BYE to both (SIPp waits for it), dark, and all within 3 s."""
    with device(tmp_path / "device") as running:
        target = f"127.0.0.1:{running.port}"
        arguments = ("-s", "1001", "-m", "1")
        with (
            playing("uac-two-record-routes", target, tmp_path / "a", *arguments),
            playing("uac-two-record-routes", target, tmp_path / "b", *arguments, transport="t1"),
        ):
            wait_until(lambda: len(running.calls) == 2)
            await_profile(running, "Notice", 0.0)
            seconds = running.stop()

        assert seconds < STOP_LIMIT + LATE
        assert running.process.returncode == 0
        assert is_dark(running.frames[-1])
        figures["SIGTERM amid two calls, until the end"] = f"{seconds:.2f} s"


def test_the_end_waits_for_nobody(tmp_path: Path) -> None:
    """A caller that hears the BYE and never answers it; the end comes in time all the same."""
    with device(tmp_path) as running, Wire(running.port) as wire:
        call = Dialogue(running.port, wire.own)
        wire.send(call.invite())
        assert call.take(wire.final()) == 200
        wire.send(call.ack())

        assert running.stop() < STOP_LIMIT + LATE

        assert wire.receive().startswith(b"BYE ")
        assert running.process.returncode == 0


def test_after_a_power_failure(tmp_path: Path) -> None:
    """MNT-05: profiles and settings are there, and the hour of maintenance goes on."""
    with device(tmp_path) as running:
        running.set("/device/name", "east door")
        running.command("set-maintenance", active=True, seconds=HOUR)
        ordered = datetime.now(UTC)
        before = running.status()
        running.kill()

    began = time.monotonic()
    with device(tmp_path, port=running.port, password=running.password) as again:
        after = again.status()
        wait_until(lambda: bool(seen(again.frames, began)), words="light")
        shown = seen(again.frames, began)[0].priority

        assert after["device"]["name"] == "east door"
        assert after["profiles"] == before["profiles"]
        assert after["maintenance"] == before["maintenance"]
        until = datetime.fromisoformat(after["maintenance"]["until"])
        assert (until - ordered).total_seconds() == pytest.approx(HOUR, abs=LATE)
        assert shown == MAINTENANCE
        assert_calls_change_nothing(again, tmp_path)


def assert_calls_change_nothing(again: Device, folder: Path) -> None:
    """MNT-02: a call is answered, but its light is hidden."""
    at = time.monotonic()
    target = f"127.0.0.1:{again.port}"
    with playing("uac-answer-and-bye", target, folder, *("-s", "1004", "-m", "1", "-d", "300")):
        wait_until(lambda: [o["priority"] for o in again.operations()] == [MAINTENANCE, 9])
    assert {s.priority for s in seen(again.frames, at)} == {MAINTENANCE}
