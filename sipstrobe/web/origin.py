"""Whether it is a page of ours that makes the browser ask (CSRF, DNS rebinding).

A browser shows cookies and remembered passwords to us whatever page it does so for. It also says
which page that is, in Origin and Sec-Fetch-Site, which no page can change; programs say neither.
"""

from ipaddress import ip_address

from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import Request

SAFE = ("GET", "HEAD", "OPTIONS")
_FRAMES = ("embed", "fencedframe", "frame", "iframe", "object")  # what pages have in them


def refuse_foreign_pages(request: Request) -> None:
    """Raise Denied if another site's page makes the browser ask.

    Browsers name the page's origin in whatever changes something and in WebSockets. A page that
    came without TLS may have been written by anybody on the way, and is another one to TLS.
    """
    origin = request.header("origin").lower()
    if not origin:
        return
    scheme, _, host = origin.partition("://")
    if host != request.header("host").lower() or (request.secure and scheme == "http"):
        raise Denied(403, "pages of other origins may not do this")


def refuse_forged(request: Request) -> None:
    """Raise Denied if what comes with a cookie alone may change something, and no page of ours
    says that it wants it."""
    if request.method in SAFE:
        return
    if not request.header("origin"):
        raise Denied(403, "a page must say where it is from (Origin)")
    if request.header("sec-fetch-site") not in ("", "same-origin"):
        raise Denied(403, "pages of other origins may not do this")


def refuse_embedded(request: Request) -> None:
    """Raise Denied if another site's page has a link in it as if it were an image, or a frame.

    Browsers name no origin then. To follow a link is another thing: people do so on purpose. What
    it is for they say only where the page of this device came over TLS, or from this machine.
    """
    header = request.header
    followed = header("sec-fetch-mode") == "navigate" and header("sec-fetch-dest") not in _FRAMES
    if header("sec-fetch-site") in ("cross-site", "same-site") and not followed:
        raise Denied(403, "pages of other origins may not do this")


def refuse_led(request: Request) -> None:
    """Raise Denied if it may be a browser that asks, for what not even a link may do.

    Any page can lead a browser to a link, and the passwords that it remembers go along. Browsers
    say which languages they read; programs do not, or say any.
    """
    if request.header("accept-language") not in ("", "*") or request.header("cookie"):
        raise Denied(403, "any page can lead a browser here: this is done by POST")


def named_from_elsewhere(request: Request) -> bool:
    """Whether the request calls us by a name that anybody could have made point here.

    By DNS rebinding a page of any site reaches us as if we were that site. It cannot with a bare
    address, nor with names that no public DNS gives: those without a dot, and .local (RFC 6762).
    """
    host = request.header("host")
    if host.startswith("["):
        return False
    name = host.partition(":")[0].lower()
    if "." not in name or name.endswith(".local"):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
