"""Whose page it is that makes a browser ask: CSRF with cookies, remembered passwords and links."""

import pytest

from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import Request
from sipstrobe.web.origin import refuse_embedded, refuse_foreign_pages, refuse_forged

HOST = "192.0.2.10:8443"


def asked(method: str = "POST", *, secure: bool = False, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named = {"host": HOST} | named
    return Request(method=method, path="/", target="/", headers=named, secure=secure)


@pytest.mark.parametrize("origin", ["", f"http://{HOST}", f"HTTPS://{HOST.upper()}"])
def test_our_page_and_programs_may_ask(origin: str) -> None:
    refuse_foreign_pages(asked(origin=origin))


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://192.0.2.10", "http://192.0.2.10:80", "192.0.2.10:8443"],
)
def test_no_other_page_may(origin: str) -> None:
    """Another port of this host is another origin too."""
    with pytest.raises(Denied):
        refuse_foreign_pages(asked(origin=origin))


def test_a_page_that_came_unencrypted_is_another_one_to_tls() -> None:
    """Anybody on the way may have written it."""
    refuse_foreign_pages(asked(origin=f"https://{HOST}", secure=True))
    with pytest.raises(Denied):
        refuse_foreign_pages(asked(origin=f"http://{HOST}", secure=True))


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_cookie_changes_something_for_our_own_page_only(site: str) -> None:
    origin = f"https://{HOST}"
    refuse_forged(asked(origin=origin))
    refuse_forged(asked(origin=origin, sec_fetch_site="same-origin"))
    refuse_forged(asked("GET", sec_fetch_site=site))
    for forged in (asked(), asked(origin=origin, sec_fetch_site=site)):
        with pytest.raises(Denied):
            refuse_forged(forged)


def test_a_link_is_followed_and_not_embedded() -> None:
    refuse_embedded(asked("GET"))
    refuse_embedded(led_by("cross-site", "navigate"))
    refuse_embedded(led_by("cross-site", "navigate", "document"))
    for embedded in (led_by("same-site", "no-cors"), led_by("cross-site", "navigate", "iframe")):
        with pytest.raises(Denied):
            refuse_embedded(embedded)


def led_by(site: str, mode: str, use: str = "") -> Request:
    return asked("GET", sec_fetch_site=site, sec_fetch_mode=mode, sec_fetch_dest=use)
