"""What can be set about SIP: the switches, limits and accounts of the device."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sipstrobe.errors import Problem

MIN_SESSION_EXPIRES = 90  # seconds; RFC 4028 §4: nobody may ask for less


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the device is when it calls and is called."""

    name: Annotated[
        str, Meta(min_length=1, max_length=64, title="Name", description="Shown in lists.")
    ] = "peer-to-peer"
    kind: Annotated[
        Literal["peer_to_peer"],
        Meta(title="Kind", description="Peer-to-peer: called and calling by address."),
    ] = "peer_to_peer"
    user_id: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=r"^[A-Za-z0-9\-_.!~*'()&=+$,;?/]*$",
            title="User ID",
            description="User part of the address that the device calls from.",
        ),
    ] = "sipstrobe"
    caller_id: Annotated[
        str,
        Meta(
            max_length=64,
            pattern=r"^[^\x00-\x1f\x7f]*$",
            title="Caller ID",
            description="The name that called phones display.",
        ),
    ] = ""
    transport: Annotated[
        Literal["udp", "tcp"], Meta(title="Transport", description="How outgoing calls are sent.")
    ] = "udp"
    answer_automatically: Annotated[
        bool, Meta(title="Answer automatically", description="Accept calls without a rule.")
    ] = True
    default: Annotated[
        bool, Meta(title="Default", description="Used when a call names no account.")
    ] = False


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
    udp_to_tcp: Annotated[
        bool,
        Meta(
            title="Large requests over TCP",
            description="Send requests of more than 1300 bytes over TCP instead of UDP.",
        ),
    ] = True
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
        Meta(max_length=100, title="Accounts", description="Exactly one is the default."),
    ] = (Account(default=True),)


def problems(settings: SipSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(settings))


def _problems(settings: SipSettings) -> Iterator[Problem]:
    if not settings.accounts:
        yield Problem("/accounts", "must hold at least one account")
    defaults = [n for n, account in enumerate(settings.accounts) if account.default]
    if settings.accounts and not defaults:
        yield Problem("/accounts", "one account must be the default")
    for n in defaults[1:]:
        yield Problem(f"/accounts/{n}/default", "only one account can be the default")
    seen: set[str] = set()
    for n, account in enumerate(settings.accounts):
        if account.user_id in seen:
            yield Problem(f"/accounts/{n}/user_id", f"{account.user_id!r} is used already")
        seen.add(account.user_id)
