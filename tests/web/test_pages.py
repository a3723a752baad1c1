"""The page's own files fit together, and keep what its Content-Security-Policy says."""

import re
from importlib.resources import files

STATIC = files("sipstrobe.web") / "static"
INDEX = (STATIC / "index.html").read_text()
MODULES = {f.name: f.read_text() for f in STATIC.iterdir() if f.name.endswith(".js")}


def test_all_modules_are_fetched_at_once_and_none_is_missing() -> None:
    """Without that the browser would find them one behind the other."""
    imported = {
        name
        for text in MODULES.values()
        for name in re.findall(r'^import (?:.* from )?"\./(.+)";$', text, re.MULTILINE)
    }

    assert imported == MODULES.keys() - {"app.js"}
    assert set(re.findall(r'"modulepreload" href="/static/(.+)"', INDEX)) == imported


def test_nothing_is_inline() -> None:
    """script-src and style-src 'self': neither code nor style in the document or in strings."""
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", INDEX) == []
    assert not any(".innerHTML" in text or "eval(" in text for text in MODULES.values())


def test_every_place_that_scripts_look_for_is_in_the_document() -> None:
    ids = set(re.findall(r'\sid="([^"]+)"', INDEX))

    wanted = {name for text in MODULES.values() for name in re.findall(r'\$\("#([a-z-]+)"\)', text)}

    assert wanted <= ids
