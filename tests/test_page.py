"""The page by HTTP, HTTPS or both: what works is kept until the next works (HTT-01…04)."""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from sipstrobe.clock import Clock, LoopClock
from sipstrobe.config.certificates import Certificate
from sipstrobe.config.settings import Settings, WebSettings
from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.identity import LIFE, RENEWED_BEFORE, Identity, fingerprint, own_identity
from sipstrobe.page import LOOK_EVERY, Kind, Page, Wanted, page_wanted
from sipstrobe.secret import Secret
from sipstrobe.web.server import WebServer
from tests.support.authority import Authority, Signed
from tests.support.clock import FakeClock
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.web import CHEAP, Device

HOST = "127.0.0.1"
OWN = Authority("itself").sign("siren.example", HOST)
OFFICE = Authority().sign("siren.example", HOST, common_name="siren.example")
Answer = tuple[int, dict[str, str], str]


def identity(signed: Signed) -> Identity:
    return Identity(signed.certificate, Secret(signed.key))


class House:
    """A page whose settings a test changes, and a visitor of it."""

    def __init__(
        self, clock: Clock | None = None, own: Callable[[], Identity] = lambda: identity(OWN)
    ) -> None:
        context = Context(clock or LoopClock(asyncio.get_running_loop()))
        self.device = Device.make(context)
        self.problems: list[str] = []
        context.bus.subscribe(ServiceStateChanged, self._note)
        self.page = Page(context, self._serve, own)
        self.http, self.https = free_port(), free_port()

    def _serve(self) -> WebServer:
        return WebServer(self.device.context, self.device.store, self.device.views(), cost=CHEAP)

    def _note(self, event: ServiceStateChanged) -> None:
        if event.service == "page":
            self.problems.append(event.problem)

    @property
    def problem(self) -> str:
        return self.problems[-1] if self.problems else ""

    def want(self, *kinds: Kind, leads: bool = False, shown: Identity | None = None) -> None:
        self.page.apply(
            Wanted(
                http=(HOST, self.http) if "http" in kinds else None,
                https=(HOST, self.https) if "https" in kinds else None,
                leads=leads,
                identity=shown,
            )
        )

    async def wanted(
        self, *kinds: Kind, leads: bool = False, shown: Identity | None = None
    ) -> None:
        """The same, and it is so."""
        before = len(self.problems)
        self.want(*kinds, leads=leads, shown=shown)
        await until(lambda: len(self.problems) > before)
        assert self.problem == ""

    async def ask(self, scheme: str, port: int, path: str = "/", *more: str) -> Answer:
        """Ask once: status, headers, body; also the certificate that was shown, as a header."""
        context = None
        if scheme == "https":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
        lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", "Connection: close", *more]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        first, *rest = head.split("\r\n")
        headers = {n.lower(): v for n, v in (line.split(": ", 1) for line in rest)}
        if context is not None:
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            headers["shown"] = fingerprint(ssl.DER_cert_to_PEM_cert(shown))
        writer.close()
        return int(first.split()[1]), headers, body

    async def status(self, scheme: str, port: int) -> int:
        """0: nobody is there, or hangs up."""
        with contextlib.suppress(OSError, ValueError):
            return (await self.ask(scheme, port))[0]
        return 0

    async def aclose(self) -> None:
        await self.page.aclose()
        await self.device.library.aclose()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.aclose()


async def test_both_serve_and_the_wrong_scheme_is_led_to_the_right_one(house: House) -> None:
    """PRB-01: the wrong scheme must not look like a failed login."""
    await house.wanted("http", "https")
    here = f"https://{HOST}:{house.https}"

    assert await house.status("http", house.http) == 200
    status, headers, _ = await house.ask("https", house.https)
    assert (status, headers["shown"]) == (200, house.page.fingerprint)
    assert house.page.fingerprint == fingerprint(OWN.certificate)
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "strict-transport-security" not in headers

    status, headers, body = await house.ask("http", house.https, "/?a=1&b=2")
    assert (status, headers["location"]) == (308, f"{here}/?a=1&b=2")
    assert headers["cache-control"] == "no-store"
    assert "reached by HTTPS" in body
    assert "über HTTPS" in body
    status, headers, _ = await house.ask("https", house.http)
    assert (status, headers["location"]) == (308, f"{here}/")


