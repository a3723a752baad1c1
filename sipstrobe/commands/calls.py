"""Calls: served by services.phone."""

from dataclasses import dataclass

from sipstrobe.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Command):
    """Call an address. account: id or name of an account, None = the default one. -> the call's id

    Refused: sip_off, bad_uri, unknown_account, busy.
    """

    uri: str
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAndTell(Command):
    """Call an address, and let it hear a clip once it is answered. -> the call's id

    hang_up: the call ends after the clip. Served by services.announcer.
    Refused: unknown_clip, and as Dial is.
    """

    uri: str
    account: str | None = None
    clip: str
    hang_up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall(Command):
    """Answer a ringing call; None = the one that rings longest. -> None

    Refused: unknown_call, not_ringing.
    """

    call: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Command):
    """End a call, whatever its state; None = all calls. -> None

    tolerant: no fault if it has ended already. Refused: unknown_call.
    """

    call: str | None = None
    tolerant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDigits(Command):
    """Send DTMF in an active call, in the way of its account; None = every active call. -> None

    Telephone events if the other side takes them, else INFO or tones if the account has these.
    Refused: unknown_call, not_active, digits, no_way (the account or the other side has none).
    """

    call: str | None = None
    digits: str  # 0–9, A–D, *, #; a comma is a pause of 2 s
