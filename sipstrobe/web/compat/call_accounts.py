"""Accounts of /vapix/call, and how they stand (SAC-01…13, GAP-28…30)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Literal

from msgspec import structs

from sipstrobe.config.certificates import OWN as OWN_CERTIFICATE
from sipstrobe.secret import Secret
from sipstrobe.sip.account import Account, Proxy
from sipstrobe.sip.settings import ACCOUNT_ID, SipSettings, TlsSettings
from sipstrobe.web.compat.call_commands import Command, Found, Kind, free_id, id_in
from sipstrobe.web.compat.call_digit_sets import forget_account, give_set, rename, set_id
from sipstrobe.web.compat.call_draft import Desk, Draft
from sipstrobe.web.compat.call_form import Arguments, Values, invalid, unsupported
from sipstrobe.web.compat.call_standing import KEY, NO_STANDING, own_host, standing_told

ENCRYPTIONS: Final = {
    "none": "None",
    "best_effort": "SRTPBestEffort",
    "mandatory": "SRTPMandatory",
}
_TRANSPORTS: Final = ("udp", "tcp", "tls")
_TEXTS: Final = {  # the API's name -> ours
    "Name": "name",
    "CallerId": "caller_id",
    "UserId": "user_id",
    "AuthenticationId": "authentication_id",
    "SecondaryRegistrar": "secondary_registrar",
    "SecondaryPublicDomain": "secondary_domain",
}
_PLACES: Final = {"Registrar": "registrar", "PublicDomain": "domain"}  # null where they are empty
_FLAGS: Final = {
    "Enabled": "enabled",
    "AutoAnswerEnabled": "answer_automatically",
    "SIPSEnabled": "sips",
    "PrioritizeIPv6": "prefer_ipv6",
}
_PROXIES: Final = {"SIPProxies": "proxies", "SecondarySIPProxies": "secondary_proxies"}
_Versions = Literal["automatic", "1.2", "1.3"]
_PROTOCOLS: Final[Mapping[_Versions, str]] = {
    "automatic": "TLSv12,TLSv13",
    "1.2": "TLSv12",
    "1.3": "TLSv13",
}
_OLD_PROTOCOLS: Final = ("TLSv1", "TLSv11")  # which this device does not speak

Standings = Callable[[], Sequence[Mapping[str, object]]]


class Accounts:
    """The commands about accounts. standings: how each stands with its registrar."""

    def __init__(self, desk: Desk, standings: Standings) -> None:
        self._desk = desk
        self._standings = standings

    def commands(self) -> dict[str, Command]:
        accounts = Kind(
            name="SIPAccount",
            key=KEY,
            found=self._accounts,
            put=lambda given: self._desk.put(put_account, given),
            remove=lambda ids: self._desk.remove(remove_accounts, ids),
        )
        statuses = Kind(name="SIPAccountStatus", key=KEY, found=self._statuses, plural="es")
        return accounts.commands() | statuses.commands()

    def _accounts(self) -> Found:
        sip = self._desk.settings.sip
        return {account.id: partial(account_told, account, sip.tls) for account in sip.accounts}

    def _statuses(self) -> Found:
        sip = self._desk.settings.sip
        here = own_host(sip.port)
        told = iter(self._standings())
        found: dict[str, Callable[[], Values]] = {}
        for account in sip.accounts:  # both are in the order of the settings
            standing = next(told, NO_STANDING)
            fits = standing.get("account") == account.name
            found[account.id] = partial(
                standing_told, account, standing if fits else NO_STANDING, sip, here
            )
        return found


# --- what is told ---------------------------------------------------------------------------------


def account_told(account: Account, tls: TlsSettings) -> Values:
    """All of an account but its passwords, which nobody is told."""
    registered = account.kind == "registered"
    return {
        "Id": account.id,
        **{name: getattr(account, ours) for name, ours in _TEXTS.items()},
        "Password": None,
        **{name: (registered and getattr(account, ours)) or None for name, ours in _PLACES.items()},
        **{name: _proxies_told(getattr(account, ours)) for name, ours in _PROXIES.items()},
        **{name: getattr(account, ours) for name, ours in _FLAGS.items()},
        "IsDefault": account.default,
        "Transport": account.transport,
        "StreamParameters": "",
        "AllowMWI": False,
        "DTMFConfigurationId": set_id(account),
        "MediaEncryption": ENCRYPTIONS[account.media_encryption],
        "Certificate": _certificate_told(tls),
        "EncryptionProtocols": _PROTOCOLS[tls.versions],
        "VerifyServerCertificate": tls.verify,
        "Attribute": [],
    }


def _proxies_told(proxies: tuple[Proxy, ...]) -> list[Values]:
    return [{"Server": p.address, "Username": p.user, "Password": None} for p in proxies]


def _certificate_told(tls: TlsSettings) -> str:
    """Its name; empty for one that has none, being in the settings itself."""
    return "" if tls.certificate.lstrip().startswith("-----") else tls.certificate


# --- what is changed ------------------------------------------------------------------------------


def put_account(draft: Draft, given: Arguments) -> str:
    """Change an account, or make one. What is not said stays as it is."""
    _refuse_unknown(given)
    known = {account.id: account for account in draft.accounts}
    wanted = id_in(given, KEY) or free_id(ACCOUNT_ID, known)
    before = known.get(wanted)
    if before is None:
        user = given.text("UserId")
        before = Account(id=wanted, user_id=user, name=user or wanted)
        draft.accounts.append(before)
    after = structs.replace(before, **dict(_changes(before, given)))
    draft.accounts = [after if one.id == wanted else one for one in draft.accounts]
    if after.name != before.name:
        rename(draft, before.name, after.name)
    if after.default and not before.default:
        _make_default(draft, wanted)
    draft.tls = structs.replace(draft.tls, **dict(_tls_changes(draft, given)))
    if "DTMFConfigurationId" in given and given.text("DTMFConfigurationId"):
        give_set(draft, after, given.text("DTMFConfigurationId"))
    return wanted


def remove_accounts(draft: Draft, ids: Collection[str]) -> None:
    """If that was the default one, the first that is left is it; of none there is a new one."""
    gone = [account for account in draft.accounts if account.id in ids]
    if not gone:
        return
    draft.accounts = [account for account in draft.accounts if account.id not in ids]
    if not draft.accounts:
        draft.accounts = list(SipSettings().accounts)
    if not any(account.default for account in draft.accounts):
        _make_default(draft, draft.accounts[0].id)
    for account in gone:
        forget_account(draft, account)


def _make_default(draft: Draft, wanted: str) -> None:
    draft.accounts = [structs.replace(one, default=one.id == wanted) for one in draft.accounts]


def _refuse_unknown(given: Arguments) -> None:
    if "AllowMWI" in given and given.flag("AllowMWI"):
        raise unsupported("AllowMWI: waiting messages are not told of")
    if "StreamParameters" in given and given.text("StreamParameters"):
        raise unsupported("StreamParameters: there is no video")


def _changes(before: Account, given: Arguments) -> Iterator[tuple[str, object]]:
    """What of an account is to be otherwise."""
    for name, ours in _TEXTS.items():
        if name in given and not (name == "Name" and not given.text(name)):
            yield ours, given.text(name)
    for name, ours in _FLAGS.items():
        if name in given:
            yield ours, given.flag(name)
    for name, ours in _PROXIES.items():
        if name in given:
            yield ours, _proxies(name, given, getattr(before, ours))
    yield from _place(before, given)
    yield from _encryption(before, given)
    if "Password" in given:
        yield "password", Secret(given.text("Password"))
    if "IsDefault" in given and given.flag("IsDefault"):
        yield "default", True


def _place(before: Account, given: Arguments) -> Iterator[tuple[str, object]]:
    """GAP-29: with neither registrar nor domain, an account is called by its address."""
    places = {ours: getattr(before, ours) for ours in _PLACES.values()}
    said = [name for name in _PLACES if name in given or given.is_null(name)]
    for name in said:
        places[_PLACES[name]] = given.text(name) if name in given else ""
    if said:
        kind = "registered" if any(places.values()) else "peer_to_peer"
        yield from (*places.items(), ("kind", kind))


def _encryption(before: Account, given: Arguments) -> Iterator[tuple[str, object]]:
    transport = before.transport
    if "Transport" in given:
        wanted = given.text("Transport").lower()
        if wanted not in (*_TRANSPORTS, transport):
            raise invalid(f"Transport must be one of {', '.join(_TRANSPORTS)}")
        transport = wanted
    sips = given.flag("SIPSEnabled") if "SIPSEnabled" in given else before.sips
    yield "transport", "tls" if sips and transport != "wss" else transport
    if "MediaEncryption" in given:
        wanted = given.text("MediaEncryption")
        ours = next((ours for ours, name in ENCRYPTIONS.items() if name == wanted), None)
        if ours is None:
            raise invalid(f"MediaEncryption must be one of {', '.join(ENCRYPTIONS.values())}")
        yield "media_encryption", ours


def _proxies(name: str, given: Arguments, before: tuple[Proxy, ...]) -> tuple[Proxy, ...]:
    """A proxy whose password is not said keeps the one that it had with this name."""
    passwords = {(proxy.address, proxy.user): proxy.password for proxy in before}
    found: list[Proxy] = []
    for one in given.objects(name):
        server = one.text("Server")
        user = one.text("Username") if "Username" in one else ""
        password = passwords.get((server, user), Secret(""))
        if "Password" in one:
            password = Secret(one.text("Password"))
        found.append(Proxy(address=server, user=user, password=password))
    return tuple(found)


def _tls_changes(draft: Draft, given: Arguments) -> Iterator[tuple[str, object]]:
    """What all accounts share."""
    tls = draft.tls
    if "VerifyServerCertificate" in given:
        yield "verify", given.flag("VerifyServerCertificate")
    if "EncryptionProtocols" in given and given.text("EncryptionProtocols"):
        yield "versions", _versions(given.text("EncryptionProtocols"))
    if "Certificate" in given and given.text("Certificate") != _certificate_told(tls):
        name = given.text("Certificate")
        ready = {one.name for one in draft.before.certificates if one.certificate}
        if name not in ready | {"", OWN_CERTIFICATE}:
            raise invalid(f"Certificate: there is no certificate {name[:64]!r}")
        yield "certificate", name


def _versions(text: str) -> _Versions:
    """Of a list of protocols, those that are spoken here."""
    named = {protocol.strip() for protocol in text.split(",")}
    known = set(_PROTOCOLS["automatic"].split(","))
    strange = named - known - set(_OLD_PROTOCOLS)
    spoken = ",".join(sorted(named & known))
    for versions, names in _PROTOCOLS.items():
        if names == spoken and not strange:
            return versions
    raise invalid(f"EncryptionProtocols must name one of {', '.join(sorted(known))}")
