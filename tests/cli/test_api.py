"""`sipstrobe api`: the page of all requests, and OpenAPI."""

import json
from pathlib import Path

import pytest

from sipstrobe.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_page_of_all_requests_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["api"]) == 0
    printed = capsys.readouterr().out

    assert PAGE.read_text("utf-8") == printed, "run: sipstrobe api > docs/api.md"
    assert "| `POST /api/v1/calls` | operator | Call an address; " in printed


def test_the_same_is_had_as_openapi(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api", "--openapi"]) == 0
    document = json.loads(capsys.readouterr().out)

    assert document["openapi"] == "3.1.1"
    assert document["paths"]["/api/v1/calls"]["post"]["x-role"] == "operator"
