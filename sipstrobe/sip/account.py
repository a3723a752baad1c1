"""One account: who the device is when it calls and is called (SAC-01…13)."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.secret import Secret

# A host name or address, with a port if it is not the usual one; IPv6 in brackets.
HOST = r"^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$(?!\n)"
Host = Annotated[str, Meta(pattern=HOST)]
OptionalHost = Annotated[str, Meta(pattern=HOST + r"|^$(?!\n)")]
MAX_PORT = 65535
OneLine = Annotated[str, Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Codec = Literal["opus", "G722", "PCMU", "PCMA", "G726-32", "L16/16000", "L16/8000", "L16/48000"]


class Proxy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proxy that requests of an account go through (SAC-13)."""

    address: Annotated[Host, Meta(title="Address", description="Host name or address.")]
    user: Annotated[OneLine, Meta(title="User")] = ""
    password: Annotated[Secret, Meta(title="Password")] = field(default_factory=lambda: Secret(""))


class Caller(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call an account that asks its callers for a password."""

    user: Annotated[OneLine, Meta(min_length=1, title="User")]
    password: Annotated[Secret, Meta(title="Password")]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the device is when it calls and is called."""

    name: Annotated[
        str, Meta(min_length=1, max_length=64, title="Name", description="Shown in lists.")
    ] = "peer-to-peer"
    enabled: Annotated[
        bool, Meta(title="Active", description="An inactive account is neither called nor calls.")
    ] = True
    kind: Annotated[
        Literal["peer_to_peer", "registered"],
        Meta(
            title="Kind",
            description="Peer-to-peer: called and calling by address. Registered: with a PBX.",
        ),
    ] = "peer_to_peer"
    user_id: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=r"^[A-Za-z0-9\-_.!~*'()&=+$,;?/]*$(?!\n)",
            title="User ID",
            description="User part of the address that the device calls from; the extension.",
        ),
    ] = "sipstrobe"
    authentication_id: Annotated[
        OneLine,
        Meta(
            title="Authentication ID",
            description="The name that goes with the password; empty: the user ID.",
        ),
    ] = ""
    password: Annotated[Secret, Meta(title="Password")] = field(default_factory=lambda: Secret(""))
    caller_id: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            title="Caller ID",
            description="The name that called phones display.",
        ),
    ] = ""
    domain: Annotated[
        OptionalHost,
        Meta(title="Domain", description="The part of the address after @; of the PBX."),
    ] = ""
    registrar: Annotated[
        OptionalHost,
        Meta(title="Registrar", description="Where to register; empty: at the domain."),
    ] = ""
    secondary_domain: Annotated[
        OptionalHost,
        Meta(title="Secondary domain", description="Used with the secondary server."),
    ] = ""
    secondary_registrar: Annotated[
        OptionalHost,
        Meta(title="Secondary server", description="Tried when registration at the first fails."),
    ] = ""
    hot_standby: Annotated[
        bool,
        Meta(
            title="Hot standby",
            description="Be registered with both servers at once, so that no call is missed.",
        ),
    ] = False
    proxies: Annotated[
        tuple[Proxy, ...],
        Meta(max_length=8, title="Proxies", description="In the order of the way to the server."),
    ] = ()
    secondary_proxies: Annotated[
        tuple[Proxy, ...],
        Meta(max_length=8, title="Secondary proxies", description="With the secondary server."),
    ] = ()
    transport: Annotated[
        Literal["udp", "tcp", "tls", "ws", "wss"],
        Meta(title="Transport", description="How outgoing requests are sent."),
    ] = "udp"
    sips: Annotated[
        bool,
        Meta(
            title="SIPS",
            description="Be a sips: address, encrypted on each part of the way; implies TLS.",
        ),
    ] = False
    prefer_ipv6: Annotated[
        bool,
        Meta(title="Prefer IPv6", description="For names that have addresses of both kinds."),
    ] = False
    media_encryption: Annotated[
        Literal["none", "best_effort", "mandatory"],
        Meta(
            title="Media encryption",
            description="Best effort: encrypted where the other side can. Mandatory: or no call.",
        ),
    ] = "none"
    media_keys: Annotated[
        Literal["sdes", "dtls"],
        Meta(
            title="Keys of the media",
            description="What we offer: keys in the signalling (SDES) or a handshake (DTLS-SRTP).",
        ),
    ] = "sdes"
    codecs: Annotated[
        tuple[Codec, ...],
        Meta(
            min_length=1,
            max_length=8,
            title="Codecs",
            description="Preferred ones first, in offers; of those offered, the caller decides.",
        ),
    ] = ("opus", "G722", "PCMU", "PCMA", "G726-32")  # L16 is dear, and INVITEs should stay small
    dtmf_rtp: Annotated[
        bool, Meta(title="DTMF in RTP", description="Digits as telephone events (RFC 4733).")
    ] = True
    dtmf_info: Annotated[
        bool, Meta(title="DTMF in INFO", description="Digits in SIP INFO requests.")
    ] = True
    dtmf_inband: Annotated[
        bool,
        Meta(
            title="DTMF as tones",
            description="Digits that are only heard, by phones and lines that know no other way.",
        ),
    ] = False
    answer_automatically: Annotated[
        bool, Meta(title="Answer automatically", description="Accept calls without a rule.")
    ] = True
    callers: Annotated[
        tuple[Caller, ...],
        Meta(
            max_length=32,
            title="Callers with passwords",
            description="If there are any, only they may call; they are asked for the password.",
        ),
    ] = ()
    callers_sha2: Annotated[
        bool,
        Meta(
            title="Ask callers in SHA-2 as well",
            description="Offer SHA-512-256 and SHA-256 before MD5 (RFC 8760). Off, since many"
            " phones give up when they are offered what they do not know.",
        ),
    ] = False
    default: Annotated[
        bool, Meta(title="Default", description="Used when a call names no account.")
    ] = False
    id: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            title="Id",
            description="What control programs call it, whatever its name; given when it is made.",
        ),
    ] = ""
    dtmf_configuration: Annotated[
        str,
        Meta(
            max_length=80,
            pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)",
            title="DTMF configuration",
            description="That which control programs have given it; empty: that of its kind.",
        ),
    ] = ""

    @property
    def address(self) -> tuple[str, str]:
        """What no two accounts share: the user, and the place where that is its name, "" for this
        device itself."""
        place = (self.domain or self.registrar) if self.kind == "registered" else ""
        return self.user_id, place.lower().rstrip(".")

    @property
    def registers(self) -> bool:
        """GAP-29: without registrar and domain there is nowhere to register."""
        return self.enabled and self.kind == "registered" and bool(self.registrar or self.domain)


