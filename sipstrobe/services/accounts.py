"""The accounts: who we are to whom, registered where, and which way calls of each one go.

Publishes: RegistrationChanged.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta

from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import RegistrationChanged, RegistrationState
from sipstrobe.machine import Driver
from sipstrobe.services.locator import Locator
from sipstrobe.services.network import Changes
from sipstrobe.services.pace import Pace
from sipstrobe.services.registrations import Registrations, Tools
from sipstrobe.services.transports import SipTransports
from sipstrobe.services.ways import Way, Ways
from sipstrobe.sip.account import Account
from sipstrobe.sip.challenge import ALGORITHMS, MD5_ONLY, Callers
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.failover import Standing
from sipstrobe.sip.identity import Registered, RegistrationFailed, Unregistered
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import Output, ServerSilent
from sipstrobe.sip.servers import credentials_of, host_and_port, identity_at, servers_of
from sipstrobe.sip.settings import SipSettings, default_account
from sipstrobe.sip.transport import Flow
from sipstrobe.sip.uri import Uri, user_of
from sipstrobe.sip.words import standing_words

logger = logging.getLogger(__name__)

Address = tuple[str, str]  # of an account: user, and where that is its name
_REALM = "sipstrobe"  # of callers' passwords, where an account has no domain


class Accounts:
    """All accounts of the device."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
        locator: Locator,
        instance_id: str,
    ) -> None:
        """instance_id: a URN that no other device has (RFC 5626 §4.1)."""
        self._context = context
        self._ways = Ways(locator, transports)
        self._settings = SipSettings()
        self._seen: dict[
            Address, tuple[Standing | None, Mapping[str, object]]
        ] = {}  # for snapshots
        self._pace = Pace(context.clock)
        self._starts = Pace(context.clock)  # a thousand at once would hold up all else
        self._asks_callers = False
        self._active: dict[Address, Account] = {}  # the default one first
        self._by_user: dict[str, list[Account]] = {}  # the same
        self._registrations: dict[Address, Registrations] = {}
        self._by_name: dict[str, Registrations] = {}  # by the endpoint's name of a binding
        self._tools = Tools(
            *(context, driver, endpoint, transports, locator, instance_id),
            pace=self._pace,
            told=self._tell,
        )
        context.measures.family(
            "sip_accounts", "Accounts that register, by how they stand", "state", self._standings
        )

    # --- settings and life ----------------------------------------------------------------------

    def apply(self, wanted: SipSettings) -> None:
        """Bring settings into effect; accounts that they do not change stay as they are."""
        before, self._settings = self._settings, wanted
        self._seen.clear()
        active = [account for account in wanted.accounts if account.enabled and wanted.enabled]
        active.sort(key=lambda account: not account.default)
        self._active = {account.address: account for account in active}
        self._by_user = {}
        for account in active:
            self._by_user.setdefault(account.user_id, []).append(account)
        self._asks_callers = any(account.callers for account in active)
        registering = {address: a for address, a in self._active.items() if a.registers}
        for address in self._registrations.keys() - registering.keys():
            self._forget(address)
        same = _common(before) == _common(wanted)
        for address, account in registering.items():
            known = self._registrations.get(address)
            if known is not None and same and _part(known.account) == _part(account):
                known.account = account
            else:
                self._begin(address, account)
        if _ports(before) != _ports(wanted):
            self.network_changed(Changes(unknown=True))

    def stop(self) -> None:
        """Take leave of all registrars."""
        self._starts.close()
        self._pace.close()
        for address in list(self._registrations):
            self._forget(address)

    def network_changed(self, changes: Changes) -> None:
        """Register anew, at once, what is not registered, or by a link or address that was lost."""
        for registrations in list(self._registrations.values()):
            registrations.network_changed(changes)

    def snapshot(self) -> list[Mapping[str, object]]:
        """How all accounts stand, in the order of the settings: the items of RegistrationChanged.

        problem: in words, empty if there is none.
        """
        return [self._described(account) for account in self._settings.accounts]

    # --- questions ------------------------------------------------------------------------------

    def named(self, name: str | None) -> Account:
        """The account of this id or name; None: the default one. Raises CommandRefused."""
        if name is None:
            return default_account(self._settings)
        accounts = self._settings.accounts
        found = [a for a in accounts if a.id == name] or [a for a in accounts if a.name == name]
        if not found:
            raise CommandRefused("unknown_account", f"there is no account {name!r}")
        return found[0]

    def called_by(self, request: Request, flow: Flow) -> Account | None:
        """The account that a request from outside is for; None: there is no such.

        By the user that is asked for, then by the one it was first addressed to, then by the
        server that it comes from; what remains is for an account that is called by address.
        """
        for uri in (request.request_uri, request.to.uri):
            namesakes = self._by_user.get(user_of(uri))
            if namesakes is not None:
                return self._meant(namesakes, request, flow)
        for registrations in self._registrations.values():
            if registrations.has_server(flow):
                return registrations.account
        return next((a for a in self._active.values() if not a.registers), None)

    def _meant(self, namesakes: list[Account], request: Request, flow: Flow) -> Account:
        """Which of the accounts with the user that is asked for: that of the server which a
        request comes from, then of the domain that it names, then one that is called by address.
        """
        if len(namesakes) == 1:
            return namesakes[0]
        hosts = {request.request_uri.host.lower(), request.to.uri.host.lower()}

        def fitness(account: Account) -> tuple[bool, bool, bool]:
            registrations = self._registrations.get(account.address)
            served = registrations is not None and registrations.has_server(flow)
            named = host_and_port(account.address[1])[0] in hosts
            return served, named, not account.registers

        return max(namesakes, key=fitness)

    def callers_of(self, request: Request, flow: Flow) -> Callers | None:
        """Who may call the account that a request is for; None: everybody."""
        account = self.called_by(request, flow) if self._asks_callers else None
        if account is None or not account.callers:
            return None
        passwords = {caller.user: caller.password for caller in account.callers}
        algorithms = ALGORITHMS if account.callers_sha2 else MD5_ONLY
        return Callers(account.domain or _REALM, passwords, algorithms)

    def ways(self, account: Account, uri: Uri) -> AsyncGenerator[Way]:
        """The ways from an account to an address, the best first; see `Ways`."""
        registrations = self._registrations.get(account.address)
        known = registrations.ways if registrations is not None else []
        return self._ways.find(account, uri, known)

    def unreachable(self, account: Account, flow: Flow) -> None:
        """A call has found that there is no answer this way."""
        registrations = self._registrations.get(account.address)
        if registrations is not None:
            registrations.suspect_flow(flow)

    # --- news from the endpoint -----------------------------------------------------------------

    def registered(self, news: Registered) -> None:
        if registrations := self._by_name.get(news.name):
            registrations.registered(news)

    def failed(self, news: RegistrationFailed) -> None:
        if registrations := self._by_name.get(news.name):
            logger.debug("%s: %d %s", news.name, news.status, news.words)
            registrations.failed(news)

    def unregistered(self, news: Unregistered) -> None:
        logger.debug("%s: %d %s, no longer registered", news.name, news.status, news.words)

    def silent(self, news: ServerSilent) -> None:
        for name in news.names:
            if registrations := self._by_name.get(name):
                registrations.suspect(name)

    # --- steps ----------------------------------------------------------------------------------

    def _standings(self) -> Mapping[str, float]:
        return Counter(one.standing.state.value for one in self._registrations.values())

    def _begin(self, address: Address, account: Account) -> None:
        registrations = Registrations(self._tools, account, self._settings)
        before = self._registrations.get(address)
        if before is not None:
            before.replace_by(registrations)
            self._drop_names(before)
        self._registrations[address] = registrations
        self._by_name |= dict.fromkeys(registrations.names.values(), registrations)
        cause = self._context.trace.current

        def start() -> None:
            if self._registrations.get(address) is registrations:
                with self._context.trace.because(cause):
                    registrations.start()

        self._starts(start)

    def _forget(self, address: Address) -> None:
        registrations = self._registrations.pop(address)
        registrations.stop()
        self._drop_names(registrations)

    def _drop_names(self, registrations: Registrations) -> None:
        for name in registrations.names.values():
            if self._by_name.get(name) is registrations:
                del self._by_name[name]

    # --- telling --------------------------------------------------------------------------------

    def _tell(self, registrations: Registrations, before: Standing) -> None:
        event, standing = self._event(registrations.account, registrations), registrations.standing
        same = (standing.state, standing.trouble) == (before.state, before.trouble)
        passing = same or standing.state in (RegistrationState.TRYING, RegistrationState.OFF)
        level = logging.DEBUG if passing else logging.INFO
        logger.log(level, "account %s: %s", event.account, event.words)
        self._context.bus.publish(event)

    def _described(self, account: Account) -> Mapping[str, object]:
        """As it was described last, unless it stands otherwise by now."""
        registrations = self._registrations.get(account.address)
        standing = registrations.standing if registrations is not None else None
        seen = self._seen.get(account.address)
        if seen is None or seen[0] is not standing:
            seen = self._seen[account.address] = (standing, self._describe(account, registrations))
        return seen[1]

    def _describe(
        self, account: Account, registrations: Registrations | None = None
    ) -> Mapping[str, object]:
        registrations = registrations or self._registrations.get(account.address)
        event = self._event(account, registrations)
        fine = event.state in (RegistrationState.OFF, RegistrationState.TRYING)
        fine = fine or (registrations is not None and registrations.standing.trouble is None)
        return event.items() | {"problem": "" if fine else event.words}

    def _event(self, account: Account, registrations: Registrations | None) -> RegistrationChanged:
        if registrations is None:
            if not account.enabled:
                words = "is not active"
            elif not self._settings.enabled:
                words = "SIP is switched off"
            elif account.kind == "registered":
                words = "has neither registrar nor domain"
            else:
                words = "is called by address"
            return RegistrationChanged(
                account=account.name,
                state=RegistrationState.OFF,
                server="",
                uri="",
                code=0,
                words=words,
                until="",
            )
        standing, server = registrations.standing, registrations.server
        until = self._instant(standing)
        return RegistrationChanged(
            account=account.name,
            state=standing.state,
            server=server.registrar,
            uri=identity_at(account, server).uri,
            code=standing.status,
            words=standing_words(
                standing, until=until[11:16], password=bool(credentials_of(account, ()))
            ),
            until=until,
        )

    def _instant(self, standing: Standing) -> str:
        """When the registration ends, by the clock on the wall here."""
        if standing.until is None:
            return ""
        clock = self._context.clock
        at = clock.wall() + timedelta(seconds=standing.until - clock.now())
        return at.astimezone().isoformat(timespec="seconds")


def _ports(settings: SipSettings) -> tuple[int | None, ...]:
    """Those that Contact may name."""
    return (settings.port, settings.tls_port, settings.websocket_port)


def _common(settings: SipSettings) -> tuple[object, ...]:
    """What all registrations depend on."""
    return (
        settings.registration_interval,
        settings.max_registration_attempts,
        settings.failback_after,
    )


def _part(account: Account) -> tuple[object, ...]:
    """What the registrations of an account depend on."""
    return (
        *(account.name, account.user_id, account.authentication_id, account.password),
        *(account.caller_id, account.transport, account.sips, account.prefer_ipv6),
        *(account.hot_standby, servers_of(account)),
    )
