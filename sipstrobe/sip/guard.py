"""Who is let in: the access list, and how much a source may ask of us; joined for the endpoint."""

from collections.abc import Iterable

from sipstrobe.sip.access import AccessList, caller_of
from sipstrobe.sip.limits import Limits
from sipstrobe.sip.message import Request
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Flow


class Guard:
    """Looks at each request that could make a dialog or be read by people, before anybody else."""

    def __init__(self, settings: SipSettings) -> None:
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

    def admits(self, request: Request, flow: Flow) -> bool:
        """Whether the access list lets in whoever sends this.

        Raises RemoteProtocolError when it does not say who that is.
        """
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