def problems(account: Account, path: str) -> Iterator[Problem]:
    """What single fields cannot say about themselves."""
    if account.sips and account.transport not in ("tls", "wss"):
        yield Problem(f"{path}/sips", "needs the transport tls or wss")
    if account.media_encryption != "none" and account.transport not in ("tls", "wss"):
        yield Problem(f"{path}/media_encryption", "needs the transport tls or wss")
    if account.hot_standby and not (account.secondary_registrar or account.secondary_domain):
        yield Problem(f"{path}/hot_standby", "needs a secondary server or domain")
    for place, text in _places(account):
        port = text.rpartition(":")[2] if re.search(r":[0-9]+$", text) else ""
        if port and not 1 <= int(port) <= MAX_PORT:
            yield Problem(f"{path}/{place}", f"the port {port} is not within 1…{MAX_PORT}")
    if len(set(account.codecs)) != len(account.codecs):
        yield Problem(f"{path}/codecs", "must name each codec once")


def _places(account: Account) -> Iterator[tuple[str, str]]:
    """Every host of an account that may name a port."""
    for name in ("domain", "registrar", "secondary_domain", "secondary_registrar"):
        yield name, getattr(account, name)
    for name, proxies in (
        ("proxies", account.proxies),
        ("secondary_proxies", account.secondary_proxies),
    ):
        for n, proxy in enumerate(proxies):
            yield f"{name}/{n}/address", proxy.address
