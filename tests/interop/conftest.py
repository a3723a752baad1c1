"""Running devices and phones that stories share, and the figures that they find."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.device import Device, device
from tests.interop.sipp import playing
from tests.interop.tones import write_tone

_figures: dict[str, str] = {}


@pytest.fixture(scope="session")
def figures() -> dict[str, str]:
    """What was measured, by name; printed at the end."""
    return _figures


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "collected_last: its result ripens in the background")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("measured from outside")
        for name, words in _figures.items():
            terminalreporter.line(f"{name:<44} {words}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What ripens in the background is asked for last."""
    items.sort(key=lambda item: item.get_closest_marker("collected_last") is not None)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device with the demonstration set-up, the same for all stories of a module."""
    with device(tmp_path_factory.mktemp("demo")) as running:
        yield running
        running.wait_idle()


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone in an empty room."""
    return write_tone(tmp_path_factory.mktemp("tones") / "silence.wav", [])


@pytest.fixture(scope="session")
def kilohertz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microphone before a whistle."""
    return write_tone(tmp_path_factory.mktemp("tones") / "1000.wav", [1000.0])


class Forgetful(NamedTuple):
    """A caller who promises to refresh the session and never does."""

    device: Device
    caller: "subprocess.Popen[str]"


@pytest.fixture(scope="session")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forgetful]:
    folder = tmp_path_factory.mktemp("forgetful")
    with device(folder / "device", sound="null") as running:
        target = f"127.0.0.1:{running.port}"
        arguments = ("-s", "1002", "-m", "1")
        scenario = "uac-session-timer-expiry"
        with playing(scenario, target, folder / "sipp", *arguments, limit=100) as caller:
            yield Forgetful(running, caller)


@pytest.fixture(scope="session", autouse=True)
def _in_the_background(request: pytest.FixtureRequest) -> None:
    """What takes long begins with the first story, if it is among those that are wanted."""
    if any(item.get_closest_marker("collected_last") for item in request.session.items):
        request.getfixturevalue("forgetful")
