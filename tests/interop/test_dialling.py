"""Phones that nobody here wrote dial the extensions: each runs its profile, then it is dark."""

import time
from pathlib import Path

import pytest

from sipstrobe.config.demo import EXTENSIONS, PROFILES
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.lightsiren.sounds import SOUNDS
from tests.interop.baresip import baresip
from tests.interop.caller import Dialogue, Wire
from tests.interop.device import Device
from tests.interop.sipp import playing
from tests.interop.witness import (
    Shown,
    await_dark_and_silent,
    await_profile,
    match_siren,
    on_time,
    seen,
    turned,
)

pytestmark = pytest.mark.interop

NOTICEABLE = 0.2  # seconds; how few it are is measured elsewhere
BY_NAME = {profile.name: profile for profile in PROFILES}
WAYS = [
    ("1001", "127.0.0.1", "udp"),
    ("1002", "127.0.0.1", "tcp"),
    ("1003", "::1", "udp"),
    ("1004", "::1", "tcp"),
]
REST_DB = -35.0  # what may be left of a siren that is subtracted: rounding, fade and limiter
ON_TIME = 0.1  # seconds: a period of the sound, the file's clock (10 ms), a busy machine


def profile_of(extension: str) -> Profile:
    return BY_NAME[EXTENSIONS[extension]]


def assert_runs(device: Device, profile: Profile, since: float) -> Shown:
    """The light and the siren of the profile run, in step with one another."""
    shown = await_profile(device, profile.name, since)
    assert profile.light is not None
    assert profile.siren is not None
    listen = shown.at + 0.1
    match = match_siren(
        device.heard(listen, listen + 0.8), profile.siren.pattern, profile.siren.intensity
    )
    assert (shown.pattern, shown.priority) == (profile.light.pattern, profile.light.priority)
    assert match.rest_db < REST_DB
    period = SOUNDS[profile.siren.pattern].seconds
    assert turned(0.0, shown.at, match.phase, listen, period) < ON_TIME
    return shown


@pytest.mark.parametrize(("extension", "host", "transport"), WAYS)
def test_baresip_dials(
    demo: Device, silence: Path, tmp_path: Path, extension: str, host: str, transport: str
) -> None:
    def story() -> None:
        with baresip(tmp_path, source=silence, host=host, transport=transport) as phone:
            began = time.monotonic()
            phone.dial(demo.uri(extension, host))
            assert_runs(demo, profile_of(extension), began)
            assert [call["extension"] for call in demo.calls] == [extension]

            phone.hang_up()

            await_dark_and_silent(demo, began)

    on_time(demo, story)


@pytest.mark.parametrize(("extension", "host", "transport"), WAYS)
def test_sipp_dials(
    demo: Device, tmp_path: Path, extension: str, host: str, transport: str
) -> None:
    target = demo.uri("", host).removeprefix("sip:@")

    def story() -> float:
        began = time.monotonic()
        with playing(
            "uac-answer-and-bye",
            target,
            tmp_path,
            *("-s", extension, "-m", "1", "-d", "1200"),
            transport=f"{transport[0]}1",
            host=host,
        ):
            assert_runs(demo, profile_of(extension), began)

        await_dark_and_silent(demo, began)
        return began

    began = on_time(demo, story)
    assert [s.profile for s in seen(demo.frames, began)] == [EXTENSIONS[extension], ""]
    lit = {color for s in seen(demo.frames, began) for color in s.colors}
    light = profile_of(extension).light
    assert light is not None
    assert light.colors is not None
    assert lit == set(light.colors)


def test_from_the_invite_to_the_light(demo: Device, figures: dict[str, str]) -> None:
    """What the caller's clock says, kernel and this test included."""
    delays: list[float] = []
    with Wire(demo.port) as wire:
        for _ in range(30):
            call = Dialogue(demo.port, wire.own, extension="1001")
            sent = time.monotonic()
            wire.send(call.invite())
            assert call.take(wire.final()) == 200
            wire.send(call.ack())
            delays.append(await_profile(demo, "Notice", sent).at - sent)
            wire.send(call.bye())
            assert call.take(wire.final()) == 200
            await_profile(demo, "", sent)

    delays.sort()
    figures["INVITE sent until the light shows"] = (
        f"{delays[len(delays) // 2] * 1e3:.2f} ms (median), {delays[-1] * 1e3:.1f} ms (worst of 30)"
    )
    assert delays[len(delays) // 2] < NOTICEABLE
