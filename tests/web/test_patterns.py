"""Light patterns and sounds as a page shows and plays them: exactly what the device does."""

import io
import wave
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.patterns import frame
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.web.patterns import MAX_FRAMES
from tests.support.web import PASSWORDS


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    user = DigestAuthMiddleware("victor", PASSWORDS["victor"])
    async with ClientSession(url, middlewares=(user,)) as session:
        yield session


async def look(session: ClientSession, path: str) -> tuple[int, Any]:
    async with session.get("/api/v1/" + path) as response:
        return response.status, await response.json()


async def test_each_pattern_says_how_it_flashes_at_each_speed(session: ClientSession) -> None:
    """SAF-01: so that what is dangerous is marked where it is chosen."""
    _, told = await look(session, "patterns")

    assert [pattern["name"] for pattern in told["light"]] == list(PATTERNS)
    risky = {
        (pattern["name"], speed["speed"])
        for pattern in told["light"]
        for speed in pattern["speeds"]
        if speed["warnings"]
    }
    assert ("Blink", 4) in risky
    assert ("Spin", 4) not in risky
    assert told["colors"]["amber"] == "#ff8c00"
    assert told["limits"]["profiles"] == 30
    names = [sound["name"] for sound in told["sounds"]]
    assert names[:29] == list(SOUNDS)
    assert "clip:Ding-dong" in names


@pytest.mark.parametrize("name", ["Rotate", "Flash 3x", "Random", "Off", "Alternate"])
async def test_the_keyframes_are_what_the_lamps_show(session: ClientSession, name: str) -> None:
    """At each instant of a repetition the last keyframe is the frame of the device."""
    colors = PATTERNS[name].default_colors
    _, told = await look(session, f"patterns/light/{quote(name)}?speed=1&intensity=3")

    assert told["repeats"] is (name != "Random")
    assert len(told["frames"]) <= MAX_FRAMES
    instants = [f["at"] for f in told["frames"]]
    for elapsed in np.arange(0.001, told["seconds"], 0.0501):
        shown = told["frames"][int(np.searchsorted(instants, elapsed, "right")) - 1]["sides"]
        expected = frame(name, float(elapsed), colors or None, 1, 3)
        assert shown == [list(side) for side in expected]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("patterns/light/Disco", 404, None),
        ("patterns/light/Blink?speed=5", 400, "speed"),
        ("patterns/light/Steady?speed=2", 400, "speed"),
        ("patterns/light/Blink?intensity=0", 400, "intensity"),
        ("patterns/light/Blink?colors=mauve", 400, "colors"),
        ("patterns/light/Alternate?colors=red", 400, "colors"),
        ("sounds/Silence.wav", 404, None),
        ("sounds/Alarm%3A%20Horror", 404, None),
    ],
)
async def test_what_there_is_not(
    session: ClientSession, path: str, status: int, field: str | None
) -> None:
    answer, problem = await look(session, path)

    assert (answer, problem.get("field")) == (status, field)


async def test_a_sound_is_what_the_siren_plays_and_is_sent_once(session: ClientSession) -> None:
    sound = SOUNDS["Notification: Calling"]
    _, told = await look(session, "patterns")
    url = next(s["url"] for s in told["sounds"] if s["name"] == sound.name)

    async with session.get(url) as response:
        tag, data = response.headers["ETag"], await response.read()
    async with session.get(url, headers={"If-None-Match": tag}) as again:
        assert again.status == 304

    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels()) == (48000, 1)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    np.testing.assert_allclose(heard, sound.render(), atol=1 / 32767)
