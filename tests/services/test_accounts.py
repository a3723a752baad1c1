"""Accounts of a phone, with registrars on loopback and a clock that can leap."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from sipstrobe.commands import Dial
from sipstrobe.errors import CommandRefused
from sipstrobe.events import RegistrationChanged
from sipstrobe.secret import Secret
from sipstrobe.services.network import Changes
from sipstrobe.services.outgoing import PATIENCE
from sipstrobe.services.pace import BURST
from sipstrobe.sip.account import Account, Proxy
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.settings import SipSettings
from tests.services.phones import HOST, Device, Peer, settings
from tests.services.registrar import Registrar
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

WALL = "T"  # between date and time of ISO 8601
ALL_TIMERS = 33.0  # seconds after which no request waits for its answer (timers B and F)


class Town:
    """A device and its registrars."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.registrars: list[Registrar] = []
        self.devices: list[Device] = []
        self.peers: list[Peer] = []

    def registrar(self) -> Registrar:
        self.registrars.append(Registrar())
        return self.registrars[-1]

    async def device(self, *accounts: Account, **sip: Any) -> Device:
        device = Device(self.clock, configured(*accounts, **sip))
        self.devices.append(device)
        await device.phone.transports.ready()
        return device

    def peer(self) -> Peer:
        self.peers.append(Peer())
        return self.peers[-1]

    async def leap(self, seconds: float) -> None:
        self.clock.leap(seconds)
        await turns()


def configured(*accounts: Account, **sip: Any) -> SipSettings:
    return msgspec.structs.replace(settings(**sip), accounts=accounts)


def account(server: Registrar, user: str = "1001", **other: Any) -> Account:
    """An account at this registrar."""
    place = {"domain": "pbx.test", "registrar": server.place}
    given: dict[str, Any] = {"name": user, "user_id": user, "kind": "registered"} | place
    return Account(**(given | other))


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()
    yield town
    for device in town.devices:
        device.hang_up()
        await until(lambda device=device: not device.states)
        for registrar in town.registrars:
            registrar.silent = False
        for _ in range(3):  # the ACK that nobody sends, and the BYE that nobody answers
            await town.leap(ALL_TIMERS)
        if not device.closed:
            await device.close()
    for one in (*town.registrars, *town.peers):
        one.close()


def change(device: Device, *accounts: Account) -> None:
    """Give a running device other accounts, and change nothing else."""
    device.phone.apply(msgspec.structs.replace(device.phone.settings, accounts=accounts))


def words(device: Device, name: str = "1001") -> str:
    return str(next(s["words"] for s in device.phone.accounts.snapshot() if s["account"] == name))


async def test_the_way_of_an_account_is_told(town: Town) -> None:
    server = town.registrar()
    device = await town.device(account(server, default=True))
    await until(lambda: server.contacts)
    await turns()

    first, last = device.told(RegistrationChanged)[0], device.told(RegistrationChanged)[-1]
    assert (first.state, first.words, first.server) == ("trying", "registering", server.place)
    assert (last.state, last.uri, last.code) == ("registered", "sip:1001@pbx.test", 0)
    assert last.words.startswith("registered until ")
    assert last.until.split(WALL)[1][:5] == last.words[-5:]
    await device.close()

    assert server.contacts == {}
    assert device.told(RegistrationChanged)[-1].state == "off"


async def test_who_registers_nowhere_is_called_by_address(town: Town) -> None:
    off = Account(name="off", user_id="off", enabled=False)
    nowhere = Account(name="nowhere", user_id="nowhere", kind="registered")
    device = await town.device(Account(default=True), off, nowhere)

    assert words(device, "peer-to-peer") == "is called by address"
    assert words(device, "off") == "is not active"
    assert words(device, "nowhere") == "has neither registrar nor domain"
    with pytest.raises(CommandRefused, match="not active"):
        device.do(Dial(uri="sip:a@127.0.0.1", account="off"))


async def test_many_accounts_register_and_take_leave(town: Town) -> None:
    """More than what goes out at once."""
    server = town.registrar()
    many = [account(server, str(n), default=n == 0) for n in range(5 * BURST)]
    device = await town.device(*many)

    await until(lambda: len(server.contacts) == len(many))
    await device.close()

    assert server.contacts == {}


async def test_many_accounts_that_come_at_once_leave_others_their_turns(town: Town) -> None:
    """A thousand that began in one turn would hold up light and calls for 60 ms."""
    server = town.registrar()
    many = [account(server, str(n), default=n == 0) for n in range(3 * BURST)]
    device = await town.device(account(server, "0", default=True))
    await until(lambda: server.contacts)

    change(device, *many)

    begun = {told.account for told in device.told(RegistrationChanged)} - {"0"}
    assert 0 < len(begun) < len(many) - 1  # how many more than BURST is a matter of time
    await until(lambda: len(server.contacts) == len(many))


