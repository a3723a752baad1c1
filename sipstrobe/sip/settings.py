"""What can be set about SIP: the switches, limits and accounts of the device."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import count
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field, structs
from msgspec.structs import force_setattr

from sipstrobe.errors import Problem
from sipstrobe.secret import Secret
from sipstrobe.sip.account import Account, Host, OneLine, OptionalHost
from sipstrobe.sip.account import problems as account_problems
from sipstrobe.sip.transport import Transport

MIN_SESSION_EXPIRES = 90  # seconds; RFC 4028 §4: nobody may ask for less
MAX_ACCOUNTS = 1000  # the page advises 100 at most (GAP-25)
ACCOUNT_ID: Final = "sip_account"  # how ids begin that the device gives


class TlsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TLS of all accounts (SAC-10, GAP-28)."""

    versions: Annotated[
        Literal["automatic", "1.2", "1.3"],
        Meta(title="Version", description="Automatic: the best that both sides can, from 1.2 up."),
    ] = "automatic"
    verify: Annotated[
        bool,
        Meta(
            title="Verify servers",
            description="Refuse servers whose certificate is not trusted or has another name.",
        ),
    ] = True
    authorities: Annotated[
        str,
        Meta(
            max_length=1 << 18,
            title="Trusted authorities",
            description="Certificates in PEM form; empty: those that the system trusts.",
        ),
    ] = ""
    certificate: Annotated[
        str,
        Meta(
            max_length=1 << 16,
            title="Certificate",
            description="The name of a certificate of the device, or one in PEM form with its"
            " chain; empty: the one that the device makes.",
        ),
    ] = ""
    private_key: Annotated[
        Secret, Meta(title="Private key", description="Of our certificate, in PEM form.")
    ] = field(default_factory=lambda: Secret(""))


class TurnServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relay for media (RFC 8656)."""

    address: Annotated[Host, Meta(title="Server")]
    transport: Annotated[Literal["udp", "tcp", "tls"], Meta(title="Transport")] = "udp"
    user: Annotated[OneLine, Meta(title="User")] = ""
    password: Annotated[Secret, Meta(title="Password")] = field(default_factory=lambda: Secret(""))


class NatSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How calls find their way through address translation (SIP-10, SIP-14, SIP-15, AMB-03)."""

    ice: Annotated[
        bool, Meta(title="ICE", description="Try all ways to the other side and take the best.")
    ] = False
    stun: Annotated[
        bool, Meta(title="STUN", description="Learn our public address from a server.")
    ] = False
    stun_server: Annotated[
        OptionalHost, Meta(title="STUN server", description="Host name or address.")
    ] = ""
    turn: Annotated[
        bool, Meta(title="TURN", description="Send media through a relay where nothing else works.")
    ] = False
    turn_servers: Annotated[tuple[TurnServer, ...], Meta(max_length=4, title="TURN servers")] = ()
    upnp: Annotated[
        bool, Meta(title="UPnP", description="Ask the router to let SIP and media in.")
    ] = False
    via_rewrite: Annotated[
        bool,
        Meta(
            title="Public address in Via",
            description="On: Via names the public address, such as 203.0.113.9, once it is known."
            " Off: always our own, such as 192.168.0.90.",
        ),
    ] = True
    contact_rewrite: Annotated[
        bool,
        Meta(
            title="Public address in Contact",
            description="On: others are told to call us at the public address, such as"
            " 203.0.113.9, once it is known. Off: at our own, such as 192.168.0.90.",
        ),
    ] = True


AccessEntry = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00-\x20\x7f]+$(?!\n)")
]


class AccessSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call (ACL-01…04, GAP-27)."""

    enabled: Annotated[bool, Meta(title="Use access list")] = False
    policy: Annotated[
        Literal["allow", "block"],
        Meta(
            title="Policy",
            description="Allow: only those in the list may call. Block: all but those.",
        ),
    ] = "allow"
    entries: Annotated[
        tuple[AccessEntry, ...],
        Meta(
            max_length=1000,
            title="Entries",
            description="Callers such as sip:10*@pbx.example or *@pbx.example; hosts such as"
            " 192.0.2.0/24, 2001:db8::/32 or *.example.",
        ),
    ] = ()


class SipSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SIP of the device."""

    enabled: Annotated[bool, Meta(title="Enable SIP", description="Make and receive calls.")] = (
        False
    )
    allow_incoming: Annotated[
        bool, Meta(title="Allow incoming calls", description="Let others call the device.")
    ] = False
    port: Annotated[
        int, Meta(ge=1024, le=65535, title="SIP port", description="UDP and TCP, not encrypted.")
    ] = 5060
    rtp_start_port: Annotated[
        int,
        Meta(
            ge=1024,
            le=65535,
            title="RTP start port",
            description="Port of the first media stream of a call.",
        ),
    ] = 4000
    calling_timeout: Annotated[
        int,
        Meta(
            ge=1,
            le=600,
            title="Calling timeout",
            description="Seconds that a call of ours may wait for an answer.",
        ),
    ] = 60
    ringing_timeout: Annotated[
        int,
        Meta(
            ge=1,
            le=600,
            title="Ringing timeout",
            description="Seconds that an incoming call may wait for an answer.",
        ),
    ] = 60
    incoming_duration_limit: Annotated[
        int,
        Meta(
            ge=1,
            le=600,
            title="Incoming call duration limit",
            description="Seconds after which an incoming call is ended.",
        ),
    ] = 600
    end_calls_after: Annotated[
        Annotated[int, Meta(ge=1, le=3600)] | None,
        Meta(
            title="End calls after",
            description="Seconds after which any call is ended; null: never.",
        ),
    ] = None
    max_calls: Annotated[
        int,
        Meta(
            ge=1,
            le=2000,
            title="Calls at once",
            description="Further calls are told to try again later.",
        ),
    ] = 250
    tls_port: Annotated[int, Meta(ge=1024, le=65535, title="TLS port")] = 5061
    websocket_port: Annotated[
        Annotated[int, Meta(ge=1024, le=65535)] | None,
        Meta(title="WebSocket port", description="For phones in browsers; null: none."),
    ] = None
    secure_websocket_port: Annotated[
        Annotated[int, Meta(ge=1024, le=65535)] | None,
        Meta(title="Secure WebSocket port", description="The same with TLS; null: none."),
    ] = None
    registration_interval: Annotated[
        int,
        Meta(
            ge=60,
            le=86400,
            title="Registration interval",
            description="Seconds for which all accounts ask to be registered.",
        ),
    ] = 3600
    max_registration_attempts: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            title="Attempts",
            description="Attempts to reach a server before that is reported as given up; after"
            " that it is tried more slowly.",
        ),
    ] = 10
    failback_after: Annotated[
        int,
        Meta(
            ge=1,
            le=86400,
            title="Failback after",
            description="Seconds until the primary server is tried again.",
        ),
    ] = 300
    calls_together: Annotated[
        Literal["mix", "first", "newest", "busy"],
        Meta(
            title="Several calls",
            description="Mix: all are heard. First: the one answered first is heard, others wait"
            " silently for their turn. Newest: the last one is heard. Busy: one call at a time,"
            " others are told that we are busy.",
        ),
    ] = "mix"
    auto_answer_headers: Annotated[
        bool,
        Meta(
            title="Obey auto-answer headers",
            description="Answer at once when the caller asks for it (RFC 5373, Alert-Info,"
            " Call-Info), also where the account does not answer automatically.",
        ),
    ] = True
    follow_transfers: Annotated[
        bool,
        Meta(title="Follow transfers", description="Call where the other side sends us (REFER)."),
    ] = False
    udp_to_tcp: Annotated[
        bool,
        Meta(
            title="Large requests over TCP",
            description="Send requests of more than 1300 bytes over TCP instead of UDP.",
        ),
    ] = True
    audio_direction: Annotated[
        Literal["both", "send", "receive"],
        Meta(
            title="Audio direction",
            description="Send: callers hear the device only. Receive: they are only heard.",
        ),
    ] = "both"
    dtmf_payload_type: Annotated[
        int,
        Meta(
            ge=96,
            le=127,
            title="DTMF payload type",
            description="What our offers call telephone events.",
        ),
    ] = 101
    session_expires: Annotated[
        int,
        Meta(
            ge=MIN_SESSION_EXPIRES,
            le=86400,
            title="Session interval",
            description="Seconds within which both sides must show that the call still exists.",
        ),
    ] = 1800
    session_refresher: Annotated[
        Literal["automatic", "local", "remote"],
        Meta(
            title="Session refresher",
            description="Who renews the session; automatic: whoever called, if able.",
        ),
    ] = "automatic"
    accounts: Annotated[
        tuple[Account, ...],
        Meta(max_length=MAX_ACCOUNTS, title="Accounts", description="Exactly one is the default."),
    ] = field(default_factory=lambda: (Account(default=True),))
    tls: Annotated[TlsSettings, Meta(title="TLS")] = field(default_factory=TlsSettings)
    nat: Annotated[NatSettings, Meta(title="Address translation")] = NatSettings()
    access: Annotated[AccessSettings, Meta(title="Access list")] = AccessSettings()

    def __post_init__(self) -> None:
        """GAP-29: a device without any account can still be called by its address. Accounts that
        have no id get one, which they keep."""
        if not self.accounts:
            force_setattr(self, "accounts", (Account(default=True),))
        if not _are_told_apart(self.accounts):
            force_setattr(self, "accounts", _told_apart(self.accounts))

    def port_of(self, transport: Transport) -> int | None:
        """Where we listen for what comes over this transport; None: nowhere."""
        match transport:
            case Transport.UDP | Transport.TCP:
                return self.port
            case Transport.TLS:
                return self.tls_port
            case Transport.WS:
                return self.websocket_port
            case Transport.WSS:
                return self.secure_websocket_port


