"""Whether the files of the program are as they were built (checklist GEN-06).

A wheel brings a list of its files with their digests (RECORD: PEP 376, PEP 427), which is what they
are held against. It lies beside them, so it shows damage and clumsy changes, not a careful thief.
"""

import base64
import csv
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from importlib.metadata import Distribution

TOLD_MAX: Final = 20  # files that are named


class OwnFiles(Struct, frozen=True):
    """What was found. words: for people; the lists name some of the files at most."""

    state: Literal["intact", "changed", "unknown"]
    words: str
    checked: int = 0
    changed: Sequence[str] = field(default=())
    missing: Sequence[str] = field(default=())
    unexpected: Sequence[str] = field(default=())


def check_own_files(name: str = "sipstrobe") -> OwnFiles:
    """Look through all of them; blocks."""
    from importlib.metadata import PackageNotFoundError, distribution  # 10 ms to load

    try:
        found = distribution(name)
    except PackageNotFoundError:
        return OwnFiles("unknown", "The program is not installed: nothing says what it should be.")
    if _is_editable(found) or found.read_text("RECORD") is None:
        words = "The program runs from a work tree: nothing says how its files should be."
        return OwnFiles("unknown", words)
    return compare(found, name)


def compare(found: "Distribution", package: str) -> OwnFiles:
    """Hold the files of a package against their list."""
    changed: list[str] = []
    missing: list[str] = []
    listed: set[Path] = set()
    checked = 0
    record = (found.read_text("RECORD") or "").splitlines()
    for name, digest, _ in csv.reader(record):  # Distribution.files leaves out what is missing
        path = Path(str(found.locate_file(name)))
        listed.add(path)
        if not digest:
            continue  # RECORD itself, and what was made after the installation
        mode, _, wanted = digest.partition("=")
        try:
            there_is = hashlib.new(mode, path.read_bytes()).digest()
        except OSError:
            missing.append(name)
            continue
        checked += 1
        if base64.urlsafe_b64encode(there_is).rstrip(b"=").decode() != wanted:
            changed.append(name)
    folder = Path(str(found.locate_file(package)))
    there = folder.rglob("*.py") if folder.is_dir() else ()
    unexpected = sorted(
        str(path.relative_to(folder.parent)) for path in there if path not in listed
    )
    if not (changed or missing or unexpected):
        return OwnFiles("intact", f"All {checked} files are as they were built.", checked)
    words = (
        f"{len(changed)} files are not as they were built, {len(missing)} are missing and"
        f" {len(unexpected)} are not part of it. Install the program anew."
    )
    lists = (changed[:TOLD_MAX], missing[:TOLD_MAX], unexpected[:TOLD_MAX])
    return OwnFiles("changed", words, checked, *lists)


def _is_editable(found: "Distribution") -> bool:
    """PEP 610."""
    try:
        told = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return bool(told.get("dir_info", {}).get("editable"))
