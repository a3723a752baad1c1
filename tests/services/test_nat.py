"""Calls of phones that are helped with addresses, on loopback: what they say in SDP, by which way
their media go, and what becomes of helps that fail."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sipstrobe.events import ServiceStateChanged
from sipstrobe.secret import Secret
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.media_path import MediaPath
from sipstrobe.sip.account import Account
from sipstrobe.sip.message import Response
from sipstrobe.sip.settings import NatSettings, SipSettings, TurnServer
from tests.nat.turn_server import PASSWORD, RELAYED, USER
from tests.services.ice_peer import IcePeer, Servers
from tests.services.phones import HOST, Device, Peer, media_port, open_sockets, settings
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

ICE = NatSettings(ice=True)


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    made = await Servers.open()
    yield made
    made.transport.close()


@pytest.fixture
async def peer() -> AsyncIterator[IcePeer]:
    made = IcePeer()
    yield made
    made.close()


class Phones:
    """Phones on one clock, closed in the end."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.all: list[Device] = []

    async def make(self, nat: NatSettings = NatSettings(), **other: Any) -> Device:  # noqa: B008
        device = Device(self.clock, settings(nat=nat, **other))
        self.all.append(device)
        await device.phone.transports.ready()
        return device


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    before = open_sockets()
    made = Phones()
    yield made
    for device in made.all:
        await device.close()
    assert open_sockets() <= before + 1  # the loop's own


def media_of(device: Device) -> CallMedia:
    board = device.phone._board  # pyright: ignore[reportPrivateUsage]
    media = next(iter(board.calls.values())).media
    assert media is not None
    return media


def path_of(device: Device) -> MediaPath:
    path = media_of(device).path
    assert path is not None
    return path


def line(body: bytes, start: str) -> str:
    return next(one for one in body.decode().splitlines() if one.startswith(start))


def heard(device: Device) -> int:
    return media_of(device).stream.statistics.packets


# --- ICE ---------------------------------------------------------------------------------------


async def test_two_phones_with_ice_find_each_other(phones: Phones) -> None:
    one, other = await phones.make(ICE), await phones.make(ICE)

    one.dial(other)
    await until(lambda: one.states == other.states == ["active"])
    await until(lambda: heard(one) > 2 and heard(other) > 2)

    assert path_of(one).words.startswith(f"ICE: host {HOST}:")
    assert path_of(other).words.startswith(f"ICE: host {HOST}:")


async def test_who_has_no_ice_is_called_all_the_same(phones: Phones) -> None:
    """RFC 8839 §4.2.4: and it is answered without."""
    one, other = await phones.make(ICE), await phones.make()

    one.dial(other)
    await until(lambda: one.states == ["active"] and heard(one) > 2 and heard(other) > 2)
    one.hang_up()
    await until(lambda: not one.states and not other.states)

    other.dial(one)
    await until(lambda: other.states == ["active"] and heard(one) > 2 and heard(other) > 2)


async def test_encryption_by_handshake_goes_the_way_that_ice_finds(phones: Phones) -> None:
    """RFC 5763 §6.7.1: what browsers do."""
    account = Account(
        default=True, media_encryption="mandatory", media_keys="dtls", transport="udp"
    )
    one, other = await phones.make(ICE), await phones.make(ICE)
    for device in (one, other):
        wanted = device.phone.settings
        device.phone.apply(_with(wanted, account))

    one.dial(other)
    await until(lambda: one.states == other.states == ["active"])
    await until(lambda: heard(one) > 2 and heard(other) > 2)

    assert "AES" in media_of(one).stream.channel.encryption
    assert path_of(one).words.startswith("ICE: ")


def _with(wanted: SipSettings, account: Account) -> SipSettings:
    import msgspec

    return msgspec.structs.replace(wanted, accounts=(account,))


async def called(peer: IcePeer, phone: Device, body: bytes) -> Response:
    """The peer calls, and is answered at once."""
    peer.invite(phone, body=body)
    answer = await peer.told(200)
    peer.request("ACK")
    return answer


async def test_a_peer_that_only_answers_checks(phones: Phones, peer: IcePeer) -> None:
    """RFC 8445 §2.5, §6.1.1: to a lite peer we are controlling, whoever called."""
    phone = await phones.make(ICE)

    answer = await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)

    assert line(answer.body, "a=ice-ufrag")
    assert "ice-lite" not in answer.body.decode()
    assert any(0x0025 in [kind for kind, _ in check.attributes] for check in peer.checks)
    assert path_of(phone).words == f"ICE: host {HOST}:{media_port(answer.body)} → " + (
        f"host {HOST}:{peer.media_port}"
    )


