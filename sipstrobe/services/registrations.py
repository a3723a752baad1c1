"""One account and its registrars: decisions of `failover` carried out by DNS and the endpoint."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.errors import LocalProtocolError
from sipstrobe.events import RegistrationState
from sipstrobe.machine import Driver
from sipstrobe.services.locator import Locator
from sipstrobe.services.network import Changes
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.account import Account
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.failover import (
    Failover,
    Locate,
    Plan,
    Register,
    Role,
    Standing,
    Unregister,
)
from sipstrobe.sip.failover import Output as Wish
from sipstrobe.sip.identity import (
    Binding,
    Identity,
    Registered,
    RegistrationFailed,
    RegistrationTrouble,
)
from sipstrobe.sip.locate import Hop
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.servers import Server, binding_of, host_and_port, servers_of, transport_of
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Flow


class Tools(Struct, frozen=True):
    """What all accounts use.

    pace: calls back when a REGISTER may go out; told: hears when an account stands otherwise than
    before.
    """

    context: Context
    driver: Driver[Output]
    endpoint: Endpoint
    transports: SipTransports
    locator: Locator
    instance_id: str
    pace: Callable[[Callable[[], None]], None]
    told: Callable[["Registrations", Standing], None]


class Registrations:
    """The bindings of one account with its primary and its secondary server."""

    def __init__(self, tools: Tools, account: Account, settings: SipSettings) -> None:
        self.account = account  # its parts that concern no registrar may be replaced
        self.servers = servers_of(account)
        self.standing = Standing(RegistrationState.OFF)
        self.names = {role: _name(account, server, role) for role, server in self.servers.items()}
        self._roles = {name: role for role, name in self.names.items()}
        self._tools = tools
        self._expires = settings.registration_interval
        self._identities: dict[Role, Identity] = {}
        self._flows: dict[Role, Flow] = {}
        self._wanted: dict[Role, Hop] = {}  # to be registered at, as soon as the pace allows
        self._locating: dict[Role, asyncio.Task[None]] = {}
        plan = Plan(
            attempts=settings.max_registration_attempts,
            failback_after=float(settings.failback_after),
            secondary=Role.SECONDARY in self.servers,
            hot_standby=account.hot_standby,
        )
        self._machine = Failover(plan, self._random)
        self._failover = tools.context.driver(
            self._machine, self._carry_out, name=f"registration of {account.name}"
        )

    # --- orders ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to register."""
        self._failover.feed(self._machine.start)

    def stop(self) -> None:
        """Take leave of the registrars; nothing more is heard of them here."""
        self._failover.feed(self._machine.stop)
        for role in self.names:  # what these have taken the place of may have a binding yet
            self._leave(role)
        self._rest()

    def replace_by(self, other: "Registrations") -> None:
        """Give up without a word where the other one registers the same; take leave elsewhere."""
        self._rest()
        for name in self.names.values():
            if name not in other.names.values():
                self._tools.driver.feed(self._tools.endpoint.unregister, name)

    def network_changed(self, changes: Changes) -> None:
        """Register again, at once, unless it works and goes on to work the same way."""
        well = self.standing.state is RegistrationState.REGISTERED and self.standing.trouble is None
        if (
            changes.unknown
            or not well
            or any(self._moved(f, changes) for f in self._flows.values())
        ):
            self._failover.feed(self._machine.network_changed)

    @property
    def ways(self) -> list[tuple[Identity, Flow]]:
        """Who to be and where to send to by way of the servers that know us, the best first."""
        roles = [role for role, _ in self._machine.ways]
        return [(self._identities[role], self._flows[role]) for role in roles]

    @property
    def server(self) -> Server:
        """The one that the account is registered with, or was last tried."""
        return self.servers[self.standing.role]

    # --- news from the endpoint -----------------------------------------------------------------

    def registered(self, news: Registered) -> None:
        role = self._roles[news.name]
        self._identities[role] = news.identity
        if len(self.servers) > 1 and role in self._flows:
            flow, uri = self._flows[role], self._binding(role).registrar
            feed, endpoint = self._tools.driver.feed, self._tools.endpoint
            feed(endpoint.probe, news.name, flow, news.identity, uri)
        self._failover.feed(self._machine.registered, role, float(news.expires))

    def failed(self, news: RegistrationFailed) -> None:
        role = self._roles[news.name]
        self._failover.feed(
            self._machine.failed,
            role,
            news.trouble,
            news.status,
            news.words,
            retry_after=None if news.retry_after is None else float(news.retry_after),
        )

    def suspect(self, name: str) -> None:
        """The server does not answer any more."""
        self._failover.feed(self._machine.suspect, self._roles[name])

    def suspect_flow(self, flow: Flow) -> None:
        """The same, as a call has found."""
        for role, known in list(self._flows.items()):
            if known == flow:
                self._failover.feed(self._machine.suspect, role)

    def has_server(self, flow: Flow) -> bool:
        """Whether what comes this way comes from one of the servers."""
        known = [known.remote for known in self._flows.values()]
        if flow.transport.reliable:  # it has connected to us, from any port
            return any(remote.host == flow.remote.host for remote in known)
        return flow.remote in known

    # --- what failover wants --------------------------------------------------------------------

    def _carry_out(self, wish: Wish) -> None:
        match wish:
            case Locate(role):
                self._locate(role)
            case Register(role, hop):
                self._wanted[role] = hop
                self._tools.pace(lambda: self._register(role))
            case Unregister(role):
                self._leave(role)
            case Standing():
                before, self.standing = self.standing, wish
                self._tools.told(self, before)

    def _locate(self, role: Role) -> None:
        before = self._locating.pop(role, None)
        if before is not None:
            before.cancel()
        task = asyncio.get_running_loop().create_task(self._find(role))
        self._locating[role] = task

    async def _find(self, role: Role) -> None:
        host, port = host_and_port(self.servers[role].first_hop)
        transport, ipv6 = transport_of(self.account), self.account.prefer_ipv6
        try:
            hops = await self._tools.locator.locate(host, port, transport, prefer_ipv6=ipv6)
        except OSError as error:
            with self._because(f"{host} was not found"):
                self._failover.feed(self._machine.not_located, role, str(error))
        else:
            with self._because(f"{host} was found"):
                self._failover.feed(self._machine.located, role, hops)

    def _register(self, role: Role) -> None:
        hop = self._wanted.pop(role, None)
        if hop is None:
            return  # it was taken back meanwhile, or is under way already
        tools = self._tools
        flow = tools.transports.flow_to(hop.transport, hop.host, hop.port, server_name=hop.name)
        unreachable = RegistrationTrouble.UNREACHABLE
        if flow is None:
            words = f"there is no way to {hop.host}"
            self._failover.feed(self._machine.failed, role, unreachable, 0, words)
            return
        self._flows[role] = flow
        try:
            tools.driver.feed(tools.endpoint.register, self.names[role], self._binding(role), flow)
        except LocalProtocolError as error:
            refused = RegistrationTrouble.REFUSED
            self._failover.feed(self._machine.failed, role, refused, 0, str(error))

    def _leave(self, role: Role) -> None:
        self._wanted.pop(role, None)
        self._identities.pop(role, None)
        feed, endpoint = self._tools.driver.feed, self._tools.endpoint
        feed(endpoint.stop_probing, self.names[role])
        feed(endpoint.unregister, self.names[role])

    def _moved(self, flow: Flow, changes: Changes) -> bool:
        """Whether what went this way has to go another, or may have been cut off meanwhile."""
        flow_to, to = self._tools.transports.flow_to, flow.remote
        now = flow_to(flow.transport, to.host, to.port, server_name=flow.server_name)
        gone = now is None or now.local != flow.local
        return gone or flow.local.host in changes.returned

    def _binding(self, role: Role) -> Binding:
        return binding_of(
            self.account, role, expires=self._expires, instance_id=self._tools.instance_id
        )

    def _because(self, words: str) -> AbstractContextManager[object]:
        context = self._tools.context
        return context.trace.input("network", words, context.clock.now())

    def _rest(self) -> None:
        """Wait for nothing any more."""
        for task in self._locating.values():
            task.cancel()
        self._wanted.clear()
        self._failover.close()

    def _random(self) -> float:
        return int.from_bytes(self._tools.context.random_bytes(4)) / (1 << 32)


def _name(account: Account, server: Server, role: Role) -> str:
    """One for each binding: two accounts never share it, and a changed one keeps it."""
    return f"{role} {account.user_id}@{server.domain} at {server.registrar}"
