"""pwdgrp.cgi and usergroup.cgi: accounts as control programs manage them (ACC-01…05, GEN-03)."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import pytest

from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.web.exchange import Response
from sipstrobe.web.server import WebServer
from tests.support.program import Program
from tests.support.web import CHEAP, USERS, Device, FullDisk

PWDGRP = "/axis-cgi/pwdgrp.cgi"
USERGROUP = "/axis-cgi/usergroup.cgi"
ADMIN = "admin:operator:viewer:ptz"


@pytest.fixture
async def ada(server: WebServer) -> Program:
    return Program(server, "ada")


async def by_post(who: Program, **fields: str) -> str:
    """What is said between the tags of the answer, as to a program that posts a form."""
    return said(await who.ask("POST", PWDGRP, urlencode(fields).encode()))


async def by_get(who: Program, **fields: str) -> str:
    return said(await who.ask("GET", f"{PWDGRP}?{urlencode(fields)}"))


def said(answer: Response) -> str:
    head, _, rest = answer.body.decode().partition("<body bgcolor=#ffffff>")
    words, _, tail = rest.partition("\n</body>\n\n</html>\n")
    assert (answer.status, tail) == (200, "")
    assert head == "<html><head><title>User accounts</title></head>"
    return words


def roles(device: Device) -> dict[str, Role]:
    return {user.name: user.role for user in device.store.current.web.users}


@pytest.mark.parametrize("ask", [by_post, by_get])
async def test_an_account_comes_is_another_and_goes(
    server: WebServer, ada: Program, device: Device, ask: Callable[..., Awaitable[str]]
) -> None:
    """vapix-system §4: in either way that programs have; each is stored when it is answered."""
    new = {"user": "door7", "pwd": "Gate & key 7", "grp": "users", "sgrp": "viewer"}
    assert await ask(ada, action="add", **new, comment="the door") == "Created account door7."
    assert roles(device)["door7"] is Role.VIEWER
    assert device.store.current.web.users[-1].digest, "it comes by Digest, without TLS"

    changed = await ask(ada, action="update", user="door7", sgrp="operator:viewer", pwd="other")
    assert changed == "Modified account door7."
    assert roles(device)["door7"] is Role.OPERATOR
    assert (await Program(server, "door7", "other").ask("GET", USERGROUP)).status == 200
    assert await ask(ada, action="update", user="door7", comment="x") == "Modified account door7."

    assert await ask(ada, action="remove", user="door7") == "Removed account door7."
    assert "door7" not in roles(device)


async def test_the_groups_are_listed_as_programs_read_them(ada: Program) -> None:
    """vapix-system §4 [R*]: lists with commas, none of them empty; digusers has all there are."""
    answer = await ada.ask("GET", PWDGRP + "?action=get")

    assert answer.content_type.startswith("text/plain")
    assert answer.body.decode() == (
        'admin="ada"\noperator="ada,olga"\nviewer="ada,olga,victor"\nptz="ada,olga"\n'
        'digusers="ada,olga,victor"\n'
    )
    assert (await ada.ask("POST", PWDGRP, b"action=get")).body == answer.body


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"action": "add", "user": "olga"}, "this user name already exists, consult the system lo"),
        ({"action": "add", "user": "new", "pwd": ""}, "invalid password."),
        ({"action": "add", "user": "new", "pwd": "é"}, "invalid password."),
        ({"action": "add", "user": "new", "pwd": "x" * 65}, "invalid password."),
        ({"action": "add", "user": "user!"}, "account user name."),
        ({"action": "add", "user": ""}, "account user name."),
        ({"action": "add", "user": "new", "sgrp": "king"}, "consult the system log file."),
        ({"action": "add", "user": "new", "sgrp": "ptz"}, "consult the system log file."),
        ({"action": "update", "user": "nobody"}, "account user name."),
        ({"action": "update", "user": "olga", "sgrp": "king"}, "consult the system log file."),
        ({"action": "update", "user": "ada", "sgrp": "viewer"}, "consult the system log file."),
        ({"action": "remove", "user": "nobody"}, "account user name."),
        ({"action": "remove", "user": "ada"}, "consult the system log file."),
        ({"action": ""}, "action operation type."),
        ({"action": "<b>"}, "malformed action operation, &lt;b&gt;."),
    ],
)
async def test_what_cannot_be_is_told_in_the_words_that_programs_look_for(
    ada: Program, device: Device, fields: dict[str, str], words: str
) -> None:
    """vapix-system §4; the last administrator stays (ACC-05)."""
    given = {"pwd": "secret", "sgrp": "viewer"} | fields
    if fields["action"] == "update" and "sgrp" not in fields:
        del given["sgrp"]
    assert (await by_post(ada, **given)).startswith("Error: " + words)
    assert roles(device) == {user.name: user.role for user in USERS}


async def test_the_first_account_needs_no_other_and_is_an_administrator(
    server: WebServer, device: Device
) -> None:
    """vapix §3.3: everything else is 401 until then, whatever is shown."""
    device.store.change_now({"web": {"users": ()}})
    nobody, ada = Program(server), Program(server, "ada")
    new = {"user": "root", "pwd": "first of all", "grp": "root"}

    early = await nobody.ask("GET", PWDGRP + "?action=get")
    lesser = urlencode(new | {"action": "add", "sgrp": "operator:viewer"}).encode()
    viewer = await nobody.ask("POST", PWDGRP, lesser)
    assert [early.status, viewer.status] == [401, 401]
    assert "WWW-Authenticate" in dict(early.headers)
    assert b"Error: initial admin user must be created first." in early.body
    assert b"Error: not a valid initial admin user." in viewer.body

    assert await by_post(nobody, action="add", sgrp=ADMIN, **new) == "Created account root."
    assert roles(device) == {"root": Role.ADMINISTRATOR}
    again = urlencode(new | {"action": "add", "user": "eve", "sgrp": ADMIN}).encode()
    assert (await nobody.ask("POST", PWDGRP, again)).status == 401
    assert (await ada.ask("POST", PWDGRP, again)).status == 401
    assert await by_post(Program(server, "root", "first of all"), action="remove", user="x") == (
        "Error: account user name."
    )


async def test_of_two_that_come_first_one_is_the_administrator(
    server: WebServer, device: Device
) -> None:
    """GEN-03: whoever is a moment later has to be let in by the other."""
    device.store.change_now({"web": {"users": ()}})
    add = {"action": "add", "pwd": "first of all", "sgrp": ADMIN}
    both = [urlencode(add | {"user": name}).encode() for name in ("root", "eve")]

    answers = await asyncio.gather(*(Program(server).ask("POST", PWDGRP, new) for new in both))

    assert sorted(answer.status for answer in answers) == [200, 401]
    assert len(roles(device)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-language": "en-GB,en;q=0.9"},
        {"cookie": "a=b"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("name", ["", "ada"])
async def test_no_page_leads_a_browser_to_another_account(
    server: WebServer, device: Device, headers: dict[str, str], name: str
) -> None:
    """A link must not make accounts, though programs change them by GET; nor before the first."""
    if not name:
        device.store.change_now({"web": {"users": ()}})
    before = roles(device)
    browser = Program(server, name)
    browser.headers |= headers
    eve = urlencode({"action": "add", "user": "eve", "pwd": "x", "sgrp": ADMIN})

    assert (await browser.ask("GET", f"{PWDGRP}?{eve}")).status == 403
    assert roles(device) == before


async def test_a_name_that_points_here_from_elsewhere_sets_nothing_up(
    server: WebServer, device: Device
) -> None:
    """GEN-03, and DNS rebinding."""
    device.store.change_now({"web": {"users": ()}})
    lured = Program(server)
    lured.headers["host"] = "evil.example"
    eve = urlencode({"action": "add", "user": "eve", "pwd": "x", "sgrp": ADMIN}).encode()

    assert (await lured.ask("POST", PWDGRP, eve)).status == 403
    assert not device.store.current.web.users


@pytest.mark.parametrize("ask", [by_post, by_get])
async def test_what_could_not_be_stored_is_an_error_and_nobody_comes_in(
    context: Context, ask: Callable[..., Awaitable[str]]
) -> None:
    disk = FullDisk()
    device = Device.make(context, in_background=True, files=disk)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada = Program(server, "ada")
    disk.full = True

    words = await ask(ada, action="add", user="door7", pwd="secret", sgrp="viewer")

    assert words == "Error: consult the system log file."
    assert (await Program(server, "door7", "secret").ask("GET", USERGROUP)).status == 401
    await server.aclose()


async def test_too_many_fields_are_refused(ada: Program) -> None:
    fields = "&".join(f"a{n}=1" for n in range(20)).encode()
    assert (await ada.ask("POST", PWDGRP, fields)).status == 400


@pytest.mark.parametrize(
    ("name", "groups"),
    [("ada", "admin operator viewer ptz"), ("olga", "operator viewer ptz"), ("victor", "viewer")],
)
async def test_a_program_asks_who_it_is(server: WebServer, name: str, groups: str) -> None:
    """vapix-system §4 [R*]: two lines."""
    answer = await Program(server, name).ask("GET", USERGROUP)
    assert answer.body.decode() == f"{name}\n{groups}\n"


async def test_who_looks_without_an_account_is_still_asked_who_he_is(
    server: WebServer, device: Device
) -> None:
    """ACC-06: a program that waits to be asked would otherwise never show its password."""
    device.store.change_now({"web": {"anonymous_viewing": True}})
    answer = await Program(server).ask("GET", USERGROUP)
    assert answer.status == 401