async def test_nothing_is_sent_before_the_peer_has_answered_a_check(
    phones: Phones, peer: IcePeer
) -> None:
    """RFC 8445 §19.5.1: what SDP says is no consent."""
    phone = await phones.make(ICE)
    peer.answers = False

    await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: peer.checks)
    phones.clock.leap(1.0)
    await turns()
    assert peer.media == []

    peer.answers = True
    phones.clock.leap(1.0)
    await until(lambda: len(peer.media) > 2)


async def test_nobody_there_is_told_within_five_seconds(phones: Phones, peer: IcePeer) -> None:
    phone = await phones.make(ICE)
    peer.answers = False

    await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: peer.checks)
    phones.clock.leap(5.0)
    await until(lambda: path_of(phone).problem)

    assert path_of(phone).words == "ICE: none of 1 ways to the other side works"
    assert peer.media == []


async def test_who_falls_silent_is_sent_nothing_any_more(phones: Phones, peer: IcePeer) -> None:
    """RFC 7675 §5.1: consent is asked for every five seconds, and lasts thirty."""
    phone = await phones.make(ICE)
    await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)

    peer.answers = False
    for _ in range(16):
        phones.clock.leap(4.0)
        await turns(50)
    await until(lambda: "silent" in path_of(phone).problem)
    await turns(50)  # what was sent at the very last is read
    peer.media.clear()
    phones.clock.leap(1.0)
    await turns(50)

    assert peer.media == []


async def test_whoever_names_no_address_is_found_by_its_checks(
    phones: Phones, peer: IcePeer
) -> None:
    """RFC 8838: candidates that trickle in later are not waited for."""
    phone = await phones.make(ICE)

    answer = await called(peer, phone, peer.ice("ice-options:trickle", candidates=False))
    ufrag, pwd = (line(answer.body, f"a=ice-{name}").split(":", 1)[1] for name in ("ufrag", "pwd"))
    peer.check(media_port(answer.body), ufrag, pwd, (0x0025, b""))
    await until(lambda: len(peer.media) > 2)

    assert "prflx" in path_of(phone).words


async def test_a_new_user_name_begins_anew(phones: Phones, peer: IcePeer) -> None:
    """RFC 8445 §9: media goes on meanwhile, to where it went."""
    phone = await phones.make(ICE)
    first = await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)

    peer.begin_anew("anew")
    peer.checks.clear()
    peer.answers = False
    peer.request("INVITE", body=peer.ice("ice-lite"))
    second = await peer.told(200)
    peer.request("ACK")
    await until(lambda: peer.checks)
    before = len(peer.media)
    await until(lambda: len(peer.media) > before + 2)
    peer.answers = True
    phones.clock.leap(0.5)
    await until(lambda: path_of(phone).found)

    assert line(first.body, "a=ice-ufrag") != line(second.body, "a=ice-ufrag")
    assert line(first.body, "a=ice-pwd") != line(second.body, "a=ice-pwd")
    names = {check.text(0x0006) for check in peer.checks}
    assert names == {"anew:" + line(second.body, "a=ice-ufrag").partition(":")[2]}


async def test_the_same_words_change_nothing(phones: Phones, peer: IcePeer) -> None:
    """RFC 8839 §4.4.1.2.2: what was found is what SDP names."""
    phone = await phones.make(ICE)
    first = await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)
    checks = len(peer.checks)

    peer.request("INVITE", body=peer.ice("ice-lite"))
    second = await peer.told(200)
    peer.request("ACK")
    await turns(50)

    assert line(first.body, "a=ice-ufrag") == line(second.body, "a=ice-ufrag")
    assert len(peer.checks) == checks


async def test_an_address_that_was_changed_on_the_way_is_called_without(
    phones: Phones, peer: IcePeer
) -> None:
    """RFC 8839 §4.2.5: a middlebox has put itself in between."""
    phone = await phones.make(ICE)
    offered = peer.ice().replace(f" {peer.media_port} typ".encode(), b" 9999 typ")

    answer = await called(peer, phone, offered)
    await until(lambda: len(peer.media) > 2)

    assert b"a=ice-mismatch" in answer.body
    assert peer.checks == []


