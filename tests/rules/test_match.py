"""Which wanted values an event has: text, and addresses by their parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.rules.match import Finder


def finds(wanted: str, address: str) -> bool:
    finder: Finder[str] = Finder()
    finder.add({"local_uri": wanted}, "it")
    return list(finder.find({"local_uri": address, "state": "active"})) == ["it"]


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("sip:1001@192.168.0.90", "sip:1001@192.168.0.90"),
        ("sip:1001@192.168.0.90", "sip:1001@192.168.0.90:5060"),
        ("sip:1001@192.168.0.90", "sip:1001@192.168.0.90:5070;transport=tcp"),
        ("sip:1001@192.168.0.90", "sip:1001@192.168.0.90;user=phone?Subject=x"),
        ("sip:1001@192.168.0.90:5070", "SIP:1001@192.168.0.90:5070;lr"),
        ("sip:1001@EXAMPLE.com", "sip:1001@example.COM"),
        ("sip:1001@[2001:db8::9]", "sip:1001@[2001:DB8::9]:5060"),
        ("sip:1001@[2001:db8::9]", "sip:1001@[2001:db8::9]"),
        ("1001", "sip:1001@192.168.0.90:5060;transport=udp"),
        ("a;b=c", "sip:a;b=c@example.com"),
        ("sip:10*@*", "sip:1001@192.168.0.90:5060"),
        ("*@example.com", "sip:1001@example.com:5060;x=y"),
        ("*", "tel:+4930123"),
        ("+4930123", "tel:+4930123;phone-context=example.com"),
        ("sip:1001@h;x=y", "sip:1001@h;x=y"),
        ("sip:example.com", "sip:example.com;lr"),
    ],
)
def test_an_address_matches_by_its_parts(wanted: str, address: str) -> None:
    assert finds(wanted, address)


@pytest.mark.parametrize(
    ("wanted", "address"),
    [
        ("sip:1001@192.168.0.90", "sip:1002@192.168.0.90"),
        ("sip:1001@192.168.0.90", "sip:1001@192.168.0.9"),
        ("sip:1001@192.168.0.90", "sips:1001@192.168.0.90"),
        ("sip:1001@192.168.0.90:5070", "sip:1001@192.168.0.90"),
        ("sip:1001@192.168.0.90:5070", "sip:1001@192.168.0.90:507"),
        ("sip:Bob@example.com", "sip:bob@example.com"),  # RFC 3261 §19.1.4: users have case
        ("1001", "sip:11001@192.168.0.90"),
        ("192.168.0.90", "sip:1001@192.168.0.90"),
        ("sip:10*@*.com", "sip:1001@example.org"),
        ("1*1*1", "sip:11@h"),
        ("sip:1001@h;x=y", "sip:1001@h"),
    ],
)
def test_another_address_does_not_match(wanted: str, address: str) -> None:
    assert not finds(wanted, address)


def test_other_items_match_as_text() -> None:
    """A star is a key of the telephone, and means itself."""
    finder: Finder[str] = Finder()
    finder.add({"digits": "*0"}, "it")

    assert list(finder.find({"digits": "*0"})) == ["it"]
    assert list(finder.find({"digits": "10"})) == []


def test_what_is_wanted_and_not_there_does_not_match() -> None:
    finder: Finder[str] = Finder()
    finder.add({"call": "c1", "remote_uri": "*"}, "it")

    assert list(finder.find({"remote_uri": "sip:a@b"})) == []


def test_many_stars_cost_no_more_than_the_text_is_long() -> None:
    """A caller chooses its address: it must not be able to make us think for long."""
    assert not finds("*a" * 100 + "b", "sip:" + "a" * 20_000 + "@h")


@given(st.text())
def test_any_text_has_forms(address: str) -> None:
    assert finds("*", address)
    assert finds(address, address) or ":" not in address or "@" not in address


ITEMS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("123"))


@given(st.lists(ITEMS), ITEMS)
def test_the_finder_finds_what_trying_each_would(
    wanted: list[dict[str, str]], items: dict[str, str]
) -> None:
    finder: Finder[int] = Finder()
    for i, match in enumerate(wanted):
        finder.add(match, i)

    found = [i for i, match in enumerate(wanted) if match.items() <= items.items()]
    assert sorted(finder.find(items)) == found


WANTED = ITEMS | st.fixed_dictionaries(
    {"to_uri": st.sampled_from(["1*", "*@a", "sip:11@a", "12"])}, optional={"a": st.just("1")}
)
ADDRESSED = st.fixed_dictionaries(
    {"to_uri": st.sampled_from(["sip:11@a", "sip:12@b:5060", "sip:21@a"])},
    optional={"a": st.sampled_from("12")},
)


@given(st.lists(WANTED), st.data(), ITEMS | ADDRESSED)
def test_what_was_removed_is_as_if_it_had_never_been(
    wanted: list[dict[str, str]], data: st.DataObject, items: dict[str, str]
) -> None:
    kept = data.draw(st.sets(st.sampled_from(range(len(wanted))))) if wanted else set[int]()
    edited: Finder[int] = Finder()
    fresh: Finder[int] = Finder()
    for i, match in enumerate(wanted):
        edited.add(match, i)
        if i in kept:
            fresh.add(match, i)
    for i, match in enumerate(wanted):
        if i not in kept:
            edited.remove(match, i)

    assert sorted(edited.find(items)) == sorted(fresh.find(items))
