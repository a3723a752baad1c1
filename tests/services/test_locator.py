"""From a domain to addresses, with a name server of our own (RFC 3263)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.io.names import Names
from sipstrobe.services.locator import Locator
from sipstrobe.sip.locate import MAX_HOPS, Hop
from sipstrobe.sip.transport import Transport
from tests.support.dns import NameServer, name_server
from tests.support.link import counting

ZONE = """
pbx NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.edge
pbx NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.edge
pbx A 192.0.2.99
_sip._udp.edge SRV 10 1 5062 one
_sip._udp.edge SRV 20 1 5063 two
_sips._tcp.edge SRV 10 1 5071 one
_sip._tcp.pbx SRV 10 1 5064 two
one A 192.0.2.1
one AAAA 2001:db8::1
two A 192.0.2.2
plain A 192.0.2.7
_sip._udp.refusing SRV 0 0 0 .
refusing A 192.0.2.8
_sip._udp.half SRV 1 0 5060 gone
_sip._udp.half SRV 2 0 5060 one
"""


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    many = "".join(f"many A 192.0.2.{n}\n" for n in range(1, 41))
    async with name_server(ZONE + many) as server:
        yield server


@pytest.fixture
def locator(server: NameServer, tmp_path: Path) -> Locator:
    (tmp_path / "hosts").write_text("192.0.2.50 plain.lan\n2001:db8::50 plain.lan\n")
    names = Names(16, servers=[server.address], hosts=tmp_path / "hosts")
    return Locator(names, counting(1))


def at(*places: str, name: str, transport: Transport = Transport.UDP) -> tuple[Hop, ...]:
    split = [place.rsplit(" ", 1) for place in places]
    return tuple(Hop(transport, host, int(port), name) for host, port in split)


async def test_naptr_leads_to_srv_and_srv_to_addresses(locator: Locator) -> None:
    """RFC 3263 §4.1, §4.2: all addresses of the first server, then those of the next."""
    found = await locator.locate("pbx.test", None, Transport.UDP)

    expected = at("192.0.2.1 5062", "2001:db8::1 5062", "192.0.2.2 5063", name="pbx.test")
    assert found == expected


async def test_ipv6_can_come_first(locator: Locator) -> None:
    found = await locator.locate("pbx.test", None, Transport.TLS, prefer_ipv6=True)

    tls = Transport.TLS
    expected = at("2001:db8::1 5071", "192.0.2.1 5071", name="pbx.test", transport=tls)
    assert found == expected


async def test_without_a_fitting_naptr_srv_is_at_its_usual_place(locator: Locator) -> None:
    found = await locator.locate("pbx.test", None, Transport.TCP)

    assert found == at("192.0.2.2 5064", name="pbx.test", transport=Transport.TCP)


async def test_without_srv_the_host_itself_is_the_server(locator: Locator) -> None:
    found = await locator.locate("plain.test", None, Transport.UDP)

    assert found == at("192.0.2.7 5060", name="plain.test")


async def test_a_port_leaves_no_choice(locator: Locator, server: NameServer) -> None:
    """RFC 3263 §4.2: a host with a port is only looked up."""
    found = await locator.locate("pbx.test", 5080, Transport.UDP)

    assert found == at("192.0.2.99 5080", name="pbx.test")
    assert sorted(server.asked) == ["A pbx.test", "AAAA pbx.test"]


@pytest.mark.parametrize(
    ("host", "address"), [("192.0.2.3", "192.0.2.3"), ("2001:db8::3", "2001:db8::3")]
)
async def test_an_address_is_asked_for_nowhere(
    locator: Locator, server: NameServer, host: str, address: str
) -> None:
    found = await locator.locate(host, None, Transport.TLS)

    assert found == at(f"{address} 5061", name=host, transport=Transport.TLS)
    assert server.asked == []


async def test_the_hosts_file_has_the_last_word(locator: Locator, server: NameServer) -> None:
    found = await locator.locate("plain.lan", None, Transport.UDP)

    assert found == at("192.0.2.50 5060", "2001:db8::50 5060", name="plain.lan")
    assert server.asked == []


async def test_a_domain_may_say_that_it_has_no_sip(locator: Locator) -> None:
    """RFC 2782: a target of "." means that the service is decidedly not there."""
    with pytest.raises(OSError, match=r"refusing\.test says that it has no SIP service over UDP"):
        await locator.locate("refusing.test", None, Transport.UDP)


async def test_a_server_that_has_no_address_is_passed_over(locator: Locator) -> None:
    found = await locator.locate("half.test", None, Transport.UDP)

    assert found == at("192.0.2.1 5060", "2001:db8::1 5060", name="half.test")


async def test_an_unknown_name_is_said_to_be_unknown(locator: Locator) -> None:
    with pytest.raises(OSError, match=r"the name nobody\.test is not known"):
        await locator.locate("nobody.test", None, Transport.UDP)


async def test_a_name_server_that_knows_only_addresses_is_enough(
    locator: Locator, server: NameServer
) -> None:
    """Small routers do not answer questions that they do not understand."""
    server.silent = {"NAPTR", "SRV"}

    found = await locator.locate("plain.test", None, Transport.UDP)

    assert found == at("192.0.2.7 5060", name="plain.test")


async def test_no_domain_has_more_addresses_than_are_tried(locator: Locator) -> None:
    assert len(await locator.locate("many.test", None, Transport.UDP)) == MAX_HOPS


async def test_silence_ends(locator: Locator, server: NameServer) -> None:
    server.silent = {"*"}
    began = asyncio.get_running_loop().time()

    with pytest.raises(OSError, match=r"the name pbx\.test"):
        await locator.locate("pbx.test", None, Transport.UDP)

    assert asyncio.get_running_loop().time() - began < 6
