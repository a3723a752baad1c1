"""A device that is never deaf: what it takes as proof, what it says, and when it joins anew."""

import itertools
from collections.abc import Collection
from random import Random

import pytest

from sipstrobe.events import HearingState
from sipstrobe.machine import Driver
from sipstrobe.multicast.hearing import (
    AGAIN,
    BACK,
    CHANGE,
    JITTER,
    LOOK,
    LOOK_SOON,
    MAX_LINKS,
    PROOF,
    RETRY,
    RETURN_TOLD,
    SETTLING,
    SILENCE,
    SILENCES,
    TOGETHER,
    Hearing,
    HearingWatch,
    Look,
    Membership,
    Output,
    Rejoin,
)
from sipstrobe.multicast.querier import MEMBERSHIP_INTERVAL, Link, Query
from sipstrobe.trace import Trace
from tests.support.clock import FakeClock

ETH0, ETH0_6, LO = Link("eth0", 4), Link("eth0", 6), Link("lo", 4)
FIRE, MUSIC = Membership("239.1.1.1"), Membership("239.1.1.2", "eth0")
ROUTER = Query("192.0.2.2")
PRESENT = 255.0  # seconds: RFC 3376 §8.5 with its defaults


class Host:
    """A device, its kernel, and the switches around it."""

    def __init__(self, *groups: Membership, on: Link = ETH0, reports: bool = True) -> None:
        self.clock = FakeClock()
        self.on = on
        self.reports = reports  # leave it when a group is joined anew, and when a querier asks
        self.joined = {group.address for group in groups}  # as the kernel has it
        self.fails = ""
        self.rejoined: list[tuple[float, Membership]] = []
        self.reported: list[float] = []
        self.told: list[tuple[float, Hearing]] = []
        self.looks: list[float] = []
        self.machine = HearingWatch(lambda size: b"\x80" * size)
        self.driver: Driver[Output] = Driver(self.machine, self._do, self.clock, Trace())
        for group in groups:
            self.driver.feed(self.machine.join, group)
        self._report(groups)

    @property
    def state(self) -> HearingState:
        return self.machine.hearing.state

    @property
    def words(self) -> str:
        return self.machine.hearing.words

    def after(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def asked(self, query: Query = ROUTER) -> None:
        """The kernel answers within the response interval."""
        self.driver.feed(self.machine.queried, self.on, query)
        groups = [Membership(address) for address in self.joined]
        self.clock.call_at(self.clock.now() + query.response / 2, lambda: self._report(groups))

    def asked_every(self, interval: float, until: float, query: Query = ROUTER) -> None:
        while self.clock.now() < until:
            self.asked(query)
            self.after(interval)

    def times(self, group: Membership) -> list[float]:
        """When it was joined anew."""
        return [at for at, one in self.rejoined if one == group]

    def _do(self, output: Output) -> None:
        now = self.clock.now()
        match output:
            case Hearing():
                self.told.append((now, output))
            case Look():
                self.looks.append(now)
                found: dict[Link, list[str]] = {}
                for address in self.joined:
                    link = Link(self.on.interface, 6 if ":" in address else 4)
                    found.setdefault(link, []).append(address)
                self.driver.feed(self.machine.memberships, found)
            case Rejoin(membership):
                self.rejoined.append((now, membership))
                if self.fails:
                    self.driver.feed(self.machine.failed, membership, self.fails)
                else:
                    self._report([membership])

    def _report(self, groups: Collection[Membership]) -> None:
        if self.reports and groups:
            self.reported.append(self.clock.now())
            addresses = [group.address for group in groups]
            self.driver.feed(self.machine.reported, self.on, addresses)


# --- a network with and without a querier -------------------------------------------------------


def test_a_querier_that_is_answered_is_all_it_takes() -> None:
    """RFC 3376 §8.2: it asks every 125 s, so that no report is ever 260 s old."""
    host = Host(FIRE)
    host.after(20)
    assert host.state is HearingState.CANNOT_TELL
    assert "eth0 (IGMP)" in host.words

    host.asked_every(125, until=3600)

    assert host.state is HearingState.HEARING
    assert "192.0.2.2 asks on eth0" in host.words
    assert len(host.told) == 2
    assert len(host.times(FIRE)) == 1  # after the ports of a switch have settled; never since


def test_without_a_querier_no_switch_forgets_the_group() -> None:
    """RFC 3376 §8.4: the classic death after 260 s."""
    host = Host(FIRE)

    host.after(3600)

    assert host.state is HearingState.NO_QUERIER
    assert [at for at, hearing in host.told if hearing.state is HearingState.NO_QUERIER] == [
        pytest.approx(PRESENT, abs=1)
    ]
    assert "no IGMP querier" in host.words
    times = [0.0, *host.times(FIRE), 3600.0]
    apart = [b - a for a, b in itertools.pairwise(times)]
    assert max(apart) <= AGAIN < MEMBERSHIP_INTERVAL / 2  # so that one report may be lost
    assert min(apart[1:-1]) >= AGAIN * (1 - JITTER)


def test_a_network_comes_up_slower_than_its_link() -> None:
    """IEEE 802.1D: a port learns for 30 s, and what was reported meanwhile was lost."""
    host = Host(FIRE)

    host.after(SETTLING * (1 + JITTER))

    assert len(host.times(FIRE)) == 1
    assert host.times(FIRE)[0] >= SETTLING


def test_a_querier_that_falls_silent_is_missed_by_its_own_intervals() -> None:
    """RFC 3376 §8.5: robustness times interval, and half of the response interval."""
    quick = Query("192.0.2.2", response=0.5, interval=1.0, robustness=2)
    host = Host(FIRE)
    host.asked_every(1, until=10, query=quick)
    assert host.state is HearingState.HEARING
    before = len(host.rejoined)

    host.after(3)

    assert host.state is HearingState.NO_QUERIER
    assert "192.0.2.2" in host.words
    assert len(host.rejoined) > before  # within 2.5 s, in which it is forgotten
    host.asked(quick)
    host.after(0.5)
    assert host.state is HearingState.HEARING


def test_what_a_querier_said_does_not_hold_for_ever() -> None:
    """Who forges one query a second must not have us join a thousand groups so often."""
    host = Host(FIRE)
    host.after(1)
    host.asked(Query("192.0.2.66", response=0.1, interval=1.0, robustness=1))
    host.after(600)
    before = len(host.rejoined)

    host.after(600)

    assert len(host.rejoined) - before <= 600 / (AGAIN * (1 - JITTER)) + 1


def test_a_querier_that_asks_too_seldom_does_not_let_switches_forget() -> None:
    """A switch that does not read its interval still forgets after 260 s."""
    host = Host(FIRE)
    host.after(1)

    host.asked_every(600, until=6000, query=Query("192.0.2.2", interval=600.0))

    assert host.state is HearingState.HEARING
    apart = [b - a for a, b in itertools.pairwise(host.reported)]
    assert max(apart) < MEMBERSHIP_INTERVAL


def test_the_querier_with_the_lowest_address_counts() -> None:
    """RFC 3376 §6.6.2; RFC 4541 §2.1.1: a switch may ask from no address."""
    host = Host(FIRE)
    host.after(1)
    for by in ("0.0.0.0", "192.0.2.9", "192.0.2.2", "192.0.2.9", "0.0.0.0"):
        host.asked(Query(by))
        host.after(20)
    host.after(LOOK)

    assert host.words.startswith("192.0.2.2 asks")


def test_a_query_about_one_group_shows_that_there_is_a_querier() -> None:
    host = Host(FIRE)
    host.after(1)

    host.driver.feed(host.machine.queried, ETH0, Query("192.0.2.2", general=False, response=1.0))
    host.after(30)

    assert host.state is HearingState.HEARING


def test_a_query_that_comes_before_our_first_look_counts() -> None:
    """It is two minutes until the next."""
    host = Host()
    host.joined.add(FIRE.address)
    host.driver.feed(host.machine.join, FIRE)
    host.driver.feed(host.machine.queried, ETH0, ROUTER)

    host.after(1)

    assert host.state is HearingState.HEARING


def test_links_beyond_number_do_not_keep_ours_from_being_watched() -> None:
    host = Host(FIRE)
    for n in range(2 * MAX_LINKS):
        host.driver.feed(host.machine.queried, Link(f"veth{n}", 4), ROUTER)

    host.after(1)
    host.asked()
    host.after(1)

    assert host.state is HearingState.HEARING


# --- deaf ---------------------------------------------------------------------------------------


def test_a_query_that_no_report_answers_is_noticed() -> None:
    """Of our own queries the kernel knows nothing; but others' are to be answered in time."""
    host = Host(FIRE, MUSIC, reports=False)
    host.after(1)

    host.driver.feed(host.machine.queried, ETH0, ROUTER, ours=True)
    host.after(ROUTER.response + 10)
    assert host.state is HearingState.HEARING
    host.asked()
    host.after(ROUTER.response + PROOF + 3)

    assert host.state is HearingState.DEAF
    assert "239.1.1.1: no membership report leaves this device on eth0" in host.words
    assert len(host.times(MUSIC)) >= 1
    host.reports = True
    host.asked()
    host.after(ROUTER.response)
    assert host.state is HearingState.HEARING


def test_reports_that_never_leave_are_a_group_that_is_not_delivered() -> None:
    host = Host(FIRE, reports=False)

    host.after(MEMBERSHIP_INTERVAL - 5)
    assert host.state is not HearingState.DEAF
    host.after(10)

    assert host.state is HearingState.DEAF
    host.reports = True
    host.after(AGAIN)
    assert host.state is HearingState.NO_QUERIER


def test_what_another_member_reports_is_an_answer_as_well() -> None:
    """RFC 2236 §3: who hears a report of version 2 keeps quiet."""
    host = Host(FIRE, reports=False)
    host.after(1)
    for _ in range(10):
        host.driver.feed(host.machine.queried, ETH0, ROUTER)
        host.after(5)
        host.driver.feed(host.machine.reported, ETH0, ["239.1.1.1", "239.9.9.9"], ours=False)
        host.after(120)

    assert {hearing.state for _, hearing in host.told} == {
        HearingState.CANNOT_TELL,
        HearingState.HEARING,
    }


@pytest.mark.parametrize("asked", [False, True])
def test_no_other_member_reports_for_our_port(asked: bool) -> None:
    """RFC 4541 §2.1.1: each port has its own members. Else the first of a thousand speakers to
    join anew would keep all others from it."""
    host = Host(FIRE, reports=False)
    for second in range(0, 1500, 25):
        if asked and second % 125 == 0:
            host.driver.feed(host.machine.queried, ETH0, ROUTER)
        host.driver.feed(host.machine.reported, ETH0, [FIRE.address], ours=False)
        host.after(25)

    apart = [b - a for a, b in itertools.pairwise([0.0, *host.times(FIRE), 1500.0])]
    assert max(apart) < (MEMBERSHIP_INTERVAL if asked else AGAIN + 2)


def test_a_membership_that_the_kernel_has_lost_is_joined_again() -> None:
    """An interface was taken away and is back: its groups are not."""
    host = Host(FIRE, MUSIC)
    host.asked_every(125, until=250)
    before = len(host.times(MUSIC))
    host.joined.remove(MUSIC.address)

    host.after(LOOK + 2 * LOOK_SOON)
    assert len(host.times(MUSIC)) > before
    assert host.state is HearingState.DEAF
    assert host.words == "239.1.1.2 has been joined on eth0, and the system does not have it."
    host.joined.add(MUSIC.address)
    host.after(RETRY + 2)

    assert host.state is HearingState.HEARING


def test_a_group_that_cannot_be_joined_anew_is_told_and_tried_again() -> None:
    host = Host(FIRE)
    host.fails = "No such device"

    host.after(SETTLING * (1 + JITTER) + 1)
    assert host.state is HearingState.DEAF
    assert host.words == "239.1.1.1 cannot be joined: No such device."
    host.fails = ""
    host.after(RETRY + 1)

    assert host.state is HearingState.CANNOT_TELL


# --- silence ------------------------------------------------------------------------------------


def test_who_stops_without_a_good_bye_may_have_been_cut_off() -> None:
    """If he is back when the group was joined anew, he had been, and that is told."""
    host = Host(FIRE)
    host.after(300)
    before = len(host.rejoined)

    host.driver.feed(host.machine.silent, FIRE)
    host.after(1)
    assert len(host.rejoined) == before + 1
    host.driver.feed(host.machine.returned, FIRE)
    host.after(1)

    assert "239.1.1.1 was cut off until it was joined anew" in host.words
    host.asked_every(125, until=host.clock.now() + RETURN_TOLD + LOOK)
    assert host.state is HearingState.HEARING
    assert "cut off" not in host.words


def test_who_pauses_often_is_not_joined_anew_each_time() -> None:
    host = Host(FIRE)
    host.after(300)
    before = len(host.rejoined)

    for _ in range(40):
        host.driver.feed(host.machine.silent, FIRE)
        host.after(0.5)
    host.after(BACK)
    host.driver.feed(host.machine.returned, FIRE)

    assert len(host.rejoined) - before <= SILENCES + 40 * 0.5 / SILENCE
    assert "cut off" not in host.words


# --- where nothing can be forgotten, or seen ----------------------------------------------------


def test_groups_of_this_machine_only_cause_no_alarm() -> None:
    host = Host(FIRE, on=LO, reports=False)

    host.after(3600)
    host.driver.feed(host.machine.silent, FIRE)
    host.after(1)

    assert host.state is HearingState.IDLE
    assert [hearing.words for _, hearing in host.told] == [host.words]
    assert host.rejoined == []


@pytest.mark.parametrize("address", ["224.0.0.251", "ff01::1", "ff02::1"])
def test_groups_that_switches_always_deliver_cause_no_alarm(address: str) -> None:
    """RFC 4541 §2.1.2 and §3."""
    link = ETH0_6 if ":" in address else ETH0
    host = Host(Membership(address), on=link, reports=False)

    host.after(3600)

    assert host.state is HearingState.IDLE


def test_who_may_not_see_queries_says_so_and_joins_anew_as_if_there_were_none() -> None:
    host = Host(FIRE, reports=False)
    host.driver.feed(host.machine.blind, "it needs CAP_NET_RAW")

    host.after(3600)

    assert host.state is HearingState.CANNOT_TELL
    assert "it needs CAP_NET_RAW" in host.words
    assert len(host.times(FIRE)) >= 3600 / AGAIN - 1


def test_igmp_and_mld_have_queriers_of_their_own() -> None:
    host = Host(FIRE)
    six = Membership("ff05::1:1", "eth0")
    host.after(1)
    host.asked()
    host.joined.add(six.address)
    host.driver.feed(host.machine.join, six)
    host.after(1)

    host.driver.feed(host.machine.queried, ETH0_6, Query("fe80::2"))
    host.driver.feed(host.machine.reported, ETH0_6, [six.address])
    host.after(1)

    assert "192.0.2.2 asks on eth0" in host.words
    assert "fe80::2 asks on eth0 which groups are wanted (MLD)" in host.words


def test_nothing_is_watched_when_no_group_is_left() -> None:
    host = Host(FIRE)
    host.after(300)

    host.driver.feed(host.machine.leave, FIRE)
    host.driver.feed(host.machine.leave, FIRE)

    assert host.state is HearingState.IDLE
    assert host.machine.deadline is None
    host.driver.feed(host.machine.changed)
    host.driver.feed(host.machine.silent, FIRE)
    host.driver.feed(host.machine.failed, FIRE, "?")
    assert host.clock.waiting == 0


# --- change and number --------------------------------------------------------------------------


def test_a_link_that_was_down_is_told_of_our_groups_at_once() -> None:
    """The kernel reports nothing when a cable is plugged in again; the switch has forgotten."""
    host = Host(FIRE)
    host.asked_every(125, until=250)
    began, before = host.clock.now(), len(host.rejoined)

    for _ in range(5):  # a link that comes and goes
        host.driver.feed(host.machine.changed)
        host.after(1)
    host.after(CHANGE + SETTLING)

    times = [at - began for at, _ in host.rejoined[before:]]
    assert times[0] < 1
    assert len(times) <= 7  # a round every CHANGE at the most, and one when it has settled
    assert times[-1] >= SETTLING


def test_a_thousand_groups_are_spread() -> None:
    """20 a second, however they became due."""
    groups = [Membership(f"239.2.{n // 250}.{n % 250}") for n in range(1000)]
    host = Host(*groups)

    host.after(1)
    host.driver.feed(host.machine.changed)
    host.after(60)

    assert {membership for _, membership in host.rejoined} == set(groups)
    times = [at for at, _ in host.rejoined]
    for begin in range(1, 60):
        assert sum(begin <= at < begin + 1 for at in times) <= 20 + TOGETHER


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_rate_is_bounded_and_no_group_is_left_alone(seed: int) -> None:
    chance = Random(seed)
    host = Host(FIRE, MUSIC)
    for _ in range(20):
        match chance.choice(
            ("after", "asked", "changed", "failed", "kernel", "silent", "returned")
        ):
            case "after":
                host.after(chance.choice((0.1, 3.0, 40.0, 300.0)))
            case "asked":
                host.asked(Query("192.0.2.2", interval=chance.choice((1.0, 125.0, 30_000.0))))
            case "changed":
                host.driver.feed(host.machine.changed)
            case "failed":
                host.driver.feed(host.machine.failed, FIRE, "No such device")
            case "kernel":  # loses it, or has it again
                host.joined ^= {MUSIC.address}
            case "silent":
                host.driver.feed(host.machine.silent, MUSIC)
            case _:
                host.driver.feed(host.machine.returned, MUSIC)

    host.after(MEMBERSHIP_INTERVAL)

    for group in (FIRE, MUSIC):
        times = host.times(group)
        assert all(b - a >= 0.99 for a, b in itertools.pairwise(times))
        assert times[-1] >= host.clock.now() - MEMBERSHIP_INTERVAL
