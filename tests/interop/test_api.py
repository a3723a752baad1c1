"""The API of a running device, asked by its own description (``python -m tests.fuzz_http``)."""

from pathlib import Path

import pytest

from tests.fuzz_http import Fuzzer
from tests.interop.device import device

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]


def test_the_device_answers_as_its_description_says(tmp_path: Path) -> None:
    """Each operation once, as an administrator: no error of ours, no status and no member that is
    not described; nor does anything go wrong that only the log tells (`device`)."""
    with device(tmp_path, "--no-microphone", sound="null", light=False) as running:
        fuzzer = Fuzzer(running)
        faults = list(fuzzer.taste())

    assert fuzzer.unknown() == set(), "what is spared is still there"
    assert not faults, "\n".join(faults)
