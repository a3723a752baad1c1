"""Who asks over HTTP where only HTTPS is served is told where to go (PRB-01, HTT-01).

People are led there by a redirect with a page that explains; programs are told in words, since one
that sends its password again, or its order, should not do so before it has been told to.
"""

import re
from collections.abc import Callable
from typing import Final

from sipstrobe.web.exchange import Request, Response, problem

HTTPS_PORT: Final = 443
_HOST = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PATH = re.compile(r"/[\x21\x23-\x26\x28-\x3b\x3d\x3f-\x7e]{0,2000}")  # without " ' < >
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>HTTPS</title>
<main>
<h1>This device is reached by HTTPS</h1>
<p>Its page is at <a href="{url}">{url}</a>. Your browser may warn of the certificate: compare its
fingerprint with the one that the device shows at its start.</p>
<hr>
<div lang="de">
<h1>Dieses Gerät ist über HTTPS zu erreichen</h1>
<p>Seine Seite ist <a href="{url}">{url}</a>. Vielleicht warnt Ihr Browser vor dem Zertifikat:
vergleichen Sie dessen Fingerabdruck mit dem, den das Gerät beim Start anzeigt.</p>
</div>
</main>
"""
_HTML = "text/html; charset=utf-8"


class Detour:
    """The desk for what came in the wrong way: it reads no body and looks at no password."""

    def __init__(self, https: Callable[[], tuple[str, int] | None]) -> None:
        """https: where HTTPS is served at present; None: nowhere, for some reason."""
        self._https = https

    def body_max_bytes(self, method: str, path: str) -> int:
        return 0

    def is_streamed(self, method: str, path: str) -> bool:
        return True  # so that it stays unread

    async def respond(self, request: Request) -> Response:
        return self._lead(request)

    async def listen(self, request: Request) -> Response:
        return self._lead(request)

    def _lead(self, request: Request) -> Response:
        at = self._https()
        if at is None:
            words = "only HTTPS is wanted here, and it does not work at present"
            return _end(problem(503, words, code="https_required"))
        url = _url(request, *at)
        if not url:
            words = f"this device is reached by HTTPS, on port {at[1]}"
            return _end(problem(403, words, code="https_required"))
        if not _is_visit(request):
            words = f"use {url}; nothing is answered without HTTPS, and no password looked at"
            return _end(problem(403, words, code="https_required", location=url))
        text = _PAGE.replace("{url}", url.replace("&", "&amp;"))
        # 308 keeps the method; that nobody may keep it in mind, "no-store" says.
        return _end(Response(308, text.encode(), _HTML, (("Location", url),)))


def _end(response: Response) -> Response:
    return Response(
        response.status, response.body, response.content_type, response.headers, ends=True
    )


def _is_visit(request: Request) -> bool:
    """Whether a person has followed a link or typed an address."""
    if request.method not in ("GET", "HEAD") or request.header("authorization"):
        return False
    return request.path == "/" or "text/html" in request.header("accept")


def _url(request: Request, host: str, port: int) -> str:
    """The same in HTTPS; empty where it is not known by what name we have been called."""
    called = _HOST.fullmatch(request.header("host"))
    if called is not None:
        host = called[1]
    elif host in ("0.0.0.0", "::"):  # noqa: S104
        return ""
    elif ":" in host:
        host = f"[{host}]"
    target = request.target if _PATH.fullmatch(request.target) else "/"
    return f"https://{host}{'' if port == HTTPS_PORT else f':{port}'}{target}"
