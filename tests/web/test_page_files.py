"""How the files of the interface are sent: packed, tagged, and kept by browsers while they may."""

import gzip

import pytest

from sipstrobe.web import pages
from sipstrobe.web.exchange import Request, Response

ROUTES = {route.path: route for route in pages.routes()}
CODE = next(path for path in ROUTES if path.startswith("/static/ui/assets/index-") and "js" in path)


async def get(path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method="GET", path=path, target=path, headers=named)
    found = ROUTES[path].handler(request)
    return found if isinstance(found, Response) else await found


async def test_files_are_packed_for_those_who_take_that() -> None:
    """RFC 9110 §12.5.3."""
    plain = await get(CODE)
    packed = await get(CODE, accept_encoding="br, gzip;q=0.5")

    assert "Content-Encoding" not in dict(plain.headers)
    assert dict(packed.headers)["Content-Encoding"] == "gzip"
    assert dict(plain.headers)["Vary"] == dict(packed.headers)["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP , br", True),
        ("br", False),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.001", True),
        ("identity;q=0, *;q=0", False),
        ("*;q=0, gzip", True),
        ("gzipped", False),
    ],
)
def test_what_is_accepted_is_read_as_it_is_meant(accepted: str, taken: bool) -> None:
    assert pages.takes_gzip(accepted) is taken


async def test_what_is_named_by_its_digest_is_kept_and_the_rest_asked_for_anew() -> None:
    code, document = await get(CODE), await get("/")

    assert dict(code.headers)["Cache-Control"] == "public, max-age=31536000, immutable"
    assert dict(document.headers)["Cache-Control"] == "no-cache"
    again = await get("/", if_none_match=dict(document.headers)["ETag"])
    assert (again.status, again.body) == (304, b"")


async def test_the_document_names_files_that_there_are_and_nothing_is_inline() -> None:
    """script-src and style-src 'self', and nothing of the internet."""
    document = (await get("/")).body.decode()
    named = [part.split('"')[0] for part in document.split('="/')[1:]]

    assert named
    assert {f"/{name}" for name in named} <= ROUTES.keys()
    assert "http" not in document
    assert "<style" not in document
    assert document.count("<script") == document.count(" src=")