async def test_accounts_take_leave_that_were_to_register_anew_and_had_no_turn_yet(
    town: Town,
) -> None:
    server = town.registrar()
    many = [account(server, str(n), default=n == 0) for n in range(3 * BURST)]
    device = await town.device(*many)
    await until(lambda: len(server.contacts) == len(many))

    device.phone.apply(msgspec.structs.replace(device.phone.settings, registration_interval=60))
    change(device, many[0])

    await until(lambda: list(server.contacts) == ["0"])


async def test_a_change_touches_only_the_account_that_it_is_about(town: Town) -> None:
    server = town.registrar()
    first, second = account(server, default=True), account(server, "1002")
    device = await town.device(first, second)
    await until(lambda: len(server.contacts) == 2)
    server.asked.clear()

    change(device, first, account(server, "1002", codecs=("PCMA",)))
    await turns()
    assert server.asked == []  # nothing that a registrar could know

    change(device, first, account(server, "1002", password=Secret("new")))
    await until(lambda: server.asked)
    change(device, first)
    await until(lambda: list(server.contacts) == ["1001"])
    assert {request.to.uri.user for request in server.asked} == {"1002"}
    assert len(server.requests("REGISTER")) == 2


async def test_an_account_that_moves_takes_leave_where_it_was(town: Town) -> None:
    here, there = town.registrar(), town.registrar()
    device = await town.device(account(here, default=True))
    await until(lambda: here.contacts)

    change(device, account(there, default=True))

    await until(lambda: there.contacts and not here.contacts)


async def test_what_is_refused_is_said(town: Town) -> None:
    server = town.registrar()
    server.refuse = {"1001": 404, "1002": 403}
    device = await town.device(account(server, default=True), account(server, "1002"))

    await until(lambda: "404" in words(device) and "403" in words(device, "1002"))

    assert words(device) == "the server does not know this user (404 Not Found)"
    [one, two] = device.phone.accounts.snapshot()
    assert one["problem"] == one["words"]
    assert two["state"] == "failed"


async def test_a_name_that_nobody_knows_is_said(town: Town) -> None:
    device = await town.device(
        Account(kind="registered", default=True, name="1001", domain="-a..b-")
    )

    await until(lambda: "host name" in words(device))

    assert "the server cannot be reached: '-a..b-' can be no host name" in words(device)


async def test_a_registrar_that_is_no_address_is_said_and_holds_up_nobody(town: Town) -> None:
    """AMB-05: whatever the settings let pass, an account never rests without a word."""
    server = town.registrar()
    through = (Proxy(address=server.place),)
    odd = account(server, default=True, registrar="[1.2.3]", proxies=through)

    device = await town.device(odd, account(server, "1002"))

    await until(lambda: "1.2.3" in words(device))
    await until(lambda: list(server.contacts) == ["1002"])
    assert device.phone.accounts.snapshot()[0]["state"] == "failed"


async def test_a_silent_primary_is_noticed_and_the_secondary_takes_over(town: Town) -> None:
    first, second = town.registrar(), town.registrar()
    device = await town.device(
        account(first, default=True, secondary_registrar=second.place), failback_after=1
    )
    await until(lambda: "registered" in words(device))
    await turns()
    first.silent = True

    for _ in range(4):
        await town.leap(0.5)
    await until(lambda: second.contacts)

    await until(lambda: "registered with the secondary" in words(device))
    first.silent = False
    await town.leap(33.0)  # timer F, and the time to the next try
    await until(lambda: words(device).startswith("registered until"))


@pytest.mark.parametrize(
    ("user", "name"), [("1002", "1002"), ("1001", "1001"), ("1003", "peer-to-peer")]
)
async def test_a_call_is_for_the_account_of_its_user(town: Town, user: str, name: str) -> None:
    server = town.registrar()
    device = await town.device(
        Account(default=True), account(server, "1001"), account(server, "1002")
    )
    caller = town.peer()

    caller.invite(device, user=user)
    await caller.told(200)

    assert [call.account for call in device.phone.snapshot()] == [name]


@pytest.mark.parametrize("by", ["server", "domain"])
async def test_the_same_extension_at_two_servers_is_two_accounts(town: Town, by: str) -> None:
    """The server that a call comes from tells them apart, else the domain that it names in To."""
    servers = {name: town.registrar() for name in ("a", "b")}
    accounts = [
        account(server, "100", name=name, domain=f"{name}.test", default=name == "a")
        for name, server in servers.items()
    ]
    device = await town.device(*accounts)
    await until(lambda: all(server.contacts for server in servers.values()))
    await until(lambda: all("registered until" in words(device, name) for name in servers))

    for n, name in enumerate(servers):
        domain = f"{name}.test" if by == "domain" else HOST
        invite = (
            f"INVITE sip:100@{HOST}:{device.port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {HOST};rport;branch=z9hG4bK{name}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:peer@{HOST}>;tag=peer\r\nTo: <sip:100@{domain}>\r\n"
            f"Call-ID: {name}\r\nCSeq: 1 INVITE\r\nContact: <sip:peer@{HOST}:9>\r\n\r\n"
        )
        sender = servers[name] if by == "server" else town.registrar()
        sender.say(invite.encode(), device.port)
        await until(lambda n=n: len(device.phone.snapshot()) == n + 1)

    assert [call.account for call in device.phone.snapshot()] == ["a", "b"]