def _are_told_apart(accounts: tuple[Account, ...]) -> bool:
    ids = {account.id for account in accounts}
    return "" not in ids and len(ids) == len(accounts)


def _told_apart(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """The same, each with an id of its own; of several with the same, the first keeps it."""
    taken = {account.id for account in accounts}
    free = (wanted for n in count() if (wanted := f"{ACCOUNT_ID}_{n}") not in taken)
    given: set[str] = {""}
    found: list[Account] = []
    for account in accounts:
        one = structs.replace(account, id=next(free)) if account.id in given else account
        given.add(one.id)
        found.append(one)
    return tuple(found)


def default_account(settings: SipSettings) -> Account:
    """The one that is used when none is named."""
    return next(account for account in settings.accounts if account.default)


def problems(settings: SipSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(settings))


def _problems(settings: SipSettings) -> Iterator[Problem]:
    defaults = [n for n, account in enumerate(settings.accounts) if account.default]
    if not defaults:
        yield Problem("/accounts", "one account must be the default")
    for n in defaults[1:]:
        yield Problem(f"/accounts/{n}/default", "only one account can be the default")
    seen: set[tuple[str, str]] = set()
    for n, account in enumerate(settings.accounts):
        if account.address in seen:
            yield Problem(f"/accounts/{n}/user_id", f"{account.user_id!r} is used already there")
        seen.add(account.address)
        yield from account_problems(account, f"/accounts/{n}")
    yield from _port_problems(settings)
    yield from _nat_problems(settings.nat)
    for n, entry in enumerate(settings.access.entries):
        if "/" in entry and "@" not in entry and not _is_network(entry):
            yield Problem(f"/access/entries/{n}", f"{entry!r} is no network such as 192.0.2.0/24")


def _port_problems(settings: SipSettings) -> Iterator[Problem]:
    taken = {settings.port: "the SIP port"}
    for name in ("tls_port", "websocket_port", "secure_websocket_port"):
        port: int | None = getattr(settings, name)
        if port in taken:
            yield Problem(f"/{name}", f"{port} is {taken[port]}")
        elif port is not None:
            taken[port] = f"/{name}"


def _nat_problems(nat: NatSettings) -> Iterator[Problem]:
    if nat.stun and not nat.stun_server:
        yield Problem("/nat/stun_server", "must name the STUN server")
    if nat.turn and not nat.turn_servers:
        yield Problem("/nat/turn_servers", "must name a TURN server")
    places = [("/nat/stun_server", nat.stun_server)]
    places += [
        (f"/nat/turn_servers/{n}/address", s.address) for n, s in enumerate(nat.turn_servers)
    ]
    for path, place in places:
        port = re.search(r":(\d+)$", place)
        if port and not 1 <= int(port[1]) <= 65535:
            yield Problem(path, f"{port[1]} is no port: from 1 to 65535")


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
