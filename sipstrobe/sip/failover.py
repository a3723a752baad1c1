"""With which of its servers an account is registered, and when the others are tried.

An account has a primary server and perhaps a secondary one; each has addresses (RFC 3263), tried in
order. Cold: the secondary is used while the primary does not work, from the moment that this is
suspected, and the primary is looked after every `failback_after` seconds. Hot: both are used all
the time. What fails is tried again after RFC 5626 §4.5: twice as long each time, and not at the
same instant as everybody else.

This only decides: whoever feeds it looks up names and registers, and says what has come of it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from msgspec import Struct

from sipstrobe.events import RegistrationState
from sipstrobe.sip.identity import RegistrationTrouble
from sipstrobe.sip.locate import Hop
from sipstrobe.timers import Timers

HURRY = 2.0  # seconds without an answer after which the secondary server is tried as well
LOCATE_LIMIT = 10.0  # seconds after which a server that nobody has located is asked for again
PATIENCE = 4.0  # the same, after which the next address of a server is: four copies over UDP
BACK_OFF = (1.0, 60.0)  # seconds: first and longest wait for a server that cannot be reached
REFUSED_BACK_OFF = (120.0, 900.0)  # for one that refuses us: it may lock out who asks too often
SLOW_RETRY = 300.0  # seconds: the least wait after an account was given up
LONGEST_RETRY_AFTER = 3600.0  # seconds that we let a server put us off
LINGER = 30.0  # seconds for which the primary has to work before the secondary is left
STEADY = 10.0  # seconds after which a binding that is lost was no failure from the beginning
MAX_DOUBLINGS = 16


class Role(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


class Plan(Struct, frozen=True):
    """What the settings say. attempts: rounds that may fail until the account is given up."""

    attempts: int = 10
    failback_after: float = 300.0  # seconds
    secondary: bool = False
    hot_standby: bool = False


class Locate(Struct, frozen=True):
    """Find the addresses of this server; answer with `located` or `not_located`."""

    role: Role


class Register(Struct, frozen=True):
    """Bind the account there, instead of where it was with this server until now.

    Answer with `registered` or `failed`.
    """

    role: Role
    hop: Hop


class Unregister(Struct, frozen=True):
    """Take the binding with this server back; nothing more is heard of it."""

    role: Role


class Standing(Struct, frozen=True):
    """How the account stands now. until: the instant at which the registration ends, if it is one.

    trouble and words: of the last failure, None and "" while all is well.
    """

    state: RegistrationState
    role: Role = Role.PRIMARY
    status: int = 0
    words: str = ""
    trouble: RegistrationTrouble | None = None
    until: float | None = None


Output = Locate | Register | Unregister | Standing
REFUSALS = (RegistrationTrouble.UNAUTHORIZED, RegistrationTrouble.REFUSED)


class Phase(Enum):
    IDLE = auto()  # not wanted
    LOCATING = auto()
    TRYING = auto()
    REGISTERED = auto()
    WAITING = auto()  # for the next round


class Timer(Enum):
    RETRY = auto()
    PATIENCE = auto()
    HURRY = auto()
    LINGER = auto()


@dataclass(slots=True)
class Lane:
    """One server of the account. hops: those that are left to try in this round."""

    role: Role
    phase: Phase = Phase.IDLE
    hops: tuple[Hop, ...] = ()
    hop: Hop | None = None  # tried now, or the last that worked
    rounds: int = 0  # that have failed since it worked for a while
    since: float = 0.0  # when the binding was made
    until: float | None = None  # the end of the binding that there still is
    not_before: float = 0.0  # the server does not want to be asked
    suspected: bool = False  # it is registered, but does not answer
    failure: Standing | None = None  # the last one, while there is no success

    @property
    def bound(self) -> bool:
        """The server has a binding of ours, as far as we know."""
        return self.until is not None

    @property
    def works(self) -> bool:
        return self.bound and not self.suspected


class Failover:
    """The registrations of one account."""

    def __init__(self, plan: Plan, random: Callable[[], float]) -> None:
        """random: 0…1, drawn anew at each call."""
        self.plan = plan
        self.outbox: deque[Output] = deque()
        self.standing = Standing(RegistrationState.OFF)
        self._random = random
        self._lanes = {role: Lane(role) for role in Role}
        self._timers: Timers[tuple[Role, Timer]] = Timers()

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    def wake(self, *, now: float) -> None:
        for role, timer in self._timers.due(now):
            self._run_out(self._lanes[role], timer, now)
        self._tell()

    @property
    def ways(self) -> list[tuple[Role, Hop]]:
        """The servers that have a binding of ours, the one to use first in front."""
        bound = [lane for lane in self._lanes.values() if lane.bound]
        bound.sort(key=lambda lane: lane.suspected)
        return [(lane.role, lane.hop) for lane in bound if lane.hop is not None]

    # --- orders -------------------------------------------------------------------------------

    def start(self, *, now: float) -> None:
        """Begin to register."""
        self._begin(self._primary, now)
        if self.plan.hot_standby:
            self._begin(self._secondary, now)
        self._tell()

    def stop(self, *, now: float) -> None:
        """Take back what there is, and try no more."""
        del now
        for lane in self._lanes.values():
            self._leave(lane)
        self._tell()

    def network_changed(self, *, now: float) -> None:
        """All that was learned may be wrong: try at once, where it worked before."""
        for lane in self._lanes.values():
            if lane.phase is not Phase.IDLE:
                lane.rounds = 0
                if lane.hop is not None and lane.phase is not Phase.LOCATING:
                    self._register(lane, lane.hop, now)
                else:
                    self._begin(lane, now)
        self._tell()

    # --- what has come of it ------------------------------------------------------------------

    def located(self, role: Role, hops: tuple[Hop, ...], *, now: float) -> None:
        """The addresses of a server, at least one."""
        lane = self._lanes[role]
        if lane.phase is Phase.LOCATING:
            lane.hops = hops[1:]
            self._register(lane, hops[0], now)
        self._tell()

    def not_located(self, role: Role, words: str, *, now: float) -> None:
        lane = self._lanes[role]
        if lane.phase is Phase.LOCATING:
            trouble = RegistrationTrouble.UNREACHABLE
            lane.failure = Standing(RegistrationState.FAILED, role, 0, words, trouble)
            self._end_round(lane, now)
        self._tell()

    def registered(self, role: Role, expires: float, *, now: float) -> None:
        """The server has the binding, for so many seconds; also each time it is refreshed."""
        lane = self._lanes[role]
        if lane.phase in (Phase.TRYING, Phase.REGISTERED):
            if not lane.bound:
                lane.since = now
            lane.phase, lane.hops, lane.suspected = Phase.REGISTERED, (), False
            lane.failure, lane.until = None, now + expires
            self._stop_timers(lane)
            self._settle_secondary(lane, now)
        self._tell()

    def failed(
        self,
        role: Role,
        trouble: RegistrationTrouble,
        status: int,
        words: str,
        *,
        retry_after: float | None = None,
        now: float,
    ) -> None:
        """There is no binding with the server, or none any more."""
        lane = self._lanes[role]
        if lane.phase not in (Phase.TRYING, Phase.REGISTERED):
            return
        lane.failure = Standing(RegistrationState.FAILED, role, status, words, trouble)
        if retry_after is not None:
            lane.not_before = now + min(retry_after, LONGEST_RETRY_AFTER)
        elsewhere = trouble is RegistrationTrouble.UNREACHABLE or status == 503  # RFC 3263 §4.3
        if lane.phase is Phase.TRYING and lane.hops and elsewhere:
            self._try_next(lane, now)
        elif lane.bound and now - lane.since >= STEADY:
            self._lose(lane, now)
        else:
            self._end_round(lane, now)
        self._tell()

    def suspect(self, role: Role, *, now: float) -> None:
        """The server does not answer, though it has a binding: ask it again, and the other one."""
        lane = self._lanes[role]
        if lane.phase is Phase.REGISTERED and not lane.suspected:
            assert lane.hop is not None
            lane.suspected = True
            self._register(lane, lane.hop, now)
            if lane is self._primary:
                self._want_secondary(now)
        self._tell()

    # --- rounds -------------------------------------------------------------------------------

    def _begin(self, lane: Lane, now: float) -> None:
        """A round: from the name of the server to the last of its addresses."""
        self._stop_timers(lane)
        lane.phase, lane.hops = Phase.LOCATING, ()
        self._retry_at(lane, now + LOCATE_LIMIT)
        self._start_hurry(lane, now)
        self.outbox.append(Locate(lane.role))

    def _register(self, lane: Lane, hop: Hop, now: float) -> None:
        lane.phase, lane.hop = Phase.TRYING, hop
        self._timers.stop((lane.role, Timer.RETRY))
        if lane.hops:
            self._timers.start((lane.role, Timer.PATIENCE), now + PATIENCE)
        self._start_hurry(lane, now)
        self.outbox.append(Register(lane.role, hop))

    def _try_next(self, lane: Lane, now: float) -> None:
        hop, *rest = lane.hops
        lane.hops = tuple(rest)
        self._timers.stop((lane.role, Timer.PATIENCE))
        self._register(lane, hop, now)

    def _lose(self, lane: Lane, now: float) -> None:
        """The binding has gone that worked for long: look at once for another way."""
        lane.until, lane.suspected, lane.rounds = None, False, 0
        if now < lane.not_before or _refused(lane):
            self._end_round(lane, now)
            return
        self._begin(lane, now)
        if lane is self._secondary and self._primary.phase is Phase.WAITING:
            self._retry_at(self._primary, now)

    def _end_round(self, lane: Lane, now: float) -> None:
        """None of its addresses has worked."""
        lane.phase, lane.hops, lane.until, lane.suspected = Phase.WAITING, (), None, False
        lane.rounds += 1
        self._stop_timers(lane)
        self._retry_at(lane, now + self._wait(lane))
        if lane is self._primary:
            self._want_secondary(now)

    def _retry_at(self, lane: Lane, at: float) -> None:
        self._timers.start((lane.role, Timer.RETRY), max(at, lane.not_before))

    def _wait(self, lane: Lane) -> float:
        """Seconds until the next round: RFC 5626 §4.5."""
        first, longest = REFUSED_BACK_OFF if _refused(lane) else BACK_OFF
        if lane.rounds >= self.plan.attempts:
            first, longest = max(first, SLOW_RETRY), max(longest, SLOW_RETRY)
        doublings = min(max(lane.rounds - 1, 0), MAX_DOUBLINGS)
        wait = min(longest, first * 2**doublings) * (0.5 + 0.5 * self._random())
        if lane is self._primary and self._secondary.works and not self.plan.hot_standby:
            failback = self.plan.failback_after * (1 + 0.1 * self._random())
            return max(failback, wait) if _refused(lane) else failback
        return wait

    # --- primary and secondary ----------------------------------------------------------------

    @property
    def _primary(self) -> Lane:
        return self._lanes[Role.PRIMARY]

    @property
    def _secondary(self) -> Lane:
        return self._lanes[Role.SECONDARY]

    def _want_secondary(self, now: float) -> None:
        """The primary does not work, or perhaps not."""
        self._timers.stop((Role.SECONDARY, Timer.LINGER))
        if self.plan.secondary and self._secondary.phase is Phase.IDLE:
            self._begin(self._secondary, now)

    def _settle_secondary(self, lane: Lane, now: float) -> None:
        """After a success: the secondary is left once the primary works, and not before."""
        if self.plan.hot_standby:
            return
        if lane is self._secondary:
            if self._primary.phase is Phase.WAITING:  # nothing is pressing any more
                self._retry_at(self._primary, now + self._wait(self._primary))
        elif self._secondary.bound:
            if not self._timers.running((Role.SECONDARY, Timer.LINGER)):
                self._timers.start((Role.SECONDARY, Timer.LINGER), now + LINGER)
        else:
            self._leave(self._secondary)

    def _leave(self, lane: Lane) -> None:
        if lane.hop is not None:
            self.outbox.append(Unregister(lane.role))
        for timer in Timer:
            self._timers.stop((lane.role, timer))
        self._lanes[lane.role] = Lane(lane.role)

    # --- time and news ------------------------------------------------------------------------

    def _run_out(self, lane: Lane, timer: Timer, now: float) -> None:
        match timer:
            case Timer.RETRY:
                self._begin(lane, now)
            case Timer.PATIENCE:
                self._try_next(lane, now)
            case Timer.HURRY:
                self._want_secondary(now)
            case Timer.LINGER:
                if self._primary.works:
                    self._leave(lane)

    def _start_hurry(self, lane: Lane, now: float) -> None:
        key = (lane.role, Timer.HURRY)
        if lane is self._primary and self.plan.secondary and not self._timers.running(key):
            self._timers.start(key, now + HURRY)

    def _stop_timers(self, lane: Lane) -> None:
        for timer in (Timer.RETRY, Timer.PATIENCE, Timer.HURRY):
            self._timers.stop((lane.role, timer))

    def _tell(self) -> None:
        """Say how the account stands, if that has changed."""
        standing = self._stand()
        if standing != self.standing:
            self.standing = standing
            self.outbox.append(standing)

    def _stand(self) -> Standing:
        active = [lane for lane in self._lanes.values() if lane.phase is not Phase.IDLE]
        failures = [lane.failure for lane in active if lane.failure is not None]
        failure = failures[0] if failures else Standing(RegistrationState.TRYING)
        bound = next((self._lanes[role] for role, _ in self.ways), None)
        if not active:
            return Standing(RegistrationState.OFF)
        if bound is not None:
            state, role, until = RegistrationState.REGISTERED, bound.role, bound.until
        elif failures and all(lane.rounds >= self.plan.attempts for lane in active):
            state, role, until = RegistrationState.GIVEN_UP, failure.role, None
        else:
            state, role, until = failure.state, failure.role, None
        return Standing(state, role, failure.status, failure.words, failure.trouble, until)


def _refused(lane: Lane) -> bool:
    return lane.failure is not None and lane.failure.trouble in REFUSALS
