"""What calls do in the field: several at once, transfers, texts, lamps, wishes, and the history."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import Baresip, baresip
from tests.interop.caller import Dialogue, Wire
from tests.interop.device import Device, device, sipstrobe, wait_until
from tests.interop.sipp import sipp
from tests.interop.test_roles import PACE, watching
from tests.interop.test_sipp_scenarios import callee
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import await_profile, on_time
from tests.support.hear import Samples, tone_db

pytestmark = pytest.mark.interop

LOW, HIGH = 620.0, 1020.0
SETTLED = 0.3  # seconds until who begins to speak is heard
TOGETHER = "/sip/calls_together"
ON_TEXT = {
    "name": "A text lights",
    "when": {"event": "call/message", "match": {"text": "Leave the building"}},
    "action": {"do": "start_profile", "profile": "Evacuate"},
}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with no rule but one for texts."""
    folder = tmp_path_factory.mktemp("field")
    with device(folder, "--set", f"/rules={json.dumps([ON_TEXT])}") as running:
        yield running
        running.wait_idle()


# --- several calls at once ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Baresip, Baresip]]:
    """Two phones whose users whistle, one low and one high."""
    folder = tmp_path_factory.mktemp("callers")
    low, high = (write_tone(folder / f"{hertz:g}.wav", [hertz]) for hertz in (LOW, HIGH))
    with (
        baresip(folder / "low", source=low) as one,
        baresip(folder / "high", source=high) as other,
    ):
        yield one, other


def heard(sound: Samples) -> list[float]:
    """Which of the two tones there are."""
    levels = {hertz: tone_db(sound, hertz) for hertz in (LOW, HIGH)}
    assert all(abs(db - TONE_DB) < 1.0 or db < TONE_DB - 30 for db in levels.values()), levels
    return [hertz for hertz, db in levels.items() if db > TONE_DB - 30]


@pytest.mark.parametrize(
    ("policy", "together", "after"),
    [("mix", [LOW, HIGH], [HIGH]), ("first", [LOW], [HIGH]), ("newest", [HIGH], [HIGH])],
)
def test_who_is_heard_of_two_callers(
    quiet: Device,
    callers: tuple[Baresip, Baresip],
    policy: str,
    together: list[float],
    after: list[float],
) -> None:
    """One calls, then the other; the first hangs up."""
    one, other = callers

    def story() -> None:
        one.dial(quiet.uri("1001"))
        other.dial(quiet.uri("1001"))
        time.sleep(2 * SETTLED)
        both = time.monotonic()
        one.hang_up()
        time.sleep(2 * SETTLED)
        alone = time.monotonic()
        other.hang_up()
        assert heard(quiet.heard(both - SETTLED, both)) == together
        assert heard(quiet.heard(alone - SETTLED, alone)) == after

    with quiet.having(TOGETHER, policy, otherwise="mix"):
        on_time(quiet, story)


def test_one_call_at_a_time(
    quiet: Device, callers: tuple[Baresip, Baresip], tmp_path: Path
) -> None:
    """486 for the second; the first goes on."""
    one, _ = callers
    with quiet.having(TOGETHER, "busy", otherwise="mix"):
        one.dial(quiet.uri("1001"))
        sipp("uac-busy", quiet.port, tmp_path)
        assert [call["state"] for call in quiet.calls] == ["active"]
        one.hang_up()


# --- wishes, transfers, texts, lamps ------------------------------------------------------------


def test_who_asks_for_an_answer_gets_one_where_calls_ring(quiet: Device, tmp_path: Path) -> None:
    with quiet.having("/sip/accounts/0/answer_automatically", False, otherwise=True):
        sipp("uac-asks-to-be-answered", quiet.port, tmp_path, "-d", "100")


def test_nobody_sends_the_device_elsewhere(quiet: Device, tmp_path: Path) -> None:
    sipp("uac-refer-declined", quiet.port, tmp_path)


def test_the_device_goes_where_it_is_sent_if_it_may(quiet: Device, tmp_path: Path) -> None:
    with (
        quiet.having("/sip/follow_transfers", True, otherwise=False),
        callee("uas-answer-and-bye", tmp_path / "callee", "-d", "800") as address,
    ):
        target = address.rpartition("@")[2]
        sipp("uac-refer-followed", quiet.port, tmp_path / "sender", "-key", "target", target)
    quiet.wait_idle()


def test_a_text_is_an_event(quiet: Device, tmp_path: Path) -> None:
    began = time.monotonic()
    sipp("uac-message", quiet.port, tmp_path)
    await_profile(quiet, "Evacuate", began)
    quiet.command("stop-profile", profile="Evacuate")


def test_a_lamp_shows_a_call(
    quiet: Device, callers: tuple[Baresip, Baresip], tmp_path: Path
) -> None:
    one, _ = callers
    with watching(quiet, "1001", tmp_path):
        one.dial(quiet.uri("1001"))
        time.sleep(PACE)
        one.hang_up()


def test_who_wants_to_watch_something_else_or_too_briefly_is_refused(
    quiet: Device, tmp_path: Path
) -> None:
    sipp("uac-watches-in-vain", quiet.port, tmp_path)


# --- the history --------------------------------------------------------------------------------


def test_calls_are_remembered_and_a_killed_device_says_which_were_cut_off(tmp_path: Path) -> None:
    """GAP-24, on the command line, while the device runs and after."""
    folder = tmp_path / "device"
    with device(folder, sound="null") as running:
        sipp("uac-answer-and-bye", running.port, tmp_path / "sipp", "-d", "300", extension="1099")
        wait_until(lambda: [call["reason"] for call in history(folder)] == ["terminated"])
        with Wire(running.port) as wire:
            call = Dialogue(running.port, wire.own)
            wire.send(call.invite())
            assert call.take(wire.final()) == 200
            wait_until(lambda: len(history(folder)) == 2, words="the second call")
            running.kill()

    with device(folder, sound="null", port=running.port):
        wait_until(lambda: history(folder)[0]["reason"] != "", words="the start")
    cut_off, over = history(folder)
    assert (cut_off["reason"], cut_off["ended"]) == ("interrupted", None)
    assert 0.2 < over["ended"] - over["answered"] < 5.0
    assert (over["direction"], over["extension"], over["codec"]) == ("incoming", "1099", "PCMU")


def history(folder: Path) -> list[dict[str, Any]]:
    """The newest call first."""
    done = sipstrobe("calls", "--json", "--state", folder / "state")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
