"""The calls of /vapix/call: to make, answer and end them, to press keys, and how they stand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import AnswerCall, Dial, HangUp, SendDigits
from sipstrobe.commands import Command as Order
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallReason, CallStatus
from sipstrobe.sip.settings import SipSettings
from sipstrobe.web.compat.call_book import CallBook, Entry
from sipstrobe.web.compat.call_codecs import codec_told
from sipstrobe.web.compat.call_commands import Command, Found, Kind
from sipstrobe.web.compat.call_draft import Desk
from sipstrobe.web.compat.call_form import (
    Arguments,
    Values,
    failed,
    invalid,
    not_found,
    unsupported,
)
from sipstrobe.web.compat.call_standing import KEY as ACCOUNT
from sipstrobe.web.compat.call_standing import own_host, uri_of
from sipstrobe.web.views import CallView

VMS_CALL: Final = "VMS_CALL"  # a call that is none, made up of streams
SOURCE: Final = "NetworkSpeaker"
_STATES: Final[Mapping[str, str]] = {
    CallStatus.IDLE: "Idle",
    CallStatus.CALLING: "Calling",
    CallStatus.RINGING: "Ringing",
    CallStatus.PIN: "Ringing",  # the device has not accepted it yet
    CallStatus.ACTIVE: "Active",
    CallStatus.TERMINATED: "Terminated",
}
_BLAMES: Final = ("bad_uri", "digits")  # refusals of what the client has said


class Calls:
    """The commands about calls."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: Clock,
        desk: Desk,
        book: CallBook,
        running: Callable[[], Sequence[CallView]],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._desk = desk
        self._book = book
        self._running = running

    def commands(self) -> dict[str, Command]:
        statuses = Kind(name="CallStatus", key="CallId", found=self._statuses, plural="es")
        return {
            **statuses.commands(),
            "Call": Command(self._call),
            "TerminateCall": Command(self._terminate),
            "AnswerCall": Command(self._answer),
            "SendDTMF": Command(self._send),
        }

    # --- orders ---------------------------------------------------------------------------------

    def _call(self, given: Arguments) -> Values:
        to = given.text("To")
        if to == VMS_CALL:
            raise unsupported(f"{VMS_CALL}: calls are SIP calls here")
        account = given.text(ACCOUNT) if ACCOUNT in given else ""
        if account and account not in {a.id for a in self._desk.settings.sip.accounts}:
            raise not_found("account", account)
        return {"CallId": self._order(Dial(uri=to, account=account or None))}

    def _terminate(self, given: Arguments) -> Values:
        self._order(HangUp(call=self._running_call(given)))
        return {}

    def _answer(self, given: Arguments) -> Values:
        self._order(AnswerCall(call=self._running_call(given)))
        return {}

    def _send(self, given: Arguments) -> Values:
        digits = given.text("DTMFSequence")
        self._order(SendDigits(call=self._running_call(given), digits=digits))
        return {}

    def _running_call(self, given: Arguments) -> str:
        wanted = given.text("CallId")
        if wanted not in {call.id for call in self._running()}:
            raise not_found("call", wanted)
        return wanted

    def _order(self, command: Order) -> Any:
        """Raises Fault where it is not carried out."""
        try:
            return self._dispatcher.execute(command)
        except CommandRefused as refused:
            raise (invalid if refused.code in _BLAMES else failed)(str(refused)) from None

    # --- telling --------------------------------------------------------------------------------

    def _statuses(self) -> Found:
        """Those that have ended lately, and those that run."""
        sip = self._desk.settings.sip
        here = own_host(sip.port)
        found: dict[str, Callable[[], Values]] = {}
        for entry in self._book.ended():
            found[entry.call] = partial(self._ended, entry, sip, here)
        for call in self._running():
            found[call.id] = partial(self._running_told, call, sip, here)
        return found

    def _running_told(self, call: CallView, sip: SipSettings, here: str) -> Values:
        entry = self._book.find(call.id)
        if entry is not None:
            began, reason = entry.began, entry.reason
        else:  # it has begun before anybody took notes
            age = timedelta(seconds=self._clock.now() - call.since)
            began, reason = self._clock.wall() - age, CallReason.INITIATED
        told = {
            "CallId": call.id,
            "CallState": _STATES[call.state],
            "CallStateReason": _word(reason),
            "StartTime": _instant(began),
            "Direction": _word(call.direction),
        }
        codec = {"AudioCodec": codec_told(call.codec)} if call.codec else {}
        return told | self._common(call, sip, here) | codec

    def _ended(self, entry: Entry, sip: SipSettings, here: str) -> Values:
        assert entry.ended is not None
        told = {
            "CallId": entry.call,
            "CallState": _STATES[CallStatus.TERMINATED],
            "CallStateReason": _word(entry.reason),
            "StartTime": _instant(entry.began),
            "StopTime": _instant(entry.ended),
            "Direction": _word(entry.direction),
        }
        return told | self._common(entry, sip, here)

    def _common(self, call: CallView | Entry, sip: SipSettings, here: str) -> Values:
        account = next((a for a in sip.accounts if a.name == call.account), None)
        local = call.local_uri or ("" if account is None else uri_of(account, here))
        told = {
            "Source": SOURCE,
            "DeviceURI": local,
            "RemoteURI": call.remote_uri,
            "CallType": "SIP",
        }
        return told if account is None else told | {ACCOUNT: account.id}


def _word(value: str) -> str:
    """accepted_by_remote -> AcceptedByRemote"""
    return "".join(part.capitalize() for part in value.split("_"))


def _instant(at: datetime) -> str:
    """As XML Schema has a dateTime."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
