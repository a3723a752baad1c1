"""Who comes in and how, over real HTTP: Digest, sessions, first visit, throttle."""

import asyncio
import json
import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, DigestAuthMiddleware, TCPConnector

from sipstrobe.config.settings import WebSettings
from sipstrobe.config.users import Role, make_user
from sipstrobe.context import Context
from sipstrobe.web.connections import Entrance
from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import Principal, Request
from sipstrobe.web.gate import Gate
from sipstrobe.web.server import WebServer
from sipstrobe.web.sessions import COOKIE
from tests.support.web import PASSWORDS, USERS, Device

STATUS = "/api/v1/status"
PAGE = {"X-Requested-With": "page"}


def client(name: str = "olga", password: str | None = None) -> ClientSession:
    digest = DigestAuthMiddleware(name, password or PASSWORDS[name])
    return ClientSession(middlewares=(digest,))


def browser(address: str = "127.0.0.1") -> ClientSession:
    """A client that keeps cookies, at this address."""
    return ClientSession(
        connector=TCPConnector(local_addr=(address, 0)), cookie_jar=CookieJar(unsafe=True)
    )


def basic(text: bytes) -> str:
    return "Basic " + b64encode(text).decode()


async def curl(*arguments: str) -> tuple[int, str]:
    """Run curl; the HTTP status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-s", "-w", "\n%{http_code}", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    text, _, status = out.decode().rpartition("\n")
    return int(status), text


# --- programs ----------------------------------------------------------------------------------


async def test_the_first_request_is_challenged_with_md5_first(url: str) -> None:
    async with ClientSession() as session, session.get(url + STATUS) as response:
        offers = response.headers.getall("WWW-Authenticate")

    assert response.status == 401
    assert [offer.split()[0] for offer in offers] == ["Digest", "Digest"]
    assert "algorithm=MD5" in offers[0]
    assert 'qop="auth"' in offers[0]
    assert response.content_type == "application/problem+json"


async def test_one_nonce_serves_many_requests_on_many_connections(url: str) -> None:
    async with client() as session:
        async with session.get(url + STATUS) as first:
            assert first.status == 200
        answers = await asyncio.gather(*(session.get(url + STATUS) for _ in range(20)))
        assert [answer.status for answer in answers] == [200] * 20
        assert all(len(answer.history) == 0 for answer in answers)


async def test_curl_comes_in_by_digest_and_starts_a_profile(url: str, device: Device) -> None:
    body = json.dumps({"apiVersion": "1.0", "method": "start", "params": {"profile": "Evacuate"}})
    who = f"olga:{PASSWORDS['olga']}"

    cgi = url + "/axis-cgi/siren_and_light.cgi"
    status, text = await curl("--digest", "-u", who, "-d", body, cgi)

    assert status == 200
    assert json.loads(text)["data"] == {"sirenId": 1, "lightId": 1}
    assert (await curl("--anyauth", "-u", who, "-d", body, cgi))[0] == 200
    assert (await curl("--basic", "-u", who, "-d", body, cgi))[0] == 401, "not without TLS"
    assert (await curl("--digest", "-u", "olga:wrong", "-d", body, cgi))[0] == 401


async def test_who_asks_for_the_head_only_is_let_in_as_well(url: str) -> None:
    """RFC 9110 §9.3.2; the answer to a challenge is about the method as it was sent."""
    async with client() as session, session.head(url + STATUS) as head:
        assert head.status == 200
        assert await head.read() == b""
    async with client() as session, session.head(url + "/api/v1/commands/stop-clip") as head:
        assert head.status == 405
        assert head.headers["Allow"] == "POST"
    async with client() as session, session.delete(url + STATUS) as other:
        assert other.headers["Allow"] == "GET, HEAD"


async def test_curl_uploads_profiles_as_a_form(url: str, tmp_path: Any) -> None:
    file = tmp_path / "profiles.json"
    file.write_text(json.dumps([{"name": "Bell", "siren": {"pattern": "Notification: Calling"}}]))
    envelope = '{"apiVersion":"1.0","method":"uploadProfiles","params":{"uploadMode":"add"}}'

    status, text = await curl(
        *("--digest", "-u", f"olga:{PASSWORDS['olga']}", "-F", f"request={envelope}"),
        *("-F", f"file=@{file}", url + "/axis-cgi/siren_and_light.cgi"),
    )

    assert (status, json.loads(text)["data"]) == (200, {})


async def test_a_wrong_password_is_refused_and_an_unknown_name_too(url: str) -> None:
    for name, password in (("olga", "wrong"), ("nobody", "wrong")):
        async with client(name, password) as session, session.get(url + STATUS) as response:
            assert response.status == 401


async def test_basic_is_taken_over_tls_only() -> None:
    """vapix: HTTPS offers Basic; here in addition to Digest."""
    gate = Gate(lambda: WebSettings(users=USERS), bytes)
    right = basic(b"victor:" + PASSWORDS["victor"].encode())

    def ask(*, secure: bool, given: str = right) -> Request:
        return Request(
            method="GET", path="/", target="/", headers={"authorization": given}, secure=secure
        )

    async def admit(request: Request) -> Principal:
        if gate.must_prove(request):
            await gate.prove(request)
        return gate.admit(request, Role.VIEWER)

    assert (await admit(ask(secure=True))).name == "victor"
    with pytest.raises(Denied) as denied:
        await admit(ask(secure=False))
    assert not any(value.startswith("Basic") for _, value in denied.value.headers)
    for wrong in ("Basic", "Basic *", basic(b"\xff"), basic(b"victor:x"), basic(b"victor")):
        with pytest.raises(Denied) as denied:
            await admit(ask(secure=True, given=wrong))
        assert denied.value.status == 401
        assert denied.value.headers[-1][1].startswith("Basic")


async def test_over_tls_basic_is_offered_and_the_cookie_is_for_tls(
    context: Context, device: Device, tmp_path: Path
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2"
    files = ("-keyout", str(key), "-out", str(certificate))
    process = await asyncio.create_subprocess_exec(
        "openssl", *made.split(), *files, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    server = WebServer(context, device.store, device.views())
    door = await server.open("127.0.0.1", 0, Entrance("encrypted", tls))
    url = f"https://127.0.0.1:{door.addresses[0][1]}"

    status, _ = await curl("-k", "--basic", "-u", f"victor:{PASSWORDS['victor']}", url + STATUS)
    _, headers = await curl(
        *("-k", "-D", "-", "-o", "/dev/null", url + "/api/v1/login"),
        *("-d", json.dumps({"name": "olga", "password": PASSWORDS["olga"]})),
    )

    await server.aclose()
    assert status == 200
    assert "; Secure" in headers


# --- the page ----------------------------------------------------------------------------------


async def log_in(session: ClientSession, url: str, name: str, password: str) -> int:
    body = {"name": name, "password": password}
    async with session.post(url + "/api/v1/login", json=body, headers=PAGE) as response:
        return response.status


async def test_the_page_logs_in_and_out(url: str) -> None:
    headers = PAGE | {"Origin": url}
    async with browser() as session:
        assert await log_in(session, url, "olga", "wrong") == 403
        assert await log_in(session, url, "olga", PASSWORDS["olga"]) == 200

        async with session.get(url + "/api/v1/session") as response:
            told = await response.json()
            assert (told["set_up"], told["name"], told["role"]) == (True, "olga", "operator")
        async with session.post(
            url + "/api/v1/commands/start-profile", json={"profile": "Door"}, headers=headers
        ) as response:
            assert response.status == 200
        async with session.post(url + "/api/v1/logout", headers=headers) as response:
            assert response.status == 200
        async with session.get(url + STATUS, headers=PAGE) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Session"), "no browser window"


async def test_pages_of_others_cannot_make_a_browser_give_orders(url: str) -> None:
    """CSRF: the cookie alone does not do, nor does a browser's remembered Digest password."""
    order = url + "/api/v1/commands/start-profile"
    evil = {"Origin": "http://evil.example"}
    async with browser() as session:
        await log_in(session, url, "olga", PASSWORDS["olga"])
        for headers in ({}, evil, {"Origin": "null"}):
            async with session.post(order, json={"profile": "Door"}, headers=headers) as response:
                assert response.status == 403
        with pytest.raises(Exception, match="403"):
            await session.ws_connect(url + "/api/v1/live", headers=evil)
    async with (
        client() as session,
        session.post(order, json={"profile": "Door"}, headers=evil) as response,
    ):
        assert response.status == 403


