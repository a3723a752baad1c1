"""Whether the files of the program are as they were built: GEN-06."""

import base64
import hashlib
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from sipstrobe.io.own_files import check_own_files, compare

FILES = {"program/__init__.py": b"", "program/core.py": b"x = 1\n", "program/page.html": b"<p>"}


@pytest.fixture
def installed(tmp_path: Path) -> Distribution:
    """As a wheel leaves it: PEP 376."""
    lines: list[str] = []
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}")
    info = tmp_path / "program-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: program\nVersion: 1.0\n")
    (info / "RECORD").write_text("\n".join([*lines, f"{info.name}/RECORD,,"]))
    return PathDistribution(info)


def test_files_as_they_were_built_are_intact(installed: Distribution) -> None:
    found = compare(installed, "program")
    assert (found.state, found.checked) == ("intact", 3)


def test_what_is_changed_missing_or_added_is_named(installed: Distribution, tmp_path: Path) -> None:
    (tmp_path / "program/core.py").write_bytes(b"x = 2\n")
    (tmp_path / "program/page.html").unlink()
    (tmp_path / "program/back_door.py").write_bytes(b"")

    found = compare(installed, "program")

    assert found.state == "changed"
    assert found.changed == ["program/core.py"]
    assert found.missing == ["program/page.html"]
    assert found.unexpected == ["program/back_door.py"]
    assert found.words.startswith("1 files are not as they were built")


def test_what_is_not_installed_cannot_be_judged() -> None:
    assert check_own_files("there-is-no-such-program").state == "unknown"
