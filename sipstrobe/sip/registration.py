"""Being registered: RFC 3261 §10.2 with outbound (RFC 5626), Path, Service-Route and GRUU.

One binding over one flow: it is made, refreshed before it expires, and removed. When that does not
work it is said and nothing more is tried: which server comes next, and when, is decided elsewhere.
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.capabilities import ALLOW
from sipstrobe.sip.core import Core
from sipstrobe.sip.exchange import Asking
from sipstrobe.sip.grant import MAX_EXPIRES, Grant, parse_seconds
from sipstrobe.sip.identity import (
    Binding,
    Registered,
    RegistrationFailed,
    RegistrationTrouble,
    Unregistered,
    contact_user,
)
from sipstrobe.sip.keeper import Keeper
from sipstrobe.sip.message import Response
from sipstrobe.sip.reasons import words_of
from sipstrobe.sip.speaker import Speaker
from sipstrobe.sip.transaction import TIMEOUT, Failure
from sipstrobe.sip.transport import Flow

SOONEST = 2.0  # seconds to the next refreshment, however little is granted
MAX_RAISES = 2  # how often a 423 is obeyed in a row
MAX_STALE = 4  # former contacts that are still to be removed

Fields = tuple[tuple[str, str], ...]

_TROUBLE = {  # by status; others by their class
    401: RegistrationTrouble.UNAUTHORIZED,
    407: RegistrationTrouble.UNAUTHORIZED,
    408: RegistrationTrouble.UNREACHABLE,
    430: RegistrationTrouble.UNREACHABLE,  # Flow Failed: RFC 5626 §11.5
    480: RegistrationTrouble.BUSY,
    486: RegistrationTrouble.BUSY,
}


class State(Enum):
    REGISTERING = auto()  # a REGISTER waits for its answer
    REGISTERED = auto()
    FAILED = auto()
    UNREGISTERING = auto()


@dataclass(slots=True)
class _Attempt:
    """What one round of REGISTER and its corrections has led to so far."""

    registrar: str
    flow: Flow
    redirected: bool = False
    raises: int = 0
    moved: bool = False  # a contact that turned out to be another one was replaced


class Registration:
    """One binding, by the name that its owner gave it."""

    __slots__ = (
        "_asking",
        "_attempt",
        "_binding",
        "_contact",
        "_core",
        "_expires",
        "_flow",
        "_keeper",
        "_outbound",
        "_speaker",
        "_stale",
        "_until",
        "deadline",
        "entry",
        "identity",
        "name",
        "state",
    )

    def __init__(self, core: Core, name: str, binding: Binding, flow: Flow) -> None:
        self._core = core
        self.name = name
        self.state = State.FAILED
        self.deadline: float | None = None  # of the next refreshment
        self.entry: Entry | None = None
        self.identity = binding.identity  # with what the registrar has added
        self._binding = binding
        self._flow = flow
        self._speaker = Speaker(core.layer, binding.identity, binding.identity.uri)
        self._expires = binding.expires  # more than that if the registrar insists
        self._outbound = bool(binding.instance_id)  # ask for it
        self._attempt = _Attempt(binding.registrar, flow)
        self._asking: Asking | None = None
        self._keeper: Keeper | None = None
        self._contact = ""  # the address that we were last registered by: ``<sip:…>``
        self._stale: list[str] = []  # those from before, which the registrar may still have
        self._until = 0.0  # when the binding expires

    # --- what its owner wants --------------------------------------------------------------

    def change(self, binding: Binding, flow: Flow, *, now: float) -> None:
        """Register this, over this flow, from now on."""
        if binding.expires != self._binding.expires:
            self._expires = binding.expires
        if binding.instance_id != self._binding.instance_id:
            self._outbound = bool(binding.instance_id)
        if binding.identity != self._binding.identity:
            self.identity = binding.identity
        self._binding = binding
        self._flow = flow
        self._speaker.be(binding.identity)
        self._speaker.to = binding.identity.uri
        self._begin(now)

    def refresh(self, *, now: float) -> None:
        """Send a REGISTER now.

        Deviation: RFC 3261 §10.2 has a client wait for the answer to the last one; but who wants
        this now knows that the network has changed, and that no answer will come.
        """
        if self.state is not State.UNREGISTERING:
            self._begin(now)

    def _begin(self, now: float) -> None:
        self._attempt = _Attempt(self._binding.registrar, self._usable(self._flow))
        self.state = State.REGISTERING
        self._register(now)

    def unregister(self, *, now: float) -> None:
        """Remove the binding, if there may be one: RFC 3261 §10.2.2."""
        asked = self.state is State.REGISTERING
        if self.state is State.UNREGISTERING:
            return
        self._rest()
        self._leave_flow()
        if not asked and self._until <= now:
            self._end(0, "was not registered")
            return
        self.state = State.UNREGISTERING
        self._attempt = _Attempt(self._attempt.registrar, self._usable(self._attempt.flow))
        self._send(0, now)

    def contact_changed(self, *, now: float) -> None:
        """Our public address may have become another one."""
        if self.state is State.REGISTERED and self._contact_uri() != self._contact:
            self.refresh(now=now)

    def flow_failed(self, words: str, *, now: float) -> None:
        """The flow does not work any more; an answer that is waited for says so itself."""
        self._keeper = None
        if self.state is State.REGISTERED:
            self._fail(RegistrationTrouble.UNREACHABLE, 0, words)

    # --- REGISTER --------------------------------------------------------------------------

    @property
    def flow(self) -> Flow:
        """The way to the registrar."""
        return self._attempt.flow

    @property
    def user(self) -> str:
        """The user part of our Contact."""
        return contact_user(self._binding.identity)

    def wake(self, *, now: float) -> None:
        self.refresh(now=now)

    def _usable(self, flow: Flow) -> Flow:
        """The flow, less a connection that is gone."""
        if flow.connection is not None and flow.connection not in self._core.layer.connections:
            flow = replace(flow, connection=None)
        return flow

    def _register(self, now: float) -> None:
        contact = self._contact_uri()
        if self._contact and self._contact != contact:
            self._stale = [*self._stale, self._contact][-MAX_STALE:]
        self._contact = contact
        self._send(self._expires, now)

    def _send(self, expires: int, now: float) -> None:
        self._rest()
        attempt = self._attempt
        draft = self._speaker.draft(
            "REGISTER", attempt.registrar, self._contacts(expires) + self._fields(expires)
        )
        self._asking = self._core.layer.ask(draft, attempt.flow, self._answered, now=now)

    def _rest(self) -> None:
        """Wait for nothing."""
        asking, self._asking = self._asking, None
        if asking is not None:
            self._core.layer.drop_client(asking)
        self.deadline = None
        self._core.layer.agenda.forget(self)

    def _contact_uri(self) -> str:
        sips = self._binding.identity.uri.startswith("sips:")
        return self._core.contact(self.user, self._attempt.flow, sips=sips)[1]

    def _contacts(self, expires: int) -> Fields:
        """Ours, and those to be removed: RFC 3261 §10.2.2, RFC 5626 §4.2."""
        own = self._contact
        if self._outbound:
            own += f';+sip.instance="<{self._binding.instance_id}>";reg-id={self._binding.reg_id}'
        removed = [("Contact", f"{contact};expires=0") for contact in self._stale]
        return (("Contact", f"{own};expires={expires}"), *removed)

    def _fields(self, expires: int) -> Fields:
        supported = "path, outbound, gruu" if self._outbound else "path"
        return (("Expires", str(expires)), ("Supported", supported), *ALLOW)

    # --- answers ---------------------------------------------------------------------------

    def _answered(self, answer: Response | Failure, now: float) -> None:
        if isinstance(answer, Response) and answer.status < 200:
            return
        assert self._asking is not None
        flow = self._asking.flow
        if flow.transport is self._attempt.flow.transport:  # not just because of the size
            self._attempt.flow = flow
        if self.state is State.UNREGISTERING:
            self._removed(answer)
        elif isinstance(answer, Failure):
            self._fail(RegistrationTrouble.UNREACHABLE, answer.value, self._core.layer.why(answer))
        elif answer.status < 300:
            self._accepted(answer, now)
        elif not self._corrected(answer, now):
            self._refused(answer)

    def _removed(self, answer: Response | Failure) -> None:
        if isinstance(answer, Failure):
            self._end(0, self._core.layer.why(answer))
        else:
            self._end(answer.status, words_of(answer.reason))

    def _corrected(self, answer: Response, now: float) -> bool:
        """Ask again in the way that the answer wants; False if it wants none, or too often."""
        attempt = self._attempt
        match answer.status:
            case 423 if attempt.raises < MAX_RAISES:  # RFC 3261 §10.2.8
                least = parse_seconds(answer.headers.first("Min-Expires"))
                if least is None or not self._expires < least <= MAX_EXPIRES:
                    return False
                attempt.raises += 1
                self._expires = least
            case 439 if self._outbound:  # First Hop Lacks Outbound Support: RFC 5626 §11.6
                self._outbound = False
            case 300 | 301 | 302 if not attempt.redirected:
                attempt.redirected = True
                return self._follow(answer, now)
            case _:
                return False
        self._register(now)
        return True

    def _follow(self, answer: Response, now: float) -> bool:
        """Ask the registrar that this one names, once: RFC 3261 §8.1.3.4."""
        attempt = self._attempt
        if not answer.contacts:
            return False
        uri = answer.contacts[0].uri
        try:
            flow = attempt.flow
            attempt.flow = flow if self._speaker.route else self._core.way_to(uri, flow)
        except RemoteProtocolError:
            return False
        attempt.registrar = str(uri.bare)
        self._register(now)
        return True

    def _refused(self, answer: Response) -> None:
        status = answer.status
        usual = RegistrationTrouble.BUSY if 500 <= status < 600 else RegistrationTrouble.REFUSED
        retry_after = None
        with suppress(RemoteProtocolError):
            retry_after = answer.retry_after
        self._fail(_TROUBLE.get(status, usual), status, words_of(answer.reason), retry_after)

    # --- registered ------------------------------------------------------------------------

    def _accepted(self, answer: Response, now: float) -> None:
        attempt = self._attempt
        asked = self._expires
        grant = Grant.read(answer, self._contact, self._binding, asked, outbound=self._outbound)
        if not grant.expires:
            words = "the registrar has not kept our address"
            self._fail(RegistrationTrouble.UNUSABLE, answer.status, words)
            return
        self._stale.clear()
        self._until = now + grant.expires
        if not attempt.redirected:
            self._flow = attempt.flow
        if not attempt.moved and self._contact_uri() != self._contact:
            attempt.moved = True  # once: a translator may give another port each time
            self._core.contact_changed(attempt.flow.remote, now=now)
            self._register(now)
            return
        self.state = State.REGISTERED
        self._keep_flow(grant, now)
        self.deadline = now + self._refresh_after(grant.expires)
        self._core.layer.agenda.note(self)
        self._say_registered(answer, grant)

    def _refresh_after(self, granted: int) -> float:
        """Early enough for one REGISTER that is lost; spread, so that accounts part."""
        margin = max(granted / 10, min(TIMEOUT, granted / 2))
        spread = granted * self._core.layer.random_below(1001) / 10_000
        return max(granted - margin - spread, SOONEST)

    def _keep_flow(self, grant: Grant, now: float) -> None:
        before, flow = self._keeper, self._attempt.flow
        if grant.outbound or not flow.transport.websocket:  # which looks after itself
            self._keeper = self._core.keepers.use(self, flow, grant, now=now)
        if before is not None and before is not self._keeper:
            self._core.keepers.leave(before, self)

    def _say_registered(self, answer: Response, grant: Grant) -> None:
        own = self._binding.identity
        self.identity = replace(own, route=grant.route, gruu=grant.gruu, outbound=grant.outbound)
        flow = self._attempt.flow
        news = Registered(
            self.name,
            answer.status,
            words_of(answer.reason),
            flow.remote,
            grant.expires,
            self.identity,
            grant.service_route,
            grant.path,
            self._core.layer.mappings.public(flow),
        )
        self._core.outbox.append(news)

    # --- not registered --------------------------------------------------------------------

    def _fail(
        self, trouble: RegistrationTrouble, status: int, words: str, retry_after: int | None = None
    ) -> None:
        server = self._attempt.flow.remote
        self._rest()
        self._leave_flow()
        self.state = State.FAILED
        news = RegistrationFailed(self.name, trouble, status, words, server, retry_after)
        self._core.outbox.append(news)

    def _end(self, status: int, words: str) -> None:
        self._rest()
        self._core.forget(self)
        self._core.outbox.append(Unregistered(self.name, status, words))

    def _leave_flow(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            self._core.keepers.leave(keeper, self)