async def test_a_new_password_or_the_end_of_an_account_ends_its_sessions(
    url: str, device: Device
) -> None:
    async with browser() as session:
        await log_in(session, url, "olga", PASSWORDS["olga"])
        users = (*(u for u in USERS if u.name != "olga"), make_user("olga", Role.OPERATOR, "new"))
        device.store.change_now({"web": {"users": users}})

        async with session.get(url + STATUS) as response:
            assert response.status == 401


async def test_the_first_visitor_creates_the_administrator_and_nobody_else_does(
    context: Context,
) -> None:
    """GEN-03: no default account; until then nothing else is usable."""
    device = Device.make(context, users=(), in_background=True)
    async with device.served() as url, browser() as session:
        setup = url + "/api/v1/setup"
        async with session.get(url + "/api/v1/session") as response:
            assert (await response.json())["set_up"] is False
        async with session.get(url + STATUS) as response:
            assert response.status == 401
        for wrong in ({}, {"name": "ada"}, {"name": "ada", "password": 5}):
            async with session.post(setup, json=wrong) as response:
                assert response.status == 400
        for name, password in (("ada", ""), ("ada", "ä"), ("a:b", "fine"), ("ada", "x" * 65)):
            async with session.post(setup, json={"name": name, "password": password}) as response:
                assert response.status == 422
                assert (await response.json())["problems"]
        async with session.post(setup, json={"name": "ada", "password": "short"}) as response:
            assert response.status == 201
            assert (await response.json())["advice"]
        async with session.get(url + "/api/v1/session") as response:
            assert (await response.json())["role"] == "administrator"
        async with session.post(setup, json={"name": "eve", "password": "late"}) as response:
            assert response.status == 409
    assert [user.name for user in device.store.current.web.users] == ["ada"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("rebound.example", 403),
        ("192.0.2.1.rebound.example:80", 403),
        ("192.0.2.1", 201),
        ("[2001:db8::1]:8080", 201),
        ("localhost:8080", 201),
        ("strobe", 201),
        ("Strobe.local:8080", 201),
    ],
)
async def test_no_name_from_elsewhere_leads_to_the_first_visit(
    context: Context, host: str, status: int
) -> None:
    """DNS rebinding: a page of any site can make its own name point here, and be of one origin."""
    device = Device.make(context, users=(), in_background=True)
    async with device.served() as url, ClientSession() as session:
        headers = {"Host": host, "Origin": f"http://{host}"}
        account = {"name": "ada", "password": "a long enough one"}
        async with session.post(url + "/api/v1/setup", json=account, headers=headers) as response:
            assert response.status == status