async def test_with_https_only_http_leads_there_and_takes_no_password(house: House) -> None:
    """HTT-01."""
    await house.wanted("http", "https", leads=True)
    here = f"https://{HOST}:{house.https}"

    assert (await house.ask("http", house.http))[1]["location"] == f"{here}/"
    page = await house.ask("http", house.http, "/next", "Accept: text/html,*/*")
    assert (page[0], page[1]["location"]) == (308, f"{here}/next")
    for path, *more in (
        ("/api/v1/status",),
        ("/axis-cgi/basicdeviceinfo.cgi",),
        ("/", "Authorization: Basic YWRhOg=="),
        ("/api/v1/live", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    ):
        status, headers, body = await house.ask("http", house.http, path, *more)
        told = json.loads(body)
        assert (status, told["code"], told["location"]) == (403, "https_required", here + path)
        assert "www-authenticate" not in headers
    assert await house.status("https", house.https) == 200


async def test_a_host_that_nobody_could_have_typed_is_not_given_back(house: House) -> None:
    await house.wanted("http", "https", leads=True)
    for host in ("evil.example/x", "a b", '"><script>', "[::1"):
        reader, writer = await asyncio.open_connection(HOST, house.http)
        writer.write(f"GET /<x> HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        said = (await reader.read()).decode()
        writer.close()
        if " 308 " in said:  # by the address that was called
            assert f"Location: https://{HOST}:{house.https}/\r\n" in said
        assert "evil" not in said
        assert "<script>" not in said


async def test_browsers_are_bound_to_https_by_a_signed_certificate_only(house: House) -> None:
    """RFC 6797 §7.2, §11.3: never by HTTP, nor with a certificate that each must accept."""
    strict = "strict-transport-security"
    await house.wanted("http", "https", leads=True, shown=identity(OFFICE))
    assert strict in (await house.ask("https", house.https))[1]
    assert strict not in (await house.ask("http", house.http))[1]

    await house.wanted("http", "https", shown=identity(OFFICE))
    assert strict not in (await house.ask("https", house.https))[1]


async def test_where_https_cannot_be_opened_http_serves_until_it_can(house: House) -> None:
    """Whoever switches to HTTPS is not locked out by a port that somebody else has."""
    await house.wanted("http")
    with socket.socket() as taken:
        taken.bind((HOST, house.https))
        taken.listen()

        house.want("http", "https", leads=True)
        await until(lambda: "already in use" in house.problem)

        assert house.problem.startswith(f"HTTPS on port {house.https}: ")
        assert await house.status("http", house.http) == 200

    await until(lambda: not house.problem)
    assert await house.status("https", house.https) == 200
    assert await house.status("http", house.http) == 308


async def test_a_device_that_starts_without_its_https_takes_no_passwords(house: House) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, house.https))
        taken.listen()

        house.want("http", "https", leads=True)
        await house.page.tried.wait()
        await until(lambda: house.page.addresses("http"))

        assert await house.status("http", house.http) == 503


async def test_a_port_that_is_taken_leaves_the_page_where_it_was(house: House) -> None:
    await house.wanted("http", "https")
    before = house.http
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        house.http = taken.getsockname()[1]

        house.want("http", "https")
        await until(lambda: house.problem)

        assert await house.status("http", before) == 200
        assert await house.status("https", house.https) == 200
    await until(lambda: not house.problem)
    assert await house.status("http", before) == 0
    assert await house.status("http", house.http) == 200


async def test_ports_change_places_and_addresses_keep_their_port(house: House) -> None:
    await house.wanted("http", "https")

    house.http, house.https = house.https, house.http
    await house.wanted("http", "https")
    assert await house.status("http", house.http) == 200
    assert await house.status("https", house.https) == 200

    house.page.apply(Wanted(http=("127.0.0.2", house.http), https=(HOST, house.https)))
    await until(lambda: house.page.addresses("http") == [("127.0.0.2", house.http)])
    assert await house.status("http", house.http) == 0


async def test_an_address_that_is_not_ours_brings_the_old_one_back(house: House) -> None:
    await house.wanted("http")

    house.page.apply(Wanted(http=("192.0.2.199", house.http)))
    await until(lambda: house.problem)

    assert await house.status("http", house.http) == 200


async def test_https_alone_closes_http_and_http_alone_closes_https(house: House) -> None:
    await house.wanted("http", "https")
    await house.wanted("https")
    assert await house.status("http", house.http) == 0
    assert await house.status("https", house.https) == 200

    await house.wanted("http")
    assert await house.status("https", house.https) == 0
    assert await house.status("http", house.http) == 200
    assert house.page.fingerprint == ""


async def test_http_that_only_led_elsewhere_serves_again_and_https_closes(house: House) -> None:
    """HTT-01: from HTTPS only to HTTP only, in one step."""
    await house.wanted("http", "https", leads=True)

    await house.wanted("http")

    assert await house.status("http", house.http) == 200
    assert await house.status("https", house.https) == 0


