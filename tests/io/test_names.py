"""Names of hosts, as this machine knows them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.io.names import SILENCE_LIFE, Names
from tests.support.clock import FakeClock
from tests.support.dns import NameServer, name_server
from tests.support.waiting import turns


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", ("127.0.0.1", "::1")), ("127.0.0.1", ("127.0.0.1",))]
)
async def test_a_name_has_an_address(host: str, address: tuple[str, ...]) -> None:
    assert set(await Names(1).addresses(host)) <= set(address)


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "\udcff", "\x00", ""])
async def test_what_can_be_no_name_is_refused(host: str) -> None:
    with pytest.raises(OSError, match=r"[Nn]ame"):
        await Names(1).addresses(host)


async def test_no_more_names_than_the_limit_are_looked_up_at_once() -> None:
    names = Names(2)
    asked = [asyncio.ensure_future(names.addresses("localhost")) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many"):
        await names.addresses("localhost")

    await asyncio.gather(*asked)
    assert await names.addresses("localhost")


async def test_who_no_longer_wants_to_know_does_no_harm() -> None:
    names = Names(1)
    asked = asyncio.ensure_future(names.addresses("localhost"))
    await asyncio.sleep(0)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked

    heard: list[tuple[str, ...]] = []

    async def again() -> None:
        with contextlib.suppress(OSError):
            heard.append(await names.addresses("localhost"))

    while not heard:
        await turns(1)
        await again()


# --- name servers ------------------------------------------------------------------------------


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server(
        "www A 192.0.2.1\nwww 60 AAAA 2001:db8::1\nalias CNAME www\n"
        'pbx NAPTR 10 20 "s" "SIP+D2U" "!a \\"b!c!" _sip._udp.pbx\n_sip._udp.pbx SRV 1 2 3 .\n'
    ) as server:
        yield server


def asking(server: NameServer, clock: FakeClock | None = None, limit: int = 4) -> Names:
    nowhere = Path("/nonexistent/hosts")
    return Names(limit, servers=[server.address], hosts=nowhere, now=(clock or FakeClock()).now)


async def test_records_come_as_they_are_written(server: NameServer) -> None:
    names = asking(server)

    assert await names.records("www.test", "A") == (("192.0.2.1",),)
    assert await names.records("_sip._udp.pbx.test", "SRV") == (("1", "2", "3", ""),)
    [naptr] = await names.records("pbx.test", "NAPTR")
    assert (naptr[:4], naptr[5]) == (("10", "20", "s", "SIP+D2U"), "_sip._udp.pbx.test")


async def test_an_answer_is_kept_as_long_as_it_says(server: NameServer) -> None:
    names = asking(server, clock := FakeClock())

    for clock.time in (0.0, 59.0, 61.0, 299.0, 301.0):
        await names.addresses("www.test")

    assert sorted(server.asked) == ["A www.test"] * 2 + ["AAAA www.test"] * 3


async def test_that_there_is_none_is_kept_as_well(server: NameServer) -> None:
    """RFC 2308 §5: for as long as the SOA record of the zone says, here 30 s."""
    names = asking(server, clock := FakeClock())

    for clock.time in (0.0, 29.0, 31.0):
        assert await names.records("www.test", "SRV") == ()  # there is the name, not the kind
        assert await names.records("nobody.test", "SRV") == ()

    assert server.asked == ["SRV www.test", "SRV nobody.test"] * 2


async def test_silence_is_remembered_for_a_moment(server: NameServer) -> None:
    names = asking(server, clock := FakeClock())
    server.silent = {"*"}
    with pytest.raises(OSError, match=r"no name server has an answer for www\.test"):
        await names.records("www.test", "A")
    before = len(server.asked)

    with pytest.raises(OSError, match="no name server"):
        await names.records("www.test", "A")
    assert len(server.asked) == before

    server.silent, clock.time = set(), SILENCE_LIFE
    assert await names.records("www.test", "A")


async def test_who_asks_the_same_at_once_shares_the_answer(server: NameServer) -> None:
    names = asking(server, limit=1000)

    found = await asyncio.gather(*(names.addresses("www.test") for _ in range(1000)))

    assert set(found) == {("192.0.2.1", "2001:db8::1")}
    assert len(server.asked) < 10, "two, and perhaps again where this machine was slow"


async def test_who_no_longer_wants_to_know_takes_the_answer_from_nobody(
    server: NameServer,
) -> None:
    names = asking(server)
    first, second = (asyncio.ensure_future(names.records("www.test", "A")) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == (("192.0.2.1",),)


async def test_the_preferred_kind_comes_first(server: NameServer) -> None:
    names = asking(server)

    assert await names.addresses("alias.test") == ("192.0.2.1", "2001:db8::1")
    assert await names.addresses("alias.test", prefer_ipv6=True) == ("2001:db8::1", "192.0.2.1")


async def test_answers_of_another_network_are_forgotten(server: NameServer) -> None:
    names = asking(server)
    await names.records("www.test", "A")

    names.forget()
    await names.records("www.test", "A")

    assert server.asked == ["A www.test"] * 2


async def test_no_more_answers_than_the_bound_are_kept(server: NameServer) -> None:
    names = Names(4, servers=[server.address], max_answers=8)

    for n in range(8):
        await names.records(f"{n}.test", "SRV")
    await names.records("www.test", "SRV")
    await names.records("www.test", "SRV")
    await names.records("0.test", "SRV")

    assert server.asked[-2:] == ["SRV www.test", "SRV 0.test"]


async def test_the_hosts_file_comes_first_and_may_change(
    server: NameServer, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# none\n127.0.0.9 Other www.test # ours\nnonsense\n300.1.1.1 www.test\n")
    names = Names(4, servers=[server.address], hosts=hosts)
    assert await names.addresses("WWW.test.") == ("127.0.0.9",)
    assert await names.is_local("other")
    assert server.asked == []

    hosts.with_name("new").write_text("")
    hosts.with_name("new").rename(hosts)

    assert await names.addresses("www.test") == ("192.0.2.1", "2001:db8::1")


@pytest.mark.parametrize("text", ["nameserver router\n", "search a..b\nnameserver 127.0.0.1\n"])
async def test_a_configuration_that_makes_no_sense_leaves_the_system_to_ask(
    text: str, tmp_path: Path
) -> None:
    """resolv.conf(5), as people and scripts write it."""
    configuration = tmp_path / "resolv.conf"
    configuration.write_text(text)
    names = Names(1, hosts=Path("/nonexistent/hosts"), configuration=configuration)

    assert await names.addresses("localhost")
    with pytest.raises(OSError, match="no name server"):
        await names.records("localhost", "SRV")


async def test_a_hosts_file_may_name_links_and_spell_as_it_likes(
    server: NameServer, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("2001:DB8:0::1 pbx\nfe80::1%lo pbx\n")
    names = Names(1, servers=[server.address], hosts=hosts)

    assert await names.addresses("pbx") == ("2001:db8::1",)