async def test_figures_are_not_for_pages_of_other_names(url: str) -> None:
    """As above, where the browser runs on the device itself."""
    async with ClientSession() as session:
        async with session.get(url + "/metrics", headers={"Host": "rebound.example"}) as response:
            assert response.status == 401
        async with session.get(url + "/metrics") as response:
            assert response.status == 200


async def test_two_first_visitors_at_once_make_one_administrator(context: Context) -> None:
    device = Device.make(context, users=(), in_background=True)
    async with device.served() as url, ClientSession() as session:
        answers = await asyncio.gather(
            *(
                session.post(url + "/api/v1/setup", json={"name": name, "password": "quick one"})
                for name in ("ada", "eve", "mallory")
            )
        )
        assert sorted(answer.status for answer in answers) == [201, 409, 409]


# --- guessing ----------------------------------------------------------------------------------


async def test_who_guesses_is_blocked_and_others_are_not(url: str, device: Device) -> None:
    """vapix §3.4. How many are too many within a second, no real clock can tell: here one is."""
    strict = {"page_failures_per_second": 1, "block_seconds": 3600}
    device.store.change_now({"web": {"brute_force": strict}})
    async with browser("127.0.0.9") as guessing, browser() as session:
        assert await log_in(guessing, url, "olga", "guess") == 403
        assert await log_in(guessing, url, "olga", PASSWORDS["olga"]) == 403, "blocked by now"

        assert await log_in(session, url, "olga", PASSWORDS["olga"]) == 200
        async with session.get(url + STATUS) as response:
            assert response.status == 200


