"""The four subjects of the device are in sight at the top, and are one and the same code."""

from pathlib import Path

import pytest

import sipstrobe

TOP = Path(sipstrobe.__file__).parent.parent


@pytest.mark.parametrize("name", ["codecs", "dtmf", "multicast", "lightsiren"])
def test_the_link_at_the_top_leads_to_the_package(name: str) -> None:
    link = TOP / name

    assert link.is_symlink()
    assert link.resolve() == TOP / "sipstrobe" / name
    assert (link / "__init__.py").is_file()


def test_every_folder_of_the_package_is_a_package() -> None:
    """import-linter does not see a folder without __init__.py."""
    folders = {p.parent for p in (TOP / "sipstrobe").rglob("*.py")}

    assert [f for f in folders if not (f / "__init__.py").is_file()] == []