async def test_without_an_account_for_strangers_they_find_nobody(town: Town) -> None:
    server = town.registrar()
    device = await town.device(account(server, default=True))
    caller = town.peer()

    caller.invite(device, user="1003")

    await caller.told(404)


# --- calls that we make ------------------------------------------------------------------------


def invited(server: Registrar) -> Request | None:
    return next(iter(server.requests("INVITE")), None)


def with_status(status: int) -> Any:
    def answer(request: Request) -> Response:
        return respond(request, status, to_tag="callee")

    return answer


async def test_a_call_goes_by_the_server_as_the_account(town: Town) -> None:
    server = town.registrar()
    server.answer = with_status(486)
    device = await town.device(account(server, default=True, caller_id="Hall"))
    await until(lambda: "registered" in words(device))

    device.do(Dial(uri="1002"))
    await until(lambda: device.story)
    await until(lambda: device.story[-1] == "terminated busy")

    invite = invited(server)
    assert invite is not None
    assert invite.uri == "sip:1002@pbx.test"
    assert str(invite.from_.uri) == "sip:1001@pbx.test"
    assert invite.from_.display == "Hall"


@pytest.mark.parametrize("trouble", ["overloaded", "gone", "silent"])
async def test_a_call_tries_the_secondary_when_the_primary_is_of_no_use(
    town: Town, trouble: str
) -> None:
    """RFC 3263 §4.3: 503, an error of the network, or no answer at all."""
    first, second = town.registrar(), town.registrar()
    device = await town.device(
        account(first, default=True, secondary_registrar=second.place, hot_standby=True)
    )
    await until(lambda: first.contacts and second.contacts)
    await turns()
    first.answer, second.answer = with_status(503), with_status(603)
    if trouble == "gone":
        first.close()
    first.silent = trouble == "silent"

    device.do(Dial(uri="1002"))
    await turns()
    if trouble == "silent":
        await town.leap(PATIENCE)
    await until(lambda: second.requests("INVITE"))

    await until(lambda: device.story[-1] == "terminated denied")
    assert device.story == ["calling initiated", "terminated denied"]


async def test_a_server_that_takes_its_time_is_not_given_up(town: Town) -> None:
    """A 100 is a sign of life."""
    first, second = town.registrar(), town.registrar()
    device = await town.device(
        account(first, default=True, secondary_registrar=second.place, hot_standby=True)
    )
    await until(lambda: first.contacts and second.contacts)
    await turns()
    first.answer = with_status(100)

    device.do(Dial(uri="1002"))
    await until(lambda: first.requests("INVITE"))
    await turns()
    await town.leap(PATIENCE)
    await turns(100)

    assert second.requests("INVITE") == []
    assert device.states == ["calling"]


async def test_when_nobody_is_there_the_call_fails_once(town: Town) -> None:
    first, second = town.registrar(), town.registrar()
    device = await town.device(account(first, default=True, secondary_registrar=second.place))
    await until(lambda: first.contacts)
    first.close()
    second.close()

    device.do(Dial(uri="1002"))
    await until(lambda: not device.states)

    assert device.story == ["calling initiated", "terminated failed"]


async def test_hanging_up_while_ways_are_tried(town: Town) -> None:
    first, second = town.registrar(), town.registrar()
    device = await town.device(account(first, default=True, secondary_registrar=second.place))
    await until(lambda: first.contacts)
    first.silent = True

    call = device.do(Dial(uri="1002"))
    await turns()
    device.hang_up(call)
    await town.leap(PATIENCE)
    await turns(100)

    assert device.story == ["calling initiated", "terminated terminated"]
    assert second.requests("INVITE") == []


# --- the network -------------------------------------------------------------------------------


async def test_what_works_is_left_alone_when_other_links_change(town: Town) -> None:
    server = town.registrar()
    device = await town.device(account(server, default=True))
    await until(lambda: "registered" in words(device))
    server.asked.clear()

    device.phone.accounts.network_changed(Changes(lost=frozenset(["192.0.2.1"])))
    await turns(100)
    assert server.asked == []

    device.phone.accounts.network_changed(Changes(returned=frozenset([HOST])))
    await until(lambda: server.asked)


async def test_who_is_not_registered_tries_at_once_when_the_network_changes(town: Town) -> None:
    server = town.registrar()
    server.refuse = {"1001": 503}
    device = await town.device(account(server, default=True))
    await until(lambda: "503" in words(device))
    server.refuse.clear()

    device.phone.accounts.network_changed(Changes())

    await until(lambda: "registered" in words(device))
