"""The light drivers show what they are given, each in its own way."""

import json
import os
from pathlib import Path

import pytest

from sipstrobe.io.lights import LightLog, NoLight, Picture

RED = Picture(
    at=12.5,
    function="SignalingLED",
    sides=(("red", 0.4), ("red", 0.4), ("", 0.0), ("white", 1.0)),
    operation=2,
    pattern="Direction A",
    priority=7,
    profile="Gäste",
)
DARK = Picture(at=13.0, function="SignalingLED", sides=(("", 0.0),) * 4)


def test_the_log_has_a_line_for_each_picture_that_can_be_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "light.log"
    light = LightLog(path)

    light.show(RED)
    first = json.loads(path.read_text(encoding="utf-8"))
    light.show(DARK)
    lines = path.read_text(encoding="utf-8").splitlines()

    assert first == {
        "at": 12.5,
        "function": "SignalingLED",
        "sides": {
            "A": {"color": "red", "level": 0.4},
            "B": {"color": "red", "level": 0.4},
            "C": {"color": "", "level": 0.0},
            "D": {"color": "white", "level": 1.0},
        },
        "operation": 2,
        "pattern": "Direction A",
        "priority": 7,
        "profile": "Gäste",
    }
    assert json.loads(lines[1])["operation"] is None
    assert len(lines) == 2
    light.close()


def test_the_log_goes_on_where_it_was(tmp_path: Path) -> None:
    for _ in range(2):
        light = LightLog(tmp_path / "light.log")
        light.show(RED)
        light.close()

    assert len((tmp_path / "light.log").read_text(encoding="utf-8").splitlines()) == 2


def test_a_log_that_was_removed_is_noticed(tmp_path: Path) -> None:
    light = LightLog(tmp_path / "light.log")
    light.check()
    (tmp_path / "light.log").unlink()

    with pytest.raises(OSError, match="removed"):
        light.check()
    light.close()


def test_a_path_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        LightLog(tmp_path / "missing" / "light.log")


def test_a_device_without_a_light_takes_every_picture() -> None:
    light = NoLight()

    light.show(RED)
    light.check()
    light.close()


def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    """Nor does the device wait, which opens it on the loop."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    with pytest.raises(OSError, match="No such device"):
        LightLog(path)
