"""Links and addresses that come and go (CON-01: address change)."""

from sipstrobe.context import Context
from sipstrobe.events import AddressChanged, Event, LinkLost
from sipstrobe.io.netlink import News, What
from sipstrobe.services.links import MAX_LINKS, Links
from tests.support.clock import FakeClock

FAR = 1_000_000  # an index that no interface of this machine has


def told(*news: News) -> list[Event]:
    context = Context(FakeClock())
    heard: list[Event] = []
    context.bus.subscribe(Event, heard.append)
    links = Links(context)
    for one in news:
        links.take(one)
    return heard


def test_a_link_that_was_there_is_lost_and_comes_back() -> None:
    up, down = News(What.LINK_UP, index=FAR), News(What.LINK_DOWN, index=FAR)

    assert told(down, up, down, down, up) == [
        LinkLost(interface=f"link {FAR}", lost=True),
        LinkLost(interface=f"link {FAR}", lost=False),
    ]


def test_an_address_is_told_once_whatever_its_flags_become() -> None:
    added = News(What.ADDRESS_ADDED, frozenset(["192.0.2.7"]), FAR)
    removed = News(What.ADDRESS_REMOVED, frozenset(["192.0.2.7"]), FAR)
    name = f"link {FAR}"

    assert told(added, added, removed, added) == [
        AddressChanged(interface=name, address="192.0.2.7", added=True),
        AddressChanged(interface=name, address="192.0.2.7", added=False),
        AddressChanged(interface=name, address="192.0.2.7", added=True),
    ]


def test_of_links_without_end_only_so_many_are_remembered() -> None:
    """Containers come and go."""
    news = [
        News(what, index=FAR + n)
        for n in range(MAX_LINKS + 1)
        for what in (What.LINK_UP, What.LINK_DOWN)
    ]

    heard = told(*news)

    assert heard[-2:] == [
        LinkLost(interface=f"link {FAR}", lost=False),
        LinkLost(interface=f"link {FAR + MAX_LINKS}", lost=True),
    ]
