"""What lies in examples/ runs as it is; basedpyright knows that the others fit the program."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def test_two_endpoints_call_each_other_on_paper(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "call_on_paper.py"), run_name="__main__")

    said = capsys.readouterr().out.splitlines()
    assert "192.0.2.1 → 192.0.2.2  INVITE sip:1001@192.0.2.2" in said[0]
    assert said[-1].endswith("192.0.2.2 is told CallEnded")