@pytest.mark.parametrize(
    "attributes", [(), ((0x0024, b"\0"),), ((0x8029, b"1"),), ((0x0003, b""),)]
)
async def test_checks_that_are_none_do_no_harm(
    phones: Phones, peer: IcePeer, attributes: tuple[tuple[int, bytes], ...]
) -> None:
    phone = await phones.make(ICE)
    answer = await called(peer, phone, peer.ice("ice-lite"))
    ufrag, pwd = (line(answer.body, f"a=ice-{name}").split(":", 1)[1] for name in ("ufrag", "pwd"))
    port = media_port(answer.body)

    peer.check(port, ufrag, pwd, *attributes)
    peer.check(port, ufrag, "wrong" * 5, *attributes)
    peer.check(port, "nobody", pwd, *attributes)

    await until(lambda: len(peer.media) > 2)


async def test_strangers_are_not_heard(phones: Phones, peer: IcePeer) -> None:
    """RFC 8445 §12.2: only who has answered a check is."""
    phone = await phones.make(ICE)
    answer = await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)
    stranger = Peer()

    stranger.speak(media_port(answer.body))
    await turns(50)
    phones.clock.leap(0.1)
    await turns(50)
    assert heard(phone) == 0

    peer.speak(media_port(answer.body))
    await until(lambda: heard(phone) == 5)
    stranger.close()


async def test_given_up_while_it_looks_for_its_addresses(phones: Phones, servers: Servers) -> None:
    servers.silent = True
    phone = await phones.make(NatSettings(ice=True, stun=True, stun_server=servers.address))
    peer = Peer()

    peer.invite(phone)
    await until(lambda: servers.asked > 1)
    peer.request("CANCEL", number=1)
    await peer.told(200)
    await until(lambda: not phone.states)
    phones.clock.leap(5.0)
    await turns()

    peer.close()


# --- STUN and TURN -----------------------------------------------------------------------------


async def test_stun_names_our_public_address(phones: Phones, servers: Servers) -> None:
    """Asked from the very sockets (RFC 8489), so that the ports are right; RFC 3605 for RTCP."""
    phone = await phones.make(NatSettings(stun=True, stun_server=servers.address))
    peer = Peer()
    servers.sees = lambda address: ("203.0.113.9", address[1] * 2 % 64000)

    peer.invite(phone)
    answer = await peer.told(200)

    port = media_of(phone).stream.local_port
    assert line(answer.body, "c=") == "c=IN IP4 203.0.113.9"
    assert media_port(answer.body) == port * 2 % 64000
    assert line(answer.body, "a=rtcp") == f"a=rtcp:{(port + 1) * 2 % 64000}"
    assert path_of(phone).words == f"as 203.0.113.9:{media_port(answer.body)}"
    peer.close()


async def test_the_mapping_is_kept_open(phones: Phones, servers: Servers) -> None:
    """RFC 6263: also while the call is held and nothing is sent."""
    phone = await phones.make(NatSettings(stun=True, stun_server=servers.address))
    peer = Peer()
    peer.invite(phone, body=peer.sdp("inactive"))
    await peer.told(200)
    peer.request("ACK")
    await turns()
    asked = servers.asked

    phones.clock.leap(15.0)
    await until(lambda: servers.asked >= asked + 2)
    peer.close()


async def test_a_silent_stun_server_costs_no_more_than_its_time(
    phones: Phones, servers: Servers
) -> None:
    servers.silent = True
    phone = await phones.make(NatSettings(stun=True, stun_server=servers.address))
    peer = Peer()

    peer.invite(phone)
    await until(lambda: servers.asked > 2)
    phones.clock.leap(1.6)
    answer = await peer.told(200)

    assert line(answer.body, "c=") == f"c=IN IP4 {HOST}"
    assert path_of(phone).problem == f"the STUN server {servers.address} does not answer"
    peer.close()


def with_turn(servers: Servers, password: str = PASSWORD, **other: Any) -> NatSettings:
    server = TurnServer(address=servers.address, user=USER, password=Secret(password))
    return NatSettings(turn=True, turn_servers=(server,), **other)


async def test_media_goes_through_the_relay(phones: Phones, servers: Servers) -> None:
    """RFC 8656: the relay's address is ours; both directions go in the channel of the peer."""
    phone = await phones.make(with_turn(servers))
    peer = Peer()

    peer.invite(phone)
    answer = await peer.told(200)
    peer.request("ACK")
    await until(lambda: len(servers.relayed) > 2)

    assert line(answer.body, "c=") == f"c=IN IP4 {RELAYED[0]}"
    assert media_port(answer.body) == RELAYED[1]
    rtp = peer.rtp.getsockname()[1]
    assert (HOST, rtp) in servers.turn.channels.values()
    assert HOST in servers.turn.permitted
    assert peer.hears_nothing()
    packet = bytes([0x80, 0, 0, 1, *bytes(4), 1, 2, 3, 4]) + bytes(160)
    channel = next(n for n, to in servers.turn.channels.items() if to == (HOST, rtp))
    client = next(c for c in servers.clients if c[1] == media_of(phone).stream.local_port)
    servers.relay(packet, channel, client)
    await until(lambda: heard(phone) == 1)
    assert path_of(phone).words == f"through the relay of {servers.address} (UDP)"
    peer.close()


