"""One account, two servers that live and die, and a clock that only the story moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.events import RegistrationState
from sipstrobe.sip.failover import (
    HURRY,
    LINGER,
    LOCATE_LIMIT,
    LONGEST_RETRY_AFTER,
    PATIENCE,
    SLOW_RETRY,
    Failover,
    Locate,
    Output,
    Plan,
    Register,
    Role,
    Standing,
    Unregister,
)
from sipstrobe.sip.identity import RegistrationTrouble
from sipstrobe.sip.locate import Hop
from sipstrobe.sip.transport import Transport

TIMER_F = 32.0  # seconds; RFC 3261 §17.1.2.2: silence over UDP
PRIMARY, SECONDARY = Role.PRIMARY, Role.SECONDARY
UNREACHABLE = RegistrationTrouble.UNREACHABLE


@dataclass
class Server:
    """How a server behaves. answer: a status and Retry-After; 0: silence."""

    hosts: tuple[str, ...]
    answer: tuple[int, int | None] = (200, None)
    down: set[str] = field(default_factory=set[str])  # hosts that do not answer
    refuses: bool = False  # an absent host says so at once (ICMP, TCP)
    known: bool = True  # to the name server
    bound: bool = False  # what it knows of us
    delay: float = 0.01  # seconds until it answers


class Scene:
    """Carries out what the machine wants, and notes it."""

    def __init__(self, **plan: float | bool) -> None:
        self.now = 0.0
        self.servers = {PRIMARY: Server(("p1",)), SECONDARY: Server(("s1",))}
        self.machine = Failover(Plan(**plan), lambda: 1.0)  # pyright: ignore[reportArgumentType]
        self.story: list[str] = []
        self._coming: list[tuple[float, int, Callable[[], None]]] = []
        self._serials = count()
        self._asked: dict[Role, int] = {}

    @property
    def state(self) -> str:
        standing = self.machine.standing
        role = f" {standing.role}" if standing.until is not None else ""
        return f"{standing.state}{role}"

    def start(self) -> None:
        self.machine.start(now=self.now)
        self.run(0.0)

    def kill(self, role: Role) -> None:
        self.servers[role].down.update(self.servers[role].hosts)
        self.servers[role].bound = False

    def revive(self, role: Role) -> None:
        self.servers[role].down.clear()

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        self._settle()
        while (at := self._next()) is not None and at <= end:
            self.now = max(self.now, at)
            if self._coming and self._coming[0][0] <= self.now:
                heappop(self._coming)[2]()
            else:
                self.machine.wake(now=self.now)
            self._settle()
        self.now = end

    def lose(self, role: Role, trouble: RegistrationTrouble = UNREACHABLE) -> None:
        self.machine.failed(role, trouble, 0, "the connection is gone", now=self.now)
        self.run(0.0)

    def said(self, of: str) -> list[str]:
        return [line for line in self.story if of in line]

    def _next(self) -> float | None:
        instants = [self._coming[0][0]] if self._coming else []
        deadline = self.machine.deadline
        return min([*instants, *([] if deadline is None else [deadline])], default=None)

    def _settle(self) -> None:
        while self.machine.outbox:
            self._carry_out(self.machine.outbox.popleft())

    def _carry_out(self, output: Output) -> None:
        match output:
            case Locate(role):
                server = self.servers[role]
                hops = tuple(Hop(Transport.UDP, host, 5060, role) for host in server.hosts)
                if server.known:
                    self._later(0.0, lambda: self.machine.located(role, hops, now=self.now))
                else:
                    words = "the name is not known"
                    self._later(0.0, lambda: self.machine.not_located(role, words, now=self.now))
            case Register(role, hop):
                self._note(f"register {hop.host}")
                self._ask(role, hop)
            case Unregister(role):
                self._asked.pop(role, None)
                self.servers[role].bound = False
                self._note(f"leave {role}")
            case Standing():
                self._note(self.state)

    def _ask(self, role: Role, hop: Hop) -> None:
        server, serial = self.servers[role], next(self._serials)
        self._asked[role] = serial
        absent = hop.host in server.down

        def answer() -> None:
            if self._asked.get(role) != serial:
                return  # another one was asked meanwhile
            status, retry_after = server.answer
            if absent:
                self.machine.failed(role, UNREACHABLE, 0, "no answer", now=self.now)
            elif status == 200:
                server.bound = True
                self.machine.registered(role, 3600, now=self.now)
            else:
                trouble = RegistrationTrouble.BUSY if status >= 500 else RegistrationTrouble.REFUSED
                self.machine.failed(
                    role, trouble, status, "no", retry_after=retry_after, now=self.now
                )

        self._later(TIMER_F if absent and not server.refuses else server.delay, answer)

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        heappush(self._coming, (self.now + seconds, next(self._serials), what))

    def _note(self, what: str) -> None:
        self.story.append(f"{round(self.now, 2):g} {what}")


def test_an_account_registers_and_takes_leave() -> None:
    scene = Scene()

    scene.start()
    scene.run(1.0)
    scene.machine.stop(now=scene.now)
    scene.run(100.0)

    assert scene.story == [
        "0 trying",
        "0 register p1",
        "0.01 registered primary",
        "1 leave primary",
        "1 off",
    ]
    assert scene.machine.deadline is None


def test_the_addresses_of_a_server_are_tried_in_order() -> None:
    """RFC 3263 §4.3: what cannot be reached or is overloaded leads to the next address."""
    scene = Scene()
    scene.servers[PRIMARY] = Server(("p1", "p2", "p3"), down={"p1", "p2"}, refuses=True)

    scene.start()
    scene.run(1.0)

    assert scene.said("p") == [
        "0 register p1",
        "0.01 register p2",
        "0.02 register p3",
        "0.03 registered primary",
    ]


def test_a_silent_address_does_not_hold_up_the_next() -> None:
    """Deviation from RFC 3263 §4.3, which would wait for timer F: 32 s for each address."""
    scene = Scene()
    scene.servers[PRIMARY] = Server(("p1", "p2"), down={"p1"})

    scene.start()
    scene.run(TIMER_F + 1)

    assert scene.said("regist") == [
        "0 register p1",
        f"{PATIENCE:g} register p2",
        f"{PATIENCE + 0.01:g} registered primary",
    ]


def test_a_refusal_is_the_same_at_every_address() -> None:
    scene = Scene()
    scene.servers[PRIMARY] = Server(("p1", "p2"), answer=(403, None))

    scene.start()
    scene.run(60.0)

    assert scene.story == ["0 trying", "0 register p1", "0.01 failed"]
    assert scene.machine.standing.status == 403


def test_the_wait_doubles_until_a_minute_then_the_account_is_given_up_but_still_tried() -> None:
    """RFC 5626 §4.5; nothing is ever given up silently (AMB-05)."""
    scene = Scene(attempts=8)
    scene.servers[PRIMARY] = Server(("p1",), down={"p1"}, refuses=True)

    scene.start()
    scene.run(800.0)
    scene.revive(PRIMARY)
    scene.run(SLOW_RETRY)

    tried = [float(line.split()[0]) for line in scene.said("register ")]
    waits = [round(later - earlier) for earlier, later in pairwise(tried)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, SLOW_RETRY, SLOW_RETRY, SLOW_RETRY]
    assert [line.split()[1] for line in scene.said("") if "register " not in line] == [
        "trying",
        "failed",
        "given_up",
        "registered",
    ]


def test_the_waits_of_a_thousand_accounts_are_spread() -> None:
    """RFC 5626 §4.5: between half of the wait and all of it, uniformly."""
    waits: list[float] = []
    for n in range(100):
        machine = Failover(Plan(), lambda n=n: n / 100)
        machine.start(now=0.0)
        machine.not_located(PRIMARY, "unknown", now=0.0)
        assert machine.deadline is not None
        waits.append(machine.deadline)

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == pytest.approx((0.5, 1.0), abs=0.01)


def test_who_is_refused_asks_seldom() -> None:
    """Servers lock out who tries passwords: fewer than five attempts in ten minutes."""
    scene = Scene()
    scene.servers[PRIMARY] = Server(("p1",), answer=(403, None))

    scene.start()
    scene.run(600.0)

    assert 1 < len(scene.said("register ")) < 5


@pytest.mark.parametrize(("asked", "waited"), [(120, 120.0), (10**6, LONGEST_RETRY_AFTER)])
def test_a_server_may_put_us_off(asked: int, waited: float) -> None:
    """RFC 3261 §20.33, but nobody puts us off for ever."""
    scene = Scene()
    scene.servers[PRIMARY].answer = (503, asked)

    scene.start()
    scene.run(waited)
    scene.servers[PRIMARY].answer = (200, None)
    scene.run(1.0)

    assert scene.said("regist")[1:] == [
        f"{waited + 0.01:g} register p1",
        f"{waited + 0.02:g} registered primary",
    ]


# --- two servers, cold -------------------------------------------------------------------------


def registered(**plan: float | bool) -> Scene:
    scene = Scene(secondary=True, **plan)
    scene.start()
    scene.run(100.0)
    scene.story.clear()
    return scene


def test_the_secondary_is_left_alone_while_the_primary_works() -> None:
    scene = registered()

    assert not scene.servers[SECONDARY].bound


def test_a_suspicion_is_enough_to_register_with_the_secondary() -> None:
    """Who waits for timer F cannot be called for half a minute."""
    scene = registered()
    scene.kill(PRIMARY)

    scene.machine.suspect(PRIMARY, now=scene.now)
    scene.run(1.0)

    assert scene.said("s1") == ["100 register s1"]
    assert scene.state == "registered secondary"
    assert [role for role, _ in scene.machine.ways] == [SECONDARY, PRIMARY]


def test_a_false_alarm_costs_nothing_and_ends_after_a_while() -> None:
    scene = registered()
    scene.servers[PRIMARY].delay = 0.5

    scene.machine.suspect(PRIMARY, now=scene.now)
    scene.run(LINGER)
    assert [role for role, _ in scene.machine.ways] == [PRIMARY, SECONDARY]
    scene.run(1.0)

    assert scene.said("leave") == [f"{100 + LINGER + 0.5:g} leave secondary"]
    assert scene.state == "registered primary"


def test_the_account_returns_to_the_primary_after_the_set_time() -> None:
    """SIP-19: registered with the secondary all the while, until the primary works."""
    scene = registered(failback_after=60.0)
    scene.kill(PRIMARY)
    scene.servers[PRIMARY].refuses = True
    scene.lose(PRIMARY)
    scene.run(50.0)
    assert scene.state == "registered secondary"
    scene.revive(PRIMARY)

    scene.run(14.0)
    assert scene.said("register p1")[1:] == []
    scene.run(LINGER + 3.0)

    assert scene.said("register p1")[1:] == ["166.02 register p1"]
    assert scene.said("leave") == [f"{166.03 + LINGER:g} leave secondary"]
    assert scene.state == "registered primary"


def test_a_primary_that_is_slow_at_the_start_is_not_waited_for() -> None:
    scene = Scene(secondary=True)
    scene.kill(PRIMARY)

    scene.start()
    scene.run(HURRY + 0.1)

    assert scene.said("regist")[1:] == [
        f"{HURRY:g} register s1",
        f"{HURRY + 0.01:g} registered secondary",
    ]


def test_when_the_secondary_dies_as_well_both_are_tried_at_once() -> None:
    scene = registered(failback_after=10_000.0)
    scene.kill(PRIMARY)
    scene.lose(PRIMARY)
    scene.run(100.0)
    scene.kill(SECONDARY)
    scene.revive(PRIMARY)
    scene.story.clear()

    scene.lose(SECONDARY)
    scene.run(0.1)

    assert scene.said("register ") == ["200 register s1", "200 register p1"]
    assert scene.state == "registered primary"


def test_a_refusal_by_the_primary_is_told_while_the_secondary_works() -> None:
    """SAC-11: whatever the reason is for which the registration at the first fails."""
    scene = Scene(secondary=True)
    scene.servers[PRIMARY].answer = (403, None)

    scene.start()
    scene.run(1.0)

    assert scene.state == "registered secondary"
    assert (scene.machine.standing.status, scene.machine.standing.words) == (403, "no")


# --- two servers, hot --------------------------------------------------------------------------


def test_hot_standby_is_registered_with_both_at_once() -> None:
    scene = registered(hot_standby=True)
    assert [role for role, _ in scene.machine.ways] == [PRIMARY, SECONDARY]

    scene.kill(PRIMARY)
    scene.machine.suspect(PRIMARY, now=scene.now)

    assert scene.servers[SECONDARY].bound
    assert [role for role, _ in scene.machine.ways] == [SECONDARY, PRIMARY]
    scene.run(TIMER_F + 10.0)
    scene.revive(PRIMARY)
    scene.run(60.0)
    assert [role for role, _ in scene.machine.ways] == [PRIMARY, SECONDARY]
    assert scene.said("leave") == []


# --- the network -------------------------------------------------------------------------------


def test_when_the_network_returns_the_account_registers_at_once() -> None:
    scene = registered()
    scene.servers[PRIMARY].refuses = scene.servers[SECONDARY].refuses = True
    scene.kill(PRIMARY)
    scene.kill(SECONDARY)
    scene.lose(PRIMARY)
    scene.run(500.0)
    assert scene.state == "given_up"
    scene.revive(PRIMARY)
    scene.story.clear()

    scene.machine.network_changed(now=scene.now)
    scene.run(0.1)

    assert scene.said("register p1") == ["600 register p1"]
    assert scene.state == "registered primary"


def test_a_new_address_is_registered_where_the_old_one_was() -> None:
    scene = registered()

    scene.machine.network_changed(now=scene.now)
    scene.run(0.1)

    assert scene.said("register ") == ["100 register p1"]


def test_failures_of_long_ago_do_not_count_when_a_server_is_suspected() -> None:
    """AMB-05: who was registered for hours is not given up at the first silence."""
    scene = Scene(attempts=3)
    scene.servers[PRIMARY].refuses = True
    scene.kill(PRIMARY)
    scene.start()
    scene.run(1.5)
    scene.revive(PRIMARY)
    scene.run(3600.0)
    assert scene.state == "registered primary"
    scene.kill(PRIMARY)
    scene.story.clear()

    scene.machine.suspect(PRIMARY, now=scene.now)
    scene.run(3.0)

    assert "given_up" not in " ".join(scene.story)
    assert len(scene.said("register p1")) == 3


def test_whoever_looks_up_names_and_never_answers_is_asked_again() -> None:
    """AMB-05: nothing that goes wrong elsewhere may end the attempts."""
    machine = Failover(Plan(), lambda: 1.0)
    machine.start(now=0.0)
    assert machine.outbox[0] == Locate(PRIMARY)
    machine.outbox.clear()

    machine.wake(now=LOCATE_LIMIT)

    assert list(machine.outbox) == [Locate(PRIMARY)]


def test_a_server_that_drops_us_at_once_is_not_besieged() -> None:
    scene = Scene()
    scene.start()
    tried = 0
    for _ in range(1000):
        scene.run(0.1)
        if scene.servers[PRIMARY].bound:
            scene.servers[PRIMARY].bound = False
            scene.lose(PRIMARY)
            tried += 1

    assert tried < 10


ACTIONS = st.sampled_from(
    [
        *("kill p", "kill s", "revive p", "revive s", "suspect p", "suspect s", "lose p"),
        *("lose s", "network", "refuse p", "accept p", "wait", "wait", "wait"),
    ]
)


@given(st.lists(st.tuples(ACTIONS, st.floats(0, 100)), max_size=30), st.booleans(), st.booleans())
def test_whatever_happens_it_is_registered_in_the_end(
    actions: list[tuple[str, float]], hot: bool, refuses: bool
) -> None:
    """And the servers know what the account believes."""
    scene = Scene(secondary=True, hot_standby=hot)
    for server in scene.servers.values():
        server.refuses = refuses
    scene.start()
    for action, seconds in actions:
        word, _, letter = action.partition(" ")
        role = SECONDARY if letter == "s" else PRIMARY
        match word:
            case "kill":
                scene.kill(role)
            case "revive":
                scene.revive(role)
            case "suspect":
                scene.machine.suspect(role, now=scene.now)
            case "lose":
                scene.servers[role].bound = False
                scene.lose(role)
            case "network":
                scene.machine.network_changed(now=scene.now)
            case "refuse" | "accept":
                scene.servers[role].answer = (403 if word == "refuse" else 200, None)
            case _:
                pass
        scene.run(seconds)

    scene.servers[PRIMARY].answer = (200, None)
    for role in Role:
        scene.revive(role)
        if not scene.servers[role].bound:
            scene.machine.suspect(role, now=scene.now)
    scene.run(1200.0)

    assert scene.machine.standing.state is RegistrationState.REGISTERED
    assert scene.machine.standing.role is PRIMARY
    bound = {role for role, _ in scene.machine.ways}
    assert bound == ({PRIMARY, SECONDARY} if hot else {PRIMARY})
    assert bound == {role for role, server in scene.servers.items() if server.bound}
