"""The page's files, read once and tagged: browsers ask only whether they have changed.

What the interface is built of has the digest of its content in its name, and is kept by browsers
for as long as they like.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from sipstrobe.web.exchange import Request, Response, Route

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_INDEX: Final = "ui/index.html"
_NAMED_BY_DIGEST: Final = "ui/assets/"
_SMALL: Final = 1000  # bytes; less is not worth packing


def routes() -> list[Route]:
    """One route for each file; the index is at /."""
    folder = files("sipstrobe.web") / "static"
    return [_route(name, entry.read_bytes()) for name, entry in _files(folder)]


def _files(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """What can be shown, by its path below the folder."""
    for entry in folder.iterdir():
        name = above + entry.name
        if entry.is_dir():
            yield from _files(entry, f"{name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            yield name, entry


def _route(name: str, content: bytes) -> Route:
    page_file = _File(name, content)
    path = "/" if name == _INDEX else f"/static/{name}"
    return Route(method="GET", path=path, handler=page_file.send, role=None)


class _File:
    """Sent as it is, or packed to those who take that; packed when it is first asked for."""

    def __init__(self, name: str, content: bytes) -> None:
        self._content = content
        self._packed = b""
        self._type = _TYPES[name.rpartition(".")[2]]
        self._tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        lasting = name.startswith(_NAMED_BY_DIGEST)
        kept = "public, max-age=31536000, immutable" if lasting else "no-cache"
        self._headers = (("ETag", self._tag), ("Cache-Control", kept), ("Vary", "Accept-Encoding"))

    async def send(self, request: Request) -> Response:
        if self._tag in request.header("if-none-match"):
            return Response(304, b"", self._type, self._headers)
        if len(self._content) < _SMALL or not takes_gzip(request.header("accept-encoding")):
            return Response(200, self._content, self._type, self._headers)
        if not self._packed:
            self._packed = await asyncio.to_thread(gzip.compress, self._content, mtime=0)
        packed = ("Content-Encoding", "gzip")
        return Response(200, self._packed, self._type, (*self._headers, packed))


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding field allows gzip (RFC 9110 §12.5.3); "" allows nothing."""
    weights: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        weights[coding] = not weight or weight.strip("0.") != ""
    return weights.get("gzip", weights.get("*", False))