async def test_a_first_request_without_credentials_never_counts(url: str) -> None:
    async with ClientSession() as session:
        for _ in range(30):
            async with session.get(url + STATUS) as response:
                assert response.status == 401
    async with client() as session, session.get(url + STATUS) as response:
        assert response.status == 200


# --- the server --------------------------------------------------------------------------------


async def test_every_answer_carries_the_headers_that_protect_a_page(url: str) -> None:
    async with ClientSession() as session:
        for path in ("/", "/nothing", STATUS):
            async with session.get(url + path) as response:
                headers = response.headers
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["X-Frame-Options"] == "SAMEORIGIN"
                assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
                assert "'unsafe" not in headers["Content-Security-Policy"]
                assert headers["Server"] == "sipstrobe"


async def test_files_of_the_page_are_sent_once(url: str) -> None:
    async with ClientSession() as session:
        async with session.get(url + "/") as response:
            assert response.content_type == "text/html"
            tag = response.headers["ETag"]
        async with session.get(url + "/", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        async with session.head(url + "/") as response:
            assert response.status == 200


async def test_what_is_not_there_or_not_so_is_a_problem_in_json(url: str) -> None:
    """RFC 9457."""
    async with client() as session:
        for method, path, status in (
            ("GET", "/nothing", 404),
            ("GET", "/api/v1/commands/", 405),
            ("DELETE", STATUS, 405),
            ("POST", "/api/v1/commands/explode", 404),
            ("GET", "/static/../server.py", 404),
        ):
            async with session.request(method, url + path) as response:
                assert response.status == status
                assert response.content_type == "application/problem+json"
                assert (await response.json())["status"] == status


async def test_what_is_not_there_is_not_there_for_whoever_sends_something_either(url: str) -> None:
    """RFC 9110 §15.5.5 and §15.5.6: programs go by that, such as axis (PyPI) which asks
    /vapix/services whether there are events; a body that is too long is another thing."""
    async with client() as session:
        for path, status in (("/vapix/services", 404), ("/axis-cgi/usergroup.cgi", 405)):
            async with session.post(url + path, data="<Envelope/>") as response:
                assert (response.status, response.content_type) == (
                    *(status, "application/problem+json"),
                )


async def test_bodies_and_headers_have_bounds(url: str) -> None:
    async with client() as session:
        big = b"x" * (300 * 1024)
        async with session.post(url + "/axis-cgi/siren_and_light.cgi", data=big) as response:
            assert response.status == 413
    host, port = url.removeprefix("http://").split(":")
    for head in (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000, b"nonsense", b"GET / HTTP/9.9"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + b"\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert b" 400 " in answer.split(b"\r\n")[0]
        assert b"Server: sipstrobe" in answer
        assert b"Traceback" not in answer
        assert b"aiohttp" not in answer


async def test_a_cookie_of_nobody_is_nobody(url: str) -> None:
    async with (
        ClientSession(cookies={COOKIE: "made-up"}) as session,
        session.get(url + "/api/v1/session") as response,
    ):
        assert (await response.json())["name"] is None
