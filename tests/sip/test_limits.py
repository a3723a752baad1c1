"""Measures for single sources: who floods us harms himself, and strangers at most."""

import pytest

from sipstrobe.sip.limits import (
    EVERYBODY,
    KNOWN,
    MAX_KNOWN,
    MAX_STRANGERS,
    NOTICES,
    STRANGER,
    STRANGERS,
    TRUSTED,
    Flood,
    Limits,
)

INVITE = b"INVITE sip:1001@192.0.2.1 SIP/2.0\r\n\r\n"
OPTIONS = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\r\n"


def nobody(host: str) -> bool:
    """The owner trusts nobody in particular."""
    return False


def flood(limits: Limits, host: str, data: bytes, *, rate: int, seconds: int = 5) -> float:
    """Messages that get through in a second, on average."""
    return sum(limits.admit(host, data, now=n / rate) for n in range(seconds * rate)) / seconds


def crowd(limits: Limits, data: bytes, *, rate: int, seconds: int = 5) -> float:
    """The same, each of them from another source."""
    return (
        sum(
            limits.admit(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", data, now=n / rate)
            for n in range(seconds * rate)
        )
        / seconds
    )


@pytest.mark.parametrize(("data", "most"), [(OPTIONS, STRANGER.messages), (INVITE, STRANGER.calls)])
def test_a_stranger_who_floods_is_slowed_to_his_measure(data: bytes, most: float) -> None:
    limits = Limits(nobody)

    through = flood(limits, "192.0.2.9", data, rate=2000)

    assert 0.9 * most < through < 1.5 * most


def test_large_messages_take_more() -> None:
    limits = Limits(nobody)

    through = flood(limits, "192.0.2.9", OPTIONS + bytes(60_000), rate=1000)

    assert through * 60_000 < 1.5 * STRANGER.octets


@pytest.mark.parametrize(
    ("data", "most"), [(OPTIONS, STRANGERS.messages), (INVITE, STRANGERS.calls)]
)
def test_forged_sources_are_no_more_than_one_measure_together(data: bytes, most: float) -> None:
    limits = Limits(nobody)

    through = crowd(limits, data, rate=10_000)

    assert through < 1.5 * most


def test_one_who_is_known_does_not_notice_a_flood_of_forged_sources() -> None:
    limits = Limits(nobody)
    limits.prove("192.0.2.7")

    crowd(limits, INVITE, rate=10_000)

    assert all(limits.admit("192.0.2.7", INVITE, now=5 + n / 100) for n in range(500))


def test_a_stranger_who_floods_leaves_others_their_chance() -> None:
    limits = Limits(nobody)

    flood(limits, "192.0.2.9", OPTIONS, rate=2000)

    assert limits.admit("192.0.2.8", OPTIONS, now=5.0)


def test_whoever_has_a_call_with_us_can_go_on_with_it_in_a_flood() -> None:
    """The ACK of a first call finds the strangers' measure empty."""
    limits = Limits(nobody)
    assert limits.admit("192.0.2.8", INVITE, now=0.0)
    limits.hold("192.0.2.8")
    crowd(limits, OPTIONS, rate=10_000)

    assert limits.admit("192.0.2.8", b"ACK sip:1001@192.0.2.1 SIP/2.0\r\n\r\n", now=5.0)


@pytest.mark.parametrize("data", [OPTIONS, INVITE])
def test_one_who_is_known_has_a_measure_too(data: bytes) -> None:
    limits = Limits(nobody)
    limits.prove("192.0.2.7")

    through = flood(limits, "192.0.2.7", data, rate=5000)

    assert through < 1.5 * (KNOWN.calls if data is INVITE else KNOWN.messages)


def test_a_server_of_ours_may_send_much() -> None:
    """A PBX that calls for a whole building at once is no attacker."""
    limits = Limits({"192.0.2.5"}.__contains__)

    assert flood(limits, "192.0.2.5", INVITE, rate=3000) == 3000
    assert TRUSTED.calls > KNOWN.calls


def test_a_server_that_is_ours_no_longer_is_like_others() -> None:
    servers = {"192.0.2.5"}
    limits = Limits(servers.__contains__)
    assert flood(limits, "192.0.2.5", INVITE, rate=3000, seconds=1) == 3000

    servers.clear()
    limits.judge_again("192.0.2.5")

    assert flood(limits, "192.0.2.5", INVITE, rate=3000) < 1.5 * KNOWN.calls


def test_one_who_is_known_already_can_become_a_server_of_ours() -> None:
    servers: set[str] = set()
    limits = Limits(servers.__contains__)
    limits.prove("192.0.2.5")

    servers.add("192.0.2.5")
    limits.judge_again("192.0.2.5")

    assert flood(limits, "192.0.2.5", INVITE, rate=3000) == 3000


def test_everybody_has_to_show_who_he_is_when_the_owner_trusts_others() -> None:
    limits = Limits(nobody)
    limits.prove("192.0.2.5")

    limits.forget()

    assert flood(limits, "192.0.2.5", INVITE, rate=3000) < 1.5 * STRANGER.calls


def test_ipv6_sources_count_by_their_network() -> None:
    """RFC 6177 §2: a single host has at least 2^64 addresses to choose from."""
    limits = Limits(nobody)

    through = [limits.admit(f"2001:db8:0:1::{n:x}", INVITE, now=n / 1000) for n in range(1, 5000)]
    elsewhere = limits.admit("2001:db8:0:2::1", INVITE, now=5.0)

    assert sum(through) < 1.5 * 5 * STRANGER.calls
    assert elsewhere


def test_what_cannot_be_understood_counts_many_times() -> None:
    limits = Limits(nobody)

    through = 0
    for n in range(10_000):
        if limits.admit("192.0.2.9", b"rubbish", now=n / 1000):
            through += 1
            limits.charge("192.0.2.9", 20, now=n / 1000)

    assert through < 10 * STRANGER.messages / 10


def test_a_server_of_ours_is_not_charged() -> None:
    limits = Limits({"192.0.2.5"}.__contains__)

    through = 0
    for n in range(3000):
        through += limits.admit("192.0.2.5", b"rubbish", now=n / 1000)
        limits.charge("192.0.2.5", 20, now=n / 1000)

    assert through == 3000


def test_charges_are_paid_off_in_seconds() -> None:
    """However much was charged: an error of a phone does not lock it out for long."""
    limits = Limits(nobody)
    limits.admit("192.0.2.9", OPTIONS, now=0.0)
    for _ in range(1000):
        limits.charge("192.0.2.9", 20, now=0.0)

    assert not limits.admit("192.0.2.9", OPTIONS, now=1.0)
    assert limits.admit("192.0.2.9", OPTIONS, now=5.0)


def test_one_source_cannot_hold_all_calls() -> None:
    limits = Limits(nobody)
    limits.prove("192.0.2.7")

    held = 0
    while limits.may_hold("192.0.2.7", 100):
        limits.hold("192.0.2.7")
        held += 1

    assert held == 50
    assert limits.may_hold("192.0.2.8", 100)
    limits.release("192.0.2.7")
    assert limits.may_hold("192.0.2.7", 100)


def test_strangers_hold_a_quarter_of_the_calls_together() -> None:
    """Each forged INVITE would else hold a call until timer H gives it up after 32 s."""
    limits = Limits(nobody)
    limits.prove("192.0.2.7")

    held = 0
    while limits.may_hold(f"10.0.0.{held}", 100):
        limits.hold(f"10.0.0.{held}")
        held += 1

    assert held == 25
    assert limits.may_hold("192.0.2.7", 100)


def test_whoever_proves_himself_leaves_the_strangers_room() -> None:
    limits = Limits(nobody)
    for n in range(25):
        limits.hold(f"10.0.0.{n}")
    assert not limits.may_hold("10.1.1.1", 100)

    limits.prove("10.0.0.3")

    assert limits.may_hold("10.1.1.1", 100)


def test_a_server_of_ours_may_hold_all_calls() -> None:
    limits = Limits({"192.0.2.5"}.__contains__)
    limits.prove("192.0.2.5")
    for _ in range(99):
        limits.hold("192.0.2.5")

    assert limits.may_hold("192.0.2.5", 100)


def test_a_flood_is_told_once_a_minute_with_what_there_is_too_much_of() -> None:
    limits = Limits(nobody)

    flood(limits, "192.0.2.9", INVITE, rate=100, seconds=50)
    flood(limits, "192.0.2.8", OPTIONS, rate=1000, seconds=1)
    limits.admit("192.0.2.6", OPTIONS + bytes(60_000), now=0.0)
    for n in range(10):
        limits.admit("192.0.2.6", OPTIONS + bytes(60_000), now=n / 10)

    assert list(limits.noticed) == [
        Flood("192.0.2.9", "calls"),
        Flood("192.0.2.8", "requests"),
        Flood("192.0.2.6", "bytes"),
    ]
    assert limits.dropped > 4000


def test_a_flood_of_floods_is_told_with_moderation() -> None:
    limits = Limits(nobody)
    told = 0
    for n in range(20_000):  # a hundred sources in two seconds
        limits.admit(f"10.0.0.{n % 100}", OPTIONS, now=n / 10_000)
        told += len(limits.noticed)
        limits.noticed.clear()

    assert 1 <= told <= NOTICES + 1


def test_forged_sources_are_told_as_what_they_are() -> None:
    limits = Limits(nobody)

    crowd(limits, OPTIONS, rate=10_000, seconds=1)

    assert list(limits.noticed) == [Flood(EVERYBODY, "requests")]


def test_the_tables_do_not_grow_beyond_their_bounds() -> None:
    """Strangers make room for strangers, the known for the known, and neither for the other."""
    limits = Limits(nobody)
    limits.prove("192.0.2.7")
    limits.admit("192.0.2.7", OPTIONS, now=1000.0)
    for n in range(3 * MAX_STRANGERS):
        limits.admit(f"10.0.{n >> 8}.{n & 255}", OPTIONS, now=float(n))
    for n in range(2 * MAX_KNOWN):
        limits.prove(f"10.1.{n >> 8}.{n & 255}")
        assert limits.admit("192.0.2.7", INVITE, now=2000.0 + n) or n == 0

    assert limits.size <= MAX_STRANGERS + MAX_KNOWN
