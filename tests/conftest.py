"""What holds for all tests."""

import gc
import sys
import threading
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, and nothing about the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is tried with hundreds of examples, or seen in a browser, is covered by a story beside.

    To count each line that they run would double the time that they take; so they are not counted,
    and the figure says what the stories alone go through. Long runs of another kind are marked so.
    """
    for item in items:
        by_examples = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if by_examples or "browser" in item.path.parts:
            item.add_marker("no_cover")


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import are not looked through for garbage with each of them:
    a tenth of all time goes there."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Lines are counted in the thread of the tests only: when two threads begin at the same time,
    CPython 3.11 may refuse to one of them to be counted, which ends it before it has done anything.
    """
    threading.settrace(None)  # pyright: ignore[reportArgumentType]


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """In a worker, pytest-cov has two counters, and where it stops one the other goes on."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    counter = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counter)
