"""The digits that the other side of a call presses: told to everybody, unless they are a PIN.

Publishes: DigitReceived, SequenceReceived, PinRefused. A digit of a PIN reaches no event, log or
trace.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sipstrobe.audio.format import Samples
from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.dtmf.collector import Collector, Fired
from sipstrobe.dtmf.inband import ToneReceiver
from sipstrobe.dtmf.info import sign_of
from sipstrobe.dtmf.pin import ENTER, PinEntry, Verdict
from sipstrobe.dtmf.presses import Presses, Step
from sipstrobe.dtmf.receiver import EventReceiver
from sipstrobe.dtmf.settings import DigitSequence, DtmfSettings
from sipstrobe.dtmf.sign import Sign, Way
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, DigitReceived, PinRefused, SequenceReceived
from sipstrobe.machine import Driver
from sipstrobe.rtp.packet import Packet
from sipstrobe.secret import Secret
from sipstrobe.services.calls import Call
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.sip.account import Account

logger = logging.getLogger(__name__)

PIN_LIMIT: Final = 30.0  # seconds from the answer until the PIN must have been entered
ENDING: Final = 3.0  # seconds within which a # only ends the PIN that was right without it


@dataclass(slots=True)
class _Pad:
    """What is kept for one call. ssrc: of the last telephone event; sequences: once there is a
    digit for them."""

    presses: Presses
    events: EventReceiver = field(default_factory=EventReceiver)
    ssrc: int = -1
    tones: ToneReceiver | None = None
    sequences: Driver[Fired] | None = None


class Keypad:
    """One for all calls."""

    def __init__(self, context: Context, board: Switchboard) -> None:
        self._context = context
        self._board = board
        self._settings = DtmfSettings()
        self._peers: frozenset[str] = frozenset()  # the names of peer-to-peer accounts
        self._pads: dict[str, _Pad] = {}  # by call; of those that have pressed
        self._entries: dict[str, tuple[PinEntry, Handle]] = {}  # by call; PINs to be entered
        self._ending: dict[str, float] = {}  # by call; the instant until which a # ends its PIN
        board.on_end.append(self._forget)

    def apply(self, wanted: DtmfSettings) -> None:
        """Sequences that are half pressed begin anew."""
        self._settings = wanted
        self._begin_anew()

    def apply_accounts(self, accounts: Sequence[Account]) -> None:
        """Who shares sequences with whom (DTM-03)."""
        peers = frozenset(a.name for a in accounts if a.kind == "peer_to_peer")
        if peers != self._peers:
            self._peers = peers
            self._begin_anew()

    def ask(self, call: Call, pin: Secret) -> None:
        """Nothing happens until the caller has entered this PIN."""
        until = self._context.clock.now() + PIN_LIMIT
        timer = self._context.clock.call_at(until, lambda: self._too_late(call))
        self._entries[call.id] = (PinEntry(pin), timer)

    def waits(self, call: Call) -> bool:
        """Whether any sequence counts in this call."""
        return bool(self._wanted(call))

    # --- witnesses ------------------------------------------------------------------------------

    def in_rtp(
        self, call: Call, packet: Packet, sequence: int, clock_rate: int, received_at: float
    ) -> None:
        """A telephone event has come (RFC 4733)."""
        pad = self._pad(call)
        if packet.ssrc != pad.ssrc:
            pad.ssrc = packet.ssrc
            pad.events.restart()
        sign = pad.events.receive(
            packet.payload, packet.timestamp, packet.marker, sequence, clock_rate
        )
        if sign is not None:
            self._see(call, pad, Way.RTP, sign, received_at)

    def in_info(self, call: Call, content_type: str, body: bytes) -> None:
        """An INFO has come; what it says counts if the account allows digits there."""
        if not call.digits.info:
            return
        try:
            sign = sign_of(content_type, body)
        except RemoteProtocolError as error:
            logger.debug("call %s: an INFO without a digit: %s", call.id, error)
            return
        if sign is not None:
            self._see(call, self._pad(call), Way.INFO, sign, self._context.clock.now())

    def in_sound(self, call: Call, samples: Samples, sample_rate: int) -> None:
        """The other side has been heard; asked for only where the account has digits as tones."""
        pad = self._pad(call)
        if pad.tones is None or pad.tones.sample_rate != sample_rate:
            pad.tones = ToneReceiver(sample_rate)
        for sign in pad.tones.hear(samples):
            self._see(call, pad, Way.INBAND, sign, self._context.clock.now())

    def _see(self, call: Call, pad: _Pad, way: Way, sign: Sign, at: float) -> None:
        steps = pad.presses.see(way, sign, now=at)
        if not steps or self._pads.get(call.id) is not pad:  # the last one has ended the call
            return
        if way is Way.INFO:  # its datagram is the cause already
            self._step(call, sign.digit, steps)
            return
        kind = "datagram" if way is Way.RTP else "sound"
        with self._context.trace.input(kind, f"{way.value} in call {call.id}", at):
            self._step(call, sign.digit, steps)

    def _pad(self, call: Call) -> _Pad:
        pad = self._pads.get(call.id)
        if pad is None:
            pad = self._pads[call.id] = _Pad(Presses(self._settings.long_press))
        return pad

    # --- digits and sequences -------------------------------------------------------------------

    def _step(self, call: Call, digit: str, steps: Sequence[Step]) -> None:
        for step in steps:
            if call.id not in self._pads:  # the same
                return
            if step is Step.PRESSED:
                self._press(call, digit)
            else:
                sequences = self._pads[call.id].sequences
                if sequences is not None:
                    self._feed(sequences, digit, step)

    def _press(self, call: Call, digit: str) -> None:
        entry = self._entries.get(call.id)
        if entry is not None:
            self._judge(call, entry[0], entry[0].press(digit))
        elif call.state is CallStatus.ACTIVE and not self._ends_pin(call, digit):
            self._context.bus.publish(
                DigitReceived(call=call.id, extension=call.extension, line=call.line, digit=digit)
            )
            sequences = self._sequences(call)
            if sequences is not None:
                self._feed(sequences, digit, Step.PRESSED)

    def _sequences(self, call: Call) -> Driver[Fired] | None:
        """None: none counts in this call, or it is over."""
        pad = self._pads.get(call.id)
        if pad is None or pad.sequences is not None:
            return pad.sequences if pad is not None else None
        if wanted := self._wanted(call):
            collector = Collector(wanted, self._settings)
            fired = partial(self._fired, call)
            pad.sequences = self._context.driver(collector, fired, name="time between digits")
        return pad.sequences

    def _feed(self, sequences: Driver[Fired], digit: str, step: Step) -> None:
        collector = sequences.machine
        assert isinstance(collector, Collector)
        sequences.feed(collector.press, digit, step)

    def _wanted(self, call: Call) -> list[DigitSequence]:
        return [s for s in self._settings.sequences if self._counts(s, call.account)]

    def _counts(self, sequence: DigitSequence, account: str) -> bool:
        named = sequence.accounts
        shared = account in self._peers and not self._peers.isdisjoint(named)
        return not named or account in named or shared

    def _fired(self, call: Call, fired: Fired) -> None:
        self._context.bus.publish(
            SequenceReceived(
                name=fired.sequence.name,
                sequence=fired.sequence.sequence,
                call=call.id,
                account=call.account,
                extension=call.extension,
                line=call.line,
                event_id=fired.sequence.event_id or fired.sequence.name,
            )
        )

    def _begin_anew(self) -> None:
        for pad in self._pads.values():
            pad.presses.long_press = self._settings.long_press
            if pad.sequences is not None:
                pad.sequences.close()
                pad.sequences = None

    def _ends_pin(self, call: Call, digit: str) -> bool:
        """Whether this is nothing but the end of the PIN that was just entered."""
        until = self._ending.pop(call.id, None)
        return until is not None and digit == ENTER and self._context.clock.now() < until

    # --- PIN ------------------------------------------------------------------------------------

    def _judge(self, call: Call, entry: PinEntry, verdict: Verdict | None) -> None:
        match verdict:
            case None:
                return
            case Verdict.RIGHT:
                self._ask_no_more(call)
                self._ending[call.id] = self._context.clock.now() + ENDING
                self._board.activate(call, CallReason.ACCEPTED_BY_DEVICE)
            case Verdict.WRONG:
                self._refuse(call, entry.attempts_left)
            case Verdict.LOCKED:
                self._turn_away(call)

    def _too_late(self, call: Call) -> None:
        with self._context.trace.input("timer", "PIN", self._context.clock.now()):
            self._turn_away(call)

    def _turn_away(self, call: Call) -> None:
        self._ask_no_more(call)
        self._refuse(call, 0)
        call.why = CallReason.DENIED
        self._board.end(call)

    def _refuse(self, call: Call, attempts_left: int) -> None:
        logger.warning("call %s from %s: wrong PIN, or none", call.id, call.remote_uri)
        self._context.bus.publish(
            PinRefused(
                call=call.id,
                extension=call.extension,
                line=call.line,
                remote_uri=call.remote_uri,
                attempts_left=attempts_left,
            )
        )

    def _forget(self, call: Call) -> None:
        """The call is over."""
        pad = self._pads.pop(call.id, None)
        if pad is not None and pad.sequences is not None:
            pad.sequences.close()
        self._ending.pop(call.id, None)
        self._ask_no_more(call)

    def _ask_no_more(self, call: Call) -> None:
        entry = self._entries.pop(call.id, None)
        if entry is not None:
            entry[1].cancel()
