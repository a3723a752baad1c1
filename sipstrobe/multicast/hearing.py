"""Whether what is sent to our groups can reach us, and what is done that it goes on to.

A switch that snoops (RFC 4541) delivers a group only where it has heard a membership report for it
of late: for 260 seconds, as a rule (RFC 3376 §8.4). Hosts report when a querier asks. Where nobody
asks, a host joins, is heard for 260 seconds and never again, and nothing tells it. So each group is
joined anew when its last report grows old, which makes the kernel send another.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from math import inf
from typing import Final, Literal

from msgspec import Struct

from sipstrobe.events import HearingState
from sipstrobe.multicast import hearing_words as words
from sipstrobe.multicast.querier import MEMBERSHIP_INTERVAL, Link, QuerierWatch, Query

UNASKED: Final = 0.4  # of the time after which a group is forgotten, from one report to the next:
AGAIN: Final = UNASKED * MEMBERSHIP_INTERVAL  # 104 s of 260, so that one report may get lost
ASKED: Final = 0.9  # the same where somebody asks: later than the answer to a querier's default
JITTER: Final = 0.25  # of that it may be less, so that a thousand speakers do not speak at once
SETTLING: Final = 35.0  # seconds: a port with spanning tree lets nothing through for the first 30
TOGETHER: Final = 5  # groups that are joined anew at once, in less than 1 ms …
PACE: Final = 0.25  # … and seconds from these to the next …
LEAST: Final = 1.0  # … and to the same ones
SILENCES: Final = 4  # times that a group is joined anew because it fell silent …
SILENCE: Final = 10.0  # … and seconds until it may be once more: who speaks may pause often
SILENCE_JITTER: Final = 0.25  # seconds: others have noticed it at the same instant
BACK: Final = 2.0  # seconds after that in which who is heard again is so because of it
RETURN_TOLD: Final = 3600.0  # seconds for which that is told
PROOF: Final = 3.0  # seconds after a group was joined anew in which a report must have left
RETRY: Final = 5.0  # seconds to the next attempt at a group that the kernel does not have
SWEEP: Final = 0.5  # seconds from one look at all groups to the next, at the least
SLICE: Final = 50  # groups that are looked at in one go …
SWEEP_EACH: Final = 0.005  # … and seconds from one look at all of them to the next, for each
LOOK: Final = 60.0  # seconds from one look at the kernel's memberships to the next …
LOOK_SOON: Final = 0.25  # … and after a group was joined
CHANGE: Final = 10.0  # seconds from one round of all groups, because links change, to the next
MAX_LINKS: Final = 256  # whose queries are remembered; there are many where containers are
_NOWHERE: Final = frozenset[str]()
_LOCAL: Final = frozenset(["lo"])  # the interface on which nobody can forget anything
_ALL_NODES: Final = ip_address("ff02::1").packed


class Membership(Struct, frozen=True):
    """A group that is joined. interface: empty where the kernel has chosen it."""

    address: str
    interface: str = ""


class Rejoin(Struct, frozen=True):
    """Leave the group and join it in the same breath; if that fails, say `failed`."""

    membership: Membership


class Look(Struct, frozen=True):
    """Read what the kernel has joined, and say it with `memberships`."""


class Hearing(Struct, frozen=True):
    """How it stands from now on, in words for a person."""

    state: HearingState
    words: str


Output = Rejoin | Look | Hearing


@dataclass(slots=True, eq=False)
class _Group:
    membership: Membership
    version: Literal[4, 6]
    as_ever: bool  # delivered to everybody, reported or not
    since: float  # when its reports began to be looked for
    joined_at: float  # or joined anew
    share: float  # of its time until it is joined anew: 1, less the jitter
    settle_at: float  # joined anew then, however young its report
    settles: bool = False  # and once more after that
    interfaces: frozenset[str] | None = None  # on which the kernel has it; None: not known yet
    watches: tuple[QuerierWatch, ...] = ()  # of those links on which somebody could forget it
    missing: int = 0  # looks, one after the other, at which it had it nowhere
    reported_at: float | None = None  # by us
    covered_at: float = -inf  # by another member, which may keep our kernel from it
    unanswered_at: float | None = None  # when a query should have been answered by a report
    refused: bool = False  # nor did one leave when it was joined anew
    silences: float = SILENCES  # as many times it may be joined anew because of its silence …
    counted_at: float = 0.0  # … as of then
    silent: bool = False  # its talker stopped; it has not been joined anew since
    back_by: float = -inf
    problem: str = ""  # that joining it anew met
    queued: bool = False  # to be joined anew
    gone: bool = False

    @property
    def links(self) -> tuple[str, ...]:
        """Where somebody could forget it."""
        return () if self.as_ever else tuple(sorted((self.interfaces or _NOWHERE) - _LOCAL))

    def forgotten_at(self, now: float) -> float:
        """When it is, unless another report leaves before."""
        last = max(self.since if self.reported_at is None else self.reported_at, self.covered_at)
        return min((last + watch.forgotten_after(now) for watch in self.watches), default=inf)

    def proof_at(self) -> float:
        """When the report must have left for which it was joined anew."""
        joined = self.unanswered_at is not None and self.joined_at >= self.unanswered_at
        return self.joined_at + PROOF if joined else inf

    def due_at(self, now: float) -> float:
        """When it is to be joined anew."""
        if not self.settles and self.interfaces == _LOCAL:
            return inf
        at = self.settle_at
        if self.missing:
            at = min(at, now if self.missing == 1 else self.joined_at + RETRY)
        last = max(self.joined_at, -inf if self.reported_at is None else self.reported_at)
        for watch in self.watches:
            part = ASKED if watch.present(now) else UNASKED
            at = min(at, last + watch.forgotten_after(now) * part * self.share)
        return max(at, self.joined_at + LEAST)


@dataclass(slots=True)
class _Plan:
    """What is done next."""

    queue: deque[_Group] = field(default_factory=deque["_Group"])  # to be joined anew
    paced_at: float = -inf  # the next of them
    sweep_at: float = inf  # all groups are looked at …
    walk: deque[_Group] = field(default_factory=deque["_Group"])  # … and these still have to be
    next_at: float = inf  # when what was found needs to be looked at again
    look_at: float = inf
    round_at: float = -inf  # the last, because links have changed


class HearingWatch:
    """The machine for all groups of the device.

    random_bytes: as many as asked for, for the jitter.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self.outbox: deque[Output] = deque()
        self.deadline: float | None = None
        self.hearing = Hearing(HearingState.IDLE, words.IDLE)  # that was told last
        self._random_bytes = random_bytes
        self._groups: dict[Membership, _Group] = {}
        self._by_address: dict[str, list[_Group]] = {}
        self._heard: dict[Link, QuerierWatch] = {}  # these, and others that have a querier
        self._links: dict[Link, QuerierWatch] = {}  # those on which a group could be forgotten
        self._plan = _Plan()
        self._troubles: dict[_Group, str] = {}  # why groups cannot be heard
        self._blind = ""  # why neither queries nor reports can be seen
        self._returned = ""  # a group that was cut off until it was joined anew …
        self._returned_at = -inf  # … and when that was noticed

    # --- inputs ---------------------------------------------------------------------------------

    def join(self, membership: Membership, *, now: float) -> None:
        """A group has been joined."""
        if membership not in self._groups:
            group = self._groups[membership] = self._made(membership, now)
            self._by_address.setdefault(membership.address, []).append(group)
            self._plan.look_at = min(self._plan.look_at, now + LOOK_SOON)
            self._arrange(now)

    def leave(self, membership: Membership, *, now: float) -> None:
        """It has been left."""
        group = self._groups.pop(membership, None)
        if group is None:
            return
        group.gone = True
        self._troubles.pop(group, None)
        others = self._by_address[membership.address]
        others.remove(group)
        if not others:
            del self._by_address[membership.address]
        self._plan.look_at = min(self._plan.look_at, now + LOOK_SOON)
        if not self._groups:
            self._links, self._heard, self._plan = {}, {}, _Plan()
            self._returned_at = -inf
            self._judge(now)
        self._arrange(now)

    def blind(self, problem: str, *, now: float) -> None:
        """Neither queries nor reports can be seen, and why; empty: they can."""
        self._blind = problem
        self._sweep_by(now)
        self._arrange(now)

    def queried(self, link: Link, query: Query, *, ours: bool = False, now: float) -> None:
        """A query. ours: this machine has sent it."""
        if not self._groups or (link not in self._heard and len(self._heard) >= MAX_LINKS):
            return
        watch = self._watched(link, now)
        was_present = watch.present(now)
        watch.heard(query, expect=link in self._links and not ours, now=now)
        if link not in self._links:
            return  # until a group of ours is there
        if not was_present:
            self._sweep_by(now)
        self._sweep_by(watch.deadline)
        self._arrange(now)

    def reported(
        self, link: Link, addresses: Collection[str], *, ours: bool = True, now: float
    ) -> None:
        """A report has left. That of another member answers a query as well, since it keeps the
        kernel from doing so (RFC 2236 §3); but the switch delivers for it to his port, not ours."""
        deaf = self.hearing.state is HearingState.DEAF
        for address in addresses:
            for group in self._by_address.get(address, ()):
                if group.interfaces is None or link.interface in group.interfaces:
                    if ours:
                        group.reported_at = now
                    else:
                        group.covered_at = now
                    group.unanswered_at = None
                    group.refused = False
        if deaf:
            self._sweep_by(now)
            self._arrange(now)

    def memberships(self, found: Mapping[Link, Collection[str]], *, now: float) -> None:
        """What the kernel has joined, also for other programs."""
        on: dict[str, frozenset[str]] = {}
        for link, addresses in found.items():
            here = frozenset((link.interface,))
            for address in self._by_address.keys() & addresses:
                on[address] = on.get(address, _NOWHERE) | here
        watches: dict[tuple[frozenset[str], int], tuple[QuerierWatch, ...]] = {}
        for membership, group in self._groups.items():
            where = on.get(membership.address, _NOWHERE)
            if membership.interface:
                where &= {membership.interface}
            group.missing = 0 if where else group.missing + 1
            if where != group.interfaces:
                group.interfaces = where
                kind = where, 0 if group.as_ever else group.version
                if kind not in watches:
                    links = (Link(interface, group.version) for interface in group.links)
                    watches[kind] = tuple(self._watched(link, now) for link in links)
                group.watches = watches[kind]
        watched = {watch for group in self._groups.values() for watch in group.watches}
        self._links = {link: watch for link, watch in self._heard.items() if watch in watched}
        self._sweep_by(now)
        self._arrange(now)

    def changed(self, *, now: float) -> None:
        """Links, addresses or routes have: who knew us may have forgotten us."""
        if not self._groups:
            return
        at = self._plan.round_at = max(now, self._plan.round_at + CHANGE)
        for group in self._groups.values():
            group.settle_at, group.settles = at, True
        self._plan.look_at = min(self._plan.look_at, now)
        self._sweep_by(at)
        self._arrange(now)

    def silent(self, membership: Membership, *, now: float) -> None:
        """Somebody spoke to the group and stopped without a good-bye: it may have been cut off."""
        group = self._groups.get(membership)
        if group is None or not group.links:
            return
        passed = (now - group.counted_at) / SILENCE
        group.silences, group.counted_at = min(group.silences + passed, SILENCES), now
        if group.silences < 1:
            return
        group.silences -= 1
        group.silent = True
        group.settle_at = min(group.settle_at, now + self._random() * SILENCE_JITTER)
        self._sweep_by(group.settle_at)
        self._arrange(now)

    def returned(self, membership: Membership, *, now: float) -> None:
        """He is heard again, and of what he has said meanwhile something is lost."""
        group = self._groups.get(membership)
        if group is not None and now <= group.back_by:
            group.back_by = -inf
            self._returned, self._returned_at = membership.address, now
            self._sweep_by(now)
            self._arrange(now)

    def failed(self, membership: Membership, problem: str, *, now: float) -> None:
        """A group that was to be joined anew could not be, so that it is not joined now."""
        group = self._groups.get(membership)
        if group is not None:
            group.problem = problem
            group.settle_at = now + RETRY
            self._sweep_by(now)
            self._arrange(now)

    def wake(self, *, now: float) -> None:
        """The deadline has come."""
        plan = self._plan
        if now >= plan.look_at:
            plan.look_at = now + LOOK
            self.outbox.append(Look())
        if now >= plan.sweep_at and not plan.walk:
            self._begin_sweep(now)
        if plan.walk:
            self._sweep(now)
        if plan.queue and now >= plan.paced_at:
            plan.paced_at = now + PACE
            for _ in range(min(TOGETHER, len(plan.queue))):
                if not (group := plan.queue.popleft()).gone:
                    self._rejoin(group, now)
        self._arrange(now)

    # --- steps ----------------------------------------------------------------------------------

    def _made(self, membership: Membership, now: float) -> _Group:
        address = ip_address(membership.address)
        return _Group(
            membership,
            4 if address.version == 4 else 6,
            _as_ever(address.packed),
            since=now,
            joined_at=now,
            share=self._share(),
            settle_at=now + SETTLING * (1 + JITTER * self._random()),
        )

    def _random(self) -> float:
        """From 0 up to 1."""
        return int.from_bytes(self._random_bytes(2), "big") / 65536

    def _share(self) -> float:
        return 1 - JITTER * self._random()

    def _watched(self, link: Link, now: float) -> QuerierWatch:
        return self._heard.setdefault(link, QuerierWatch(now=now))

    def _begin_sweep(self, now: float) -> None:
        """Look at all groups: which are to be joined anew, and how it stands."""
        for watch in self._links.values():
            asked_at = watch.conclude(now=now)
            if asked_at is not None:
                self._miss(watch, asked_at, now)
        plan = self._plan
        plan.sweep_at, plan.next_at = inf, now + LOOK
        plan.walk.extend(self._groups.values())

    def _miss(self, watch: QuerierWatch, asked_at: float, now: float) -> None:
        """Groups that have not answered are joined anew, which makes another report."""
        for group in self._groups.values():
            reported_at = -inf if group.reported_at is None else group.reported_at
            answered = max(reported_at, group.covered_at) >= asked_at
            if not answered and group.joined_at < asked_at and watch in group.watches:
                group.unanswered_at = group.settle_at = now

    def _sweep(self, now: float) -> None:
        """A part of them, since others on the loop want their turn."""
        plan = self._plan
        for _ in range(min(SLICE, len(plan.walk))):
            if not (group := plan.walk.popleft()).gone:
                self._check(group, now)
        if plan.walk:
            return
        ends = (watch.deadline for watch in self._links.values())
        next_at = min((plan.next_at, *(at for at in ends if at > now)))
        self._sweep_by(max(next_at, now + SWEEP + SWEEP_EACH * len(self._groups)))
        self._judge(now)

    def _check(self, group: _Group, now: float) -> None:
        plan = self._plan
        due_at, proof_at, forgotten_at = (
            group.due_at(now),
            group.proof_at(),
            group.forgotten_at(now),
        )
        if due_at <= now and not group.queued:
            group.queued = True
            plan.queue.append(group)
        group.refused = group.refused or proof_at <= now
        for at in (due_at, proof_at, forgotten_at):
            if now < at < plan.next_at:
                plan.next_at = at
        trouble = self._trouble(group, now)
        if trouble:
            self._troubles[group] = trouble
        else:
            self._troubles.pop(group, None)

    def _rejoin(self, group: _Group, now: float) -> None:
        group.joined_at, group.queued = now, False
        group.share = self._share()
        group.settle_at = now + SETTLING if group.settles else inf
        group.settles = False
        group.back_by = now + BACK if group.silent else -inf
        group.silent = False
        group.problem = ""
        self._sweep_by(group.proof_at())
        if group.missing:
            self._plan.look_at = min(self._plan.look_at, now + LOOK_SOON)
        self.outbox.append(Rejoin(group.membership))

    # --- how it stands --------------------------------------------------------------------------

    def _judge(self, now: float) -> None:
        hearing = self._standing(now)
        if hearing is not None and hearing != self.hearing:
            self.hearing = hearing
            self.outbox.append(hearing)

    def _standing(self, now: float) -> Hearing | None:
        """None while it is not known where the groups are."""
        if not self._groups:
            return Hearing(HearingState.IDLE, words.IDLE)
        if any(group.interfaces is None for group in self._groups.values()):
            return None
        if self._troubles:
            return Hearing(HearingState.DEAF, words.deaf(list(self._troubles.values())))
        if not self._links:
            return Hearing(HearingState.IDLE, words.LOCAL)
        told = now < self._returned_at + RETURN_TOLD
        again = words.returned(self._returned) if told else ""
        if self._blind:
            return Hearing(HearingState.CANNOT_TELL, words.blind(self._blind, AGAIN) + again)
        links = self._links.items()
        gone = [(k, w.last) for k, w in links if not w.present(now) and not w.waiting(now)]
        if gone:
            return Hearing(HearingState.NO_QUERIER, words.no_querier(gone, AGAIN) + again)
        waiting = [link for link, watch in links if watch.waiting(now)]
        if waiting:
            return Hearing(HearingState.CANNOT_TELL, words.waiting(waiting) + again)
        asked = words.asked((link, watch.last) for link, watch in links)
        return Hearing(HearingState.HEARING, asked + again)

    def _trouble(self, group: _Group, now: float) -> str:
        """Why it cannot be heard; empty where nothing says that it cannot."""
        address = group.membership.address
        if group.problem:
            return words.not_joined(address, group.problem)
        if not group.interfaces:
            interface = group.membership.interface
            return words.absent(address, interface) if group.missing > 1 else ""
        if self._blind:
            return ""
        if group.refused or now >= group.forgotten_at(now):
            return words.not_reported(address, group.links)
        return ""

    # --- when -----------------------------------------------------------------------------------

    def _sweep_by(self, at: float) -> None:
        self._plan.sweep_at = min(self._plan.sweep_at, at)

    def _arrange(self, now: float) -> None:
        plan = self._plan
        self.deadline = None
        if self._groups:
            self.deadline = min(plan.sweep_at, plan.look_at)
            if plan.walk:
                self.deadline = now
            elif plan.queue:
                self.deadline = min(self.deadline, max(plan.paced_at, now))


def _as_ever(packed: bytes) -> bool:
    """RFC 4541 §2.1.2 (224.0.0.0/24) and §3: what switches deliver to everybody."""
    if len(packed) == 4:
        return packed[:3] == b"\xe0\0\0"
    return packed[1] & 15 <= 1 or packed == _ALL_NODES
