"""Accounts over the API: ACC-01…06, GEN-03, GEN-05."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from sipstrobe.config.users import MAX_USERS, Role, User, make_user
from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.web.live import Listener
from sipstrobe.web.server import LIVE_PATH, WebServer
from tests.support.visitor import Visitor
from tests.support.web import PASSWORDS, USERS, Device

ADMIN = Role.ADMINISTRATOR


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


@pytest.fixture
async def ada(server: WebServer) -> Visitor:
    ada = Visitor(server)
    assert await ada.log_in("ada") == 200
    return ada


async def listening(visitor: Visitor, server: WebServer) -> Listener:
    listener = await server.listen(visitor.request("GET", LIVE_PATH))
    assert isinstance(listener, Listener)
    return listener


async def has_ended(listener: Listener) -> bool:
    """Whether it tells nothing more, once what waits is read; a feed that goes on has some."""
    return not [message async for message in _first(listener)]


async def _first(listener: Listener) -> AsyncIterator[str]:
    async for message in listener:
        yield message
        return


async def test_an_administrator_makes_changes_and_deletes_accounts(
    ada: Visitor, server: WebServer
) -> None:
    bea = Visitor(server)
    new = {"name": "bea", "password": "three blind mice", "role": "operator"}

    made = await ada.ask("POST", "/users", new)

    told = {"name": "bea", "role": "operator", "digest": True}
    assert made == (201, told | {"advice": ""})
    assert told in (await ada.ask("GET", "/users"))[1]["users"]
    assert await bea.log_in("bea", "three blind mice") == 200
    assert (await ada.ask("PATCH", "/users/bea", {"role": "viewer"}))[1]["role"] == "viewer"
    assert (await bea.ask("GET", "/status"))[0] == 401, "its sessions have ended"
    assert await bea.log_in("bea", "three blind mice") == 200
    assert await ada.ask("DELETE", "/users/bea") == (204, None)
    assert (await bea.ask("GET", "/status"))[0] == 401, "and so have those since"
    assert await bea.log_in("bea", "three blind mice") == 403
    assert (await ada.ask("DELETE", "/users/bea"))[1]["code"] == "unknown_user"


@pytest.mark.parametrize("path", ["/setup", "/logout", "/login"])
async def test_no_other_page_signs_anybody_in_or_out(
    server: WebServer, device: Device, path: str
) -> None:
    """CSRF: nor does one become the first administrator from elsewhere (GEN-03)."""
    if path == "/setup":
        device.store.change_now({"web": {"users": ()}})
    body = {} if path == "/logout" else {"name": "ada", "password": PASSWORDS["ada"]}
    asked = Visitor(server).request("POST", f"/api/v1{path}", body)
    led = replace(asked, headers={**asked.headers, "origin": "http://evil.example"})

    assert (await server.respond(led)).status == 403
    assert (await server.respond(asked)).status in (200, 201)


@pytest.mark.parametrize(
    ("new", "status", "where"),
    [
        ({"name": "olga", "password": "x"}, 409, "name"),
        ({"name": "a b", "password": "x"}, 422, "/web/users/3/name"),
        ({"name": "bea", "password": ""}, 422, "/password"),
        ({"name": "bea", "password": "x" * 65}, 422, "/password"),
        ({"name": "bea", "password": "ä"}, 422, "/password"),
        ({"name": "bea", "password": "x", "role": "king"}, 400, "role"),
        ({"name": "bea"}, 400, "password"),
    ],
)
async def test_what_no_account_can_be_is_refused_with_its_field(
    ada: Visitor, new: dict[str, str], status: int, where: str
) -> None:
    """ACC-02, ACC-03."""
    refused, problem = await ada.ask("POST", "/users", new)

    assert refused == status
    assert problem.get("field") or problem["problems"][0]["path"] == where


async def test_there_are_a_hundred_accounts_at_most(ada: Visitor, device: Device) -> None:
    """ACC-01."""
    more = [make_user(f"user{n}", Role.VIEWER, "x") for n in range(MAX_USERS - len(USERS))]
    device.store.change_now({"web": {"users": (*USERS, *more)}})

    status, problem = await ada.ask("POST", "/users", {"name": "bea", "password": "x"})

    assert (status, problem["problems"][0]["path"]) == (422, "/web/users")


async def test_the_last_administrator_stays(ada: Visitor) -> None:
    """ACC-05: otherwise nobody could make another."""
    for method, body in (("DELETE", None), ("PATCH", {"role": "operator"})):
        status, problem = await ada.ask(method, "/users/ada", body)
        assert (status, problem["code"]) == (409, "last_administrator")

    await ada.ask("PATCH", "/users/olga", {"role": "administrator"})
    assert (await ada.ask("PATCH", "/users/ada", {"role": "operator"}))[0] == 200


async def test_only_administrators_see_accounts(server: WebServer) -> None:
    """ACC-04."""
    olga = Visitor(server)
    await olga.log_in("olga")

    for method, path in (("GET", "/users"), ("POST", "/users"), ("DELETE", "/users/victor")):
        assert (await olga.ask(method, path))[0] == 401


async def test_a_change_ends_the_live_feeds_of_that_account_and_no_others(
    ada: Visitor, server: WebServer
) -> None:
    olga, victor = Visitor(server), Visitor(server)
    await olga.log_in("olga")
    await victor.log_in("victor")
    feeds = [await listening(who, server) for who in (ada, olga, victor)]

    await ada.ask("PATCH", "/users/olga", {"password": "something else"})

    assert [await has_ended(feed) for feed in feeds] == [False, True, False]
    await ada.ask("PATCH", "/users/victor", {"digest": False})
    assert not await has_ended(feeds[2]), "who may still listen goes on"
    await victor.ask("POST", "/logout")
    assert await has_ended(feeds[2])


async def test_everybody_changes_the_own_password(server: WebServer) -> None:
    here, there = Visitor(server), Visitor(server)
    for victor in (here, there):
        await victor.log_in("victor")

    wrong = await here.ask("POST", "/password", {"old": "guess", "new": "long enough, new"})
    empty = await here.ask("POST", "/password", {"old": PASSWORDS["victor"], "new": ""})
    done = await here.ask("POST", "/password", {"old": PASSWORDS["victor"], "new": "hunter2"})

    assert (wrong[0], wrong[1]["field"]) == (403, "old")
    assert (empty[0], empty[1]["problems"][0]["path"]) == (422, "/new")
    assert done[0] == 200
    assert "short" in done[1]["advice"]
    assert (await here.ask("GET", "/status"))[0] == 200, "whoever changed it goes on"
    assert (await there.ask("GET", "/status"))[0] == 401, "nobody else does"
    assert await there.log_in("victor", "hunter2") == 200
    told = (await there.ask("GET", "/session"))[1]["advice"]
    assert [entry["code"] for entry in told] == ["unencrypted", "weak_password"]


async def test_who_shows_a_password_with_each_request_gets_no_session_for_a_new_one(
    server: WebServer,
) -> None:
    program, page = Visitor(server, secure=True), Visitor(server)
    program.credentials = "Basic " + b64encode(b"olga:" + PASSWORDS["olga"].encode()).decode()
    await page.log_in("olga")

    wanted = {"old": PASSWORDS["olga"], "new": "long enough, new"}
    assert (await program.ask("POST", "/password", wanted))[0] == 200

    assert "Set-Cookie" not in program.headers
    assert (await page.ask("GET", "/status"))[0] == 401


async def test_the_own_password_is_guessed_no_faster_than_any(server: WebServer) -> None:
    """BRU-01: who has come by a session does not find out its password."""
    victor = Visitor(server)
    await victor.log_in("victor")

    guesses = [await victor.ask("POST", "/password", {"old": "?", "new": "x"}) for _ in range(20)]
    right = {"old": PASSWORDS["victor"], "new": "long enough, new"}
    status, told = await victor.ask("POST", "/password", right)

    assert {(code, said["field"]) for code, said in guesses} == {(403, "old")}
    assert (status, "too many wrong passwords" in told["detail"]) == (403, True)


async def test_whoever_is_shut_out_changes_nothing_that_he_has_asked_for_before(
    ada: Visitor, server: WebServer
) -> None:
    """Hashes take time: meanwhile his password is another one, or his account is gone."""
    thief, demoted = Visitor(server), Visitor(server, "192.0.2.78")
    await thief.log_in("olga")
    await ada.ask("POST", "/users", {"name": "bob", "password": "once upon", "role": ADMIN})
    await demoted.log_in("bob", "once upon")

    mine = {"old": PASSWORDS["olga"], "new": "the thief's"}
    asked = [
        asyncio.create_task(work)
        for work in (
            thief.ask("POST", "/password", mine),
            demoted.ask("POST", "/users", {"name": "eve", "password": "let me in", "role": ADMIN}),
            demoted.ask("PATCH", "/users/victor", {"password": "let me in"}),
            ada.ask("PATCH", "/users/bob", {"role": "viewer"}),
            ada.ask("PATCH", "/users/olga", {"password": "safe again"}),
        )
    ]
    answers = [(await one)[0] for one in asked]

    assert answers == [401, 401, 401, 200, 200]
    assert await thief.log_in("olga", "safe again") == 200
    assert await thief.log_in("victor") == 200
    assert await thief.log_in("eve", "let me in") == 403


async def test_a_new_session_takes_the_place_of_the_one_that_this_browser_has_had(
    server: WebServer,
) -> None:
    olga, left = Visitor(server), Visitor(server)
    await olga.log_in("olga")
    left.cookie = olga.cookie

    assert await olga.log_in("olga") == 200

    assert (await olga.ask("GET", "/status"))[0] == 200
    assert (await left.ask("GET", "/status"))[0] == 401


async def test_one_may_sign_out_of_all_browsers(server: WebServer) -> None:
    here, there = Visitor(server), Visitor(server)
    for olga in (here, there):
        await olga.log_in("olga")

    await here.ask("POST", "/logout", {"everywhere": True})

    assert (await there.ask("GET", "/session"))[1]["name"] is None
    assert (await there.ask("POST", "/logout", {"everywhere": True}))[0] == 200


async def test_the_page_is_told_how_safe_it_is(server: WebServer) -> None:
    """GEN-05: the first password travels unencrypted; people are told."""
    over_tls, without = Visitor(server, secure=True), Visitor(server)

    assert (await over_tls.ask("GET", "/session"))[1] == {
        "set_up": True,
        "name": None,
        "role": None,
        "anonymous": False,
        "secure": True,
        "https_port": None,
        "advice": [],
    }
    assert [a["code"] for a in (await without.ask("GET", "/session"))[1]["advice"]] == [
        "unencrypted"
    ]


# --- how passwords are kept --------------------------------------------------------------------


def user(device: Device, name: str) -> User:
    return next(u for u in device.store.current.web.users if u.name == name)


async def test_an_account_may_do_without_digest(
    ada: Visitor, server: WebServer, device: Device
) -> None:
    """What MD5 makes of its password is then not on the disk."""
    await ada.ask("PATCH", "/users/olga", {"digest": False})
    olga = Visitor(server)

    assert not user(device, "olga").ha1_md5
    assert not user(device, "olga").ha1_sha256
    assert await olga.log_in("olga") == 200
    status, problem = await ada.ask("PATCH", "/users/olga", {"digest": True})
    assert (status, problem["field"]) == (400, "password")
    again = {"digest": True, "password": "a new one, allowed"}
    assert (await ada.ask("PATCH", "/users/olga", again))[1]["digest"]


async def test_an_account_of_before_gets_its_slow_hash_when_it_signs_in(
    server: WebServer, device: Device
) -> None:
    """Settings that have only HA1 go on working, and no session ends by it."""
    old = make_user("olga", Role.OPERATOR, "as ever was")
    device.store.change_now({"web": {"users": (USERS[0], old)}})
    first, second = Visitor(server), Visitor(server)

    assert await first.log_in("olga", "as ever") == 403
    assert not user(device, "olga").password
    assert await first.log_in("olga", "as ever was") == 200

    assert user(device, "olga").password.reveal().startswith("scrypt:")
    assert (await first.ask("GET", "/status"))[0] == 200
    assert await second.log_in("olga", "as ever was") == 200
    assert await second.log_in("olga", "as ever") == 403


async def test_basic_waits_for_a_slow_hash_once(ada: Visitor, server: WebServer) -> None:
    """RFC 7617: a program sends its password with each request; a new one is found at once."""
    program = Visitor(server, secure=True)
    program.credentials = "Basic " + b64encode(b"olga:" + PASSWORDS["olga"].encode()).decode()

    assert (await program.ask("GET", "/status"))[0] == 200
    asked = program.request("GET", LIVE_PATH)
    assert isinstance(await server.listen(asked), Listener)
    await ada.ask("PATCH", "/users/olga", {"password": "something else"})
    assert (await program.ask("GET", "/status"))[0] == 401
    program.credentials = "Basic " + b64encode(b"olga:something else").decode()
    assert (await program.ask("GET", "/status"))[0] == 200
    server.gate.close()  # from now on no hash is computed
    assert (await program.ask("GET", "/status"))[0] == 200


async def test_a_session_and_a_token_do_over_tls_as_well(server: WebServer) -> None:
    olga = Visitor(server, secure=True)
    assert await olga.log_in("olga") == 200
    assert (await olga.ask("GET", "/status"))[0] == 200
    made = await olga.ask("POST", "/tokens", {"name": "bell", "scopes": ["read"]})

    program = Visitor(server, secure=True, token=made[1]["token"])
    assert (await program.ask("GET", "/status"))[0] == 200


async def test_who_is_blocked_by_guesses_is_not_heard_by_digest_either(
    server: WebServer, device: Device, context: Context
) -> None:
    """BRU-01; what happens is told to rules."""
    strict = {"page_failures_per_second": 1, "block_seconds": 60}
    device.store.change_now({"web": {"brute_force": strict}})
    told: list[AddressBlocked] = []
    context.bus.subscribe(AddressBlocked, told.append)
    guessing, program = Visitor(server), Visitor(server)
    program.credentials = 'Digest username="olga", realm="x", nonce="x", uri="/", response="x"'

    assert await guessing.log_in("olga", "guess") == 403
    assert (await program.ask("GET", "/status"))[0] == 403
    assert told == [AddressBlocked(address="192.0.2.77", seconds=60.0)]


async def test_no_door_tells_a_password_by_the_time_it_takes(
    server: WebServer, context: Context
) -> None:
    """Also where nobody has to sign in, what is wrong is wrong, and counts."""
    told: list[SignInFailed] = []
    context.bus.subscribe(SignInFailed, told.append)
    program = Visitor(server, secure=True)
    program.credentials = "Basic " + b64encode(b"olga:guess").decode()

    statuses = [(await server.respond(program.request("GET", "/"))).status for _ in range(21)]

    assert statuses == [401] * 20 + [403]
    assert [event.name for event in told] == ["olga"]


# --- without an account ------------------------------------------------------------------------


async def test_who_has_no_account_may_look_if_that_is_allowed(
    server: WebServer, device: Device
) -> None:
    """ACC-06: off by default; wrong credentials are wrong nevertheless."""
    nobody, wrong = Visitor(server), Visitor(server, token="sst_wrong")
    assert (await nobody.ask("GET", "/status"))[0] == 401

    device.store.change_now({"web": {"anonymous_viewing": True}})

    assert (await nobody.ask("GET", "/status"))[0] == 200
    told = (await nobody.ask("GET", "/session"))[1]
    assert (told["anonymous"], told["role"], told["name"]) == (True, "viewer", None)
    assert (await nobody.ask("POST", "/commands/stop-pages"))[0] == 401, "to look, no more"
    assert (await nobody.ask("POST", "/password", {"old": "", "new": ""}))[0] == 401
    assert (await wrong.ask("GET", "/status"))[0] == 401
    feed = await listening(nobody, server)
    for host, secure, status in (
        ("strobe.evil.example", False, 401),  # by DNS rebinding any site could look
        ("strobe.evil.example", True, 200),  # for which it has no certificate
        ("strobe.local:8080", False, 200),
    ):
        led = Visitor(server, host=host, secure=secure)
        assert (await led.ask("GET", "/status"))[0] == status
        assert (await led.ask("GET", "/session"))[1]["anonymous"] is (status == 200)
    device.store.change_now({"web": {"anonymous_viewing": False}})
    assert await has_ended(feed)


async def test_nobody_looks_before_there_is_an_account(server: WebServer, device: Device) -> None:
    """GEN-03: whoever comes is told what to do first."""
    device.store.change_now({"web": {"users": (), "anonymous_viewing": True}})

    status, told = await Visitor(server).ask("GET", "/status")

    assert (status, "the first visitor of the page creates one" in told["detail"]) == (401, True)