async def test_a_relay_that_is_refused_is_a_problem_and_no_hindrance(
    phones: Phones, servers: Servers
) -> None:
    phone = await phones.make(with_turn(servers, "wrong"))
    peer = Peer()

    peer.invite(phone)
    answer = await peer.told(200)

    assert line(answer.body, "c=") == f"c=IN IP4 {HOST}"
    words = f"the TURN server {servers.address} (UDP) does not accept our name and password"
    assert path_of(phone).problem == words
    peer.close()


async def test_all_ways_are_candidates(phones: Phones, servers: Servers, peer: IcePeer) -> None:
    """RFC 8445 §5.1.1; the default is the one that works for most (§5.1.4)."""
    phone = await phones.make(with_turn(servers, ice=True, stun=True, stun_server=servers.address))

    answer = await called(peer, phone, peer.ice("ice-lite"))
    await until(lambda: len(peer.media) > 2)

    kinds = [one.split()[7] for one in answer.body.decode().splitlines() if "candidate:" in one]
    assert kinds == ["host", "srflx", "relay"] * 2
    assert line(answer.body, "c=") == f"c=IN IP4 {RELAYED[0]}"
    assert path_of(phone).words.startswith("ICE: host")  # the best of those that work


async def test_the_address_that_was_chosen_is_told_to_the_other_side(
    phones: Phones, servers: Servers
) -> None:
    """RFC 8839 §4.4.1.2.2: whoever stands between both learns it from SDP, not from ICE."""
    one, other = await phones.make(with_turn(servers, ice=True)), await phones.make(ICE)

    one.dial(other)
    await until(lambda: one.states == other.states == ["active"])
    agreed = media_of(other)
    await until(lambda: agreed.parameters is not None and agreed.parameters.host == HOST)

    assert agreed.parameters is not None
    assert agreed.parameters.rtp_port == media_of(one).stream.local_port
    assert agreed.parameters.ice is not None
    assert [c.kind for c in agreed.parameters.ice.candidates] == ["host", "host"]
    assert [host for _, host, _ in agreed.parameters.ice.remote] == [HOST, HOST]
    before = heard(other)
    await until(lambda: heard(other) > before + 2)


# --- the servers -------------------------------------------------------------------------------


async def test_what_is_known_of_the_servers(phones: Phones, servers: Servers) -> None:
    phone = await phones.make(with_turn(servers, stun=True, stun_server=servers.address))

    await until(lambda: len(phone.phone.nat.snapshot().servers) == 2)

    seen = phone.phone.nat.snapshot()
    assert seen.public == "203.0.113.9"
    assert {one.kind for one in seen.servers} == {"STUN", "TURN"}
    assert all(one.problem == "" for one in seen.servers)
    assert all(one.milliseconds is not None and one.milliseconds < 1000 for one in seen.servers)
    assert phone.told(ServiceStateChanged)[-1].working


async def test_a_server_that_comes_back_is_no_problem_any_more(
    phones: Phones, servers: Servers
) -> None:
    servers.silent = True
    phone = await phones.make(NatSettings(stun=True, stun_server=servers.address))
    await until(lambda: servers.asked)
    phones.clock.leap(2.0)
    await until(lambda: _problems(phone))
    assert _problems(phone)[-1] == f"the STUN server {servers.address} does not answer"

    servers.silent = False
    phones.clock.leap(31.0)
    await until(lambda: _problems(phone)[-1] == "")


async def test_a_name_that_is_none_is_a_problem(phones: Phones) -> None:
    phone = await phones.make(NatSettings(stun=True, stun_server="..."))

    await until(lambda: any("..." in words for words in _problems(phone)))


async def test_without_help_there_is_no_path(phones: Phones, peer: IcePeer) -> None:
    phone = await phones.make()

    answer = await called(peer, phone, peer.ice())

    assert media_of(phone).path is None
    assert b"ice" not in answer.body


def _problems(phone: Device) -> list[str]:
    return [e.problem for e in phone.told(ServiceStateChanged) if e.service == "nat"]
