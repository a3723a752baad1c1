from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture
def terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """What a line does not say is about nobody's device, least of all about this machine's own."""
    monkeypatch.setattr("sipstrobe.cli.default_state", lambda: tmp_path / "nobody's")
    return Terminal(tmp_path / "state", capsys)
