"""Two callers, two profiles: the higher priority interrupts, and what it hid returns in phase."""

import time
from pathlib import Path

import pytest

from sipstrobe.lightsiren.sounds import SOUNDS
from tests.interop.baresip import baresip
from tests.interop.device import Device
from tests.interop.test_dialling import ON_TIME, REST_DB, assert_runs, profile_of
from tests.interop.witness import (
    await_dark_and_silent,
    await_profile,
    is_dark,
    match_siren,
    on_time,
    seen,
    turned,
)

pytestmark = pytest.mark.interop

NOTICE, ATTENTION = profile_of("1001"), profile_of("1002")


def test_the_main_story(demo: Device, silence: Path, tmp_path: Path) -> None:
    """1001 is dialled; 1002 interrupts it and hangs up; 1001 is back; then dark and silent."""
    began = on_time(demo, lambda: interrupted(demo, silence, tmp_path))

    story = seen(demo.frames, began)
    assert [(s.profile, s.priority) for s in story] == [
        ("Notice", 3),
        ("Attention", 5),
        ("Notice", 3),
        ("", 0),
    ]
    assert is_dark(demo.frames[-1])


def interrupted(demo: Device, silence: Path, folder: Path) -> float:
    """Light and sound at each step; when it began."""
    assert NOTICE.siren is not None
    with (
        baresip(folder / "a", source=silence) as one,
        baresip(folder / "b", source=silence, transport="tcp") as other,
    ):
        began = time.monotonic()
        one.dial(demo.uri("1001"))
        first = assert_runs(demo, NOTICE, began)

        other.dial(demo.uri("1002"))
        higher = assert_runs(demo, ATTENTION, began)
        running = demo.operations("SignalingLED")
        assert [(o["profile"], o["shown"]) for o in running] == [
            ("Attention", True),
            ("Notice", False),
        ]

        other.hang_up()
        back = await_profile(demo, "Notice", higher.at)
        # To where the sound would be, had nothing interrupted it (MIX-03).
        listen = back.at + 0.1
        siren = NOTICE.siren
        later = match_siren(demo.heard(listen, listen + 1.2), siren.pattern, siren.intensity)
        assert later.rest_db < REST_DB
        period = SOUNDS[siren.pattern].seconds
        assert turned(0.0, first.at, later.phase, listen, period) < ON_TIME

        one.hang_up()
        await_dark_and_silent(demo, back.at)
    return began


def test_a_lower_priority_waits(demo: Device, silence: Path, tmp_path: Path) -> None:
    """What begins beneath a higher priority is not seen until that ends."""
    with (
        baresip(tmp_path / "a", source=silence) as one,
        baresip(tmp_path / "b", source=silence) as other,
    ):
        began = time.monotonic()
        one.dial(demo.uri("1004"))
        await_profile(demo, "Evacuate", began)
        other.dial(demo.uri("1003"))
        assert [o["profile"] for o in demo.operations()] == ["Evacuate", "Warning"]
        one.hang_up()
        await_profile(demo, "Warning", began)
        other.hang_up()
        await_dark_and_silent(demo, began)

    assert [s.profile for s in seen(demo.frames, began)] == ["Evacuate", "Warning", ""]


def test_two_callers_of_one_extension(demo: Device, silence: Path, tmp_path: Path) -> None:
    """The profile runs as long as anybody is in a call to its extension."""
    with (
        baresip(tmp_path / "a", source=silence) as one,
        baresip(tmp_path / "b", source=silence) as other,
    ):
        began = time.monotonic()
        one.dial(demo.uri("1001"))
        other.dial(demo.uri("1001"))
        assert len(demo.operations()) == 1
        one.hang_up()
        assert [o["profile"] for o in demo.operations()] == ["Notice"]
        other.hang_up()
        await_dark_and_silent(demo, began)

    assert [s.profile for s in seen(demo.frames, began)] == ["Notice", ""]
