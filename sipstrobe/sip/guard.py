"""Who is let in: access list, passwords of callers and measures of sources, joined together."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sipstrobe.sip.access import AccessList, caller_of
from sipstrobe.sip.capabilities import Fields
from sipstrobe.sip.challenge import WRONG_EVERY, Callers, Challenger, Verdict
from sipstrobe.sip.limits import Limits
from sipstrobe.sip.message import Request
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Flow

_LATER: Fields = (("Retry-After", str(round(WRONG_EVERY))),)


class Denial(NamedTuple):
    """The response that turns a request down. why: in words; "" if only a password is asked for."""

    status: int
    fields: Fields
    why: str


class Guard:
    """Looks at each request that could make a dialog or be read by people, before anybody else.

    callers: who may call the account that a request is for; None: everybody.
    """

    def __init__(self, settings: SipSettings, random_bytes: Callable[[int], bytes]) -> None:
        self.callers: Callable[[Request, Flow], Callers | None] = lambda request, flow: None
        self._challenger = Challenger(random_bytes)
        self._settings = settings.access
        self._access = AccessList(settings.access)
        self._bindings: dict[str, tuple[str, frozenset[str]]] = {}  # address and names of a server
        self._servers: dict[str, dict[str, frozenset[str]]] = {}  # the same by address, by binding
        self._names: dict[str, frozenset[str]] = {}  # all names of an address, once they were asked
        self.limits = Limits(self._trusts)

    def apply(self, settings: SipSettings) -> None:
        """Decide by this list from now on."""
        if settings.access != self._settings:
            self._settings = settings.access
            self._access = AccessList(settings.access)
            self.limits.forget()

    def register(self, binding: str, host: str, names: Iterable[str]) -> None:
        """The device registers at this address, which is known by these names."""
        self.unregister(binding)
        self._bindings[binding] = host, frozenset(names)
        self._servers.setdefault(host, {})[binding] = self._bindings[binding][1]
        self._names.pop(host, None)
        self.limits.judge_again(host)

    def unregister(self, binding: str) -> None:
        """The device has nothing to do with the server of this binding any more."""
        host, _ = self._bindings.pop(binding, ("", None))
        if host:
            del self._servers[host][binding]
            self._names.pop(host, None)
            if not self._servers[host]:
                del self._servers[host]
                self.limits.judge_again(host)

    def denial(self, request: Request, flow: Flow, *, now: float) -> Denial | None:
        """How to turn down whoever sends this; None: he may come in.

        Nothing is remembered of those who do not show that they know a password. Raises
        RemoteProtocolError when it is not to be read who calls.
        """
        if not self._admits(request, flow):
            return Denial(403, (), "by the access list")  # RFC 3261 §21.4.4
        callers = self.callers(request, flow)
        if callers is None:
            return None
        host = flow.remote.host
        verdict = self._challenger.judge(request, host, callers, now=now)
        if verdict is Verdict.PROVED:
            self.limits.prove(host)
            return None
        if verdict is Verdict.TOO_OFTEN:
            return Denial(403, _LATER, "after too many wrong passwords")
        fields = self._challenger.challenges(callers, host, stale=verdict is Verdict.STALE, now=now)
        return Denial(401, fields, "with a wrong password" if verdict is Verdict.WRONG else "")

    def _admits(self, request: Request, flow: Flow) -> bool:
        if not self._settings.enabled:
            return True
        host = flow.remote.host
        caller = caller_of(request, from_server=host in self._servers)
        return self._access.admits(caller, host, self._names_of(host))

    def _names_of(self, host: str) -> frozenset[str]:
        bindings = self._servers.get(host)
        if bindings is None:
            return frozenset()
        if host not in self._names:
            self._names[host] = frozenset[str]().union(*bindings.values())
        return self._names[host]

    def _trusts(self, host: str) -> bool:
        return host in self._servers or self._access.vouches(host)
