"""The page's files, read once and tagged: browsers ask only whether they have changed."""

import hashlib
from importlib.resources import files

from sipstrobe.web.exchange import Request, Response, Route

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_INDEX = "index.html"


def routes() -> list[Route]:
    """One route for each file; the index is at /."""
    folder = files("sipstrobe.web") / "static"
    found = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}
    return [_route(name, content) for name, content in found.items()]


def _route(name: str, content: bytes) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = (("ETag", tag), ("Cache-Control", "no-cache"))
    content_type = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")

    def send(request: Request) -> Response:
        if tag in request.header("if-none-match"):
            return Response(304, b"", content_type, headers)
        return Response(200, content, content_type, headers)

    path = "/" if name == _INDEX else f"/static/{name}"
    return Route(method="GET", path=path, handler=send, role=None)