async def test_a_connection_that_is_now_led_elsewhere_ends(house: House) -> None:
    """Else whoever was in by HTTP would stay in."""
    await house.wanted("http")
    reader, writer = await asyncio.open_connection(HOST, house.http)
    writer.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

    await house.wanted("http", "https", leads=True)

    assert await reader.read() == b""
    writer.close()


async def test_another_certificate_is_shown_at_once_and_one_of_no_use_is_not(house: House) -> None:
    """HTT-04."""
    await house.wanted("https")
    await house.wanted("https", shown=identity(OFFICE))
    shown = fingerprint(OFFICE.certificate)
    assert (await house.ask("https", house.https))[1]["shown"] == shown

    house.want("https", shown=Identity(OFFICE.certificate, Secret(OWN.key)))
    await until(lambda: house.problem)

    assert "cannot be used" in house.problem
    assert (await house.ask("https", house.https))[1]["shown"] == shown


async def test_a_device_that_starts_with_one_of_no_use_shows_its_own(house: House) -> None:
    house.want("https", shown=Identity("nonsense", Secret("")))
    await house.page.tried.wait()

    answer = await house.ask("https", house.https)

    assert "cannot be used" in house.problem
    assert (answer[0], answer[1]["shown"]) == (200, fingerprint(OWN.certificate))


@contextlib.asynccontextmanager
async def years(folder: Path) -> AsyncGenerator[tuple[House, FakeClock, list[str]]]:
    """A page with a certificate of its own making, on a clock that a test moves. What stands in the
    list is what keeps it from making another."""
    clock, trouble = FakeClock(), list[str]()

    def own() -> Identity:
        if trouble:
            raise OSError(trouble[0])
        return own_identity(folder, [HOST], clock.wall())

    house = House(clock, own)
    try:
        await house.wanted("https")
        yield house, clock, trouble
    finally:
        await house.aclose()


DAY = 86400.0
DUE = (LIFE - RENEWED_BEFORE).total_seconds()


async def test_our_own_certificate_is_renewed_while_the_page_is_open(tmp_path: Path) -> None:
    """Well before its end, and whoever is there notices nothing of it."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with years(tmp_path) as (house, clock, _):
        reader, writer = await asyncio.open_connection(HOST, house.https, ssl=trusting)
        first = (await house.ask("https", house.https))[1]["shown"]
        clock.advance_to(DUE - DAY)
        assert (await house.ask("https", house.https))[1]["shown"] == first

        clock.advance(DAY + LOOK_EVERY)
        await until(lambda: house.page.fingerprint != first)

        assert (await house.ask("https", house.https))[1]["shown"] == house.page.fingerprint
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_where_no_other_can_be_made_the_last_one_goes_on_and_it_is_tried_again(
    tmp_path: Path,
) -> None:
    async with years(tmp_path) as (house, clock, trouble):
        first = house.page.fingerprint
        trouble.append("no certificate could be made")
        clock.advance_to(DUE + LOOK_EVERY)
        await until(lambda: house.problem)
        assert house.problem == "HTTPS: no certificate could be made"
        assert (await house.ask("https", house.https))[1]["shown"] == first

        trouble.clear()
        await until(lambda: not house.problem)

        assert (await house.ask("https", house.https))[1]["shown"] != first


def test_what_the_settings_want() -> None:
    office = Certificate(
        name="Office", certificate=OFFICE.certificate, private_key=Secret(OFFICE.key)
    )
    web = WebSettings(host=HOST, certificate="Office")
    settings = Settings(web=web, certificates=(office,))
    both = Wanted(http=(HOST, 8080), https=(HOST, 8443), identity=identity(OFFICE))

    def of(**values: object) -> Wanted:
        return page_wanted(changed(settings, web=changed(web, **values)))

    assert of() == both
    assert of(mode="http") == changed(both, https=None)
    assert of(mode="https") == changed(both, leads=True)
    assert "a port of its own" in of(port=8443).problem
    assert (of(port=8443).https, of(port=8443, mode="http").problem) == (None, "")


def test_what_a_run_wants_goes_before() -> None:
    web = WebSettings(mode="https")
    here, there = ("::1", 1), ("::1", 2)

    assert page_wanted(Settings(web=web), http=here) == Wanted(http=here)
    assert page_wanted(Settings(web=web), https=there) == Wanted(https=there, leads=True)
    both = page_wanted(Settings(web=web), http=here, https=there)
    assert both == Wanted(http=here, https=there, leads=True)


async def test_a_problem_of_the_settings_is_told_and_http_serves(house: House) -> None:
    house.page.apply(Wanted(http=(HOST, house.http), problem="HTTPS needs a port of its own"))
    await until(lambda: house.problem)

    assert house.problem == "HTTPS needs a port of its own"
    assert await house.status("http", house.http) == 200
