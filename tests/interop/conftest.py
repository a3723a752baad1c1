"""Running devices and phones that stories share, and the figures that they find."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.device import Device, device
from tests.interop.tones import write_tone

_figures: dict[str, str] = {}


@pytest.fixture(scope="session")
def figures() -> dict[str, str]:
    """What was measured, by name; printed at the end."""
    return _figures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that nothing else has to wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several tells the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = _figures


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What one of several processes has measured."""
    _figures.update(getattr(node, "workeroutput", {}).get("figures", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _figures:
        terminalreporter.section("measured from outside")
        for name, words in sorted(_figures.items()):
            terminalreporter.line(f"{name:<44} {words}")


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
