"""`sipstrobe dial`: a small honest phone on the same stack."""

import argparse
import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

from sipstrobe.audio.settings import AudioSettings
from sipstrobe.clock import LoopClock
from sipstrobe.commands import Dial, HangUp, SendDigits
from sipstrobe.context import Context
from sipstrobe.dtmf.keys import keys_of
from sipstrobe.errors import MediaError
from sipstrobe.events import CallReason, CallStateChanged, CallStatus
from sipstrobe.services.phone import Phone
from sipstrobe.services.recordings import load_recording
from sipstrobe.services.sound import Sound
from sipstrobe.services.speech import Recording
from sipstrobe.sip.settings import Account, SipSettings, TlsSettings

RTP_START = 30000  # away from a device on the same machine
LONGEST = 86_400  # seconds of a call
TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uri", metavar="URI", help="such as sip:1001@192.0.2.7")
    parser.add_argument(
        "--seconds",
        type=_seconds,
        metavar="N",
        help="hang up after so long (default: when they do)",
    )
    parser.add_argument("--play", type=Path, metavar="FILE", help="say what is in this WAV file")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what is heard as WAV")
    parser.add_argument(
        "--digits",
        type=_digits,
        help="press these once the call is answered; a comma is a pause",
    )
    parser.add_argument("--transport", choices=TRANSPORTS, default="udp")
    parser.add_argument(
        "--authorities",
        type=Path,
        metavar="PEM",
        help="who is trusted over tls and wss; without: those that the system trusts",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    return asyncio.run(_dial(options))


async def _dial(options: argparse.Namespace) -> int:
    context = Context(LoopClock(asyncio.get_running_loop()))
    said = load_recording(options.play) if options.play is not None else None
    why: list[str] = []  # the call came to nothing
    phone = Phone(context, lambda: None, record=lambda _, words: why.append(words))
    sound = Sound(context)
    output = f"wav:{options.record}" if options.record is not None else "auto"
    sound.apply(AudioSettings(output=output))
    caller = _Caller(context, phone, options, None if said is None else Recording(said), why)
    try:
        await sound.settled()
        if options.record is not None and (problem := sound.snapshot()["problem"]):
            raise MediaError(problem)
        phone.apply(_settings(options))
        return await caller.call()
    finally:
        await phone.aclose()
        await sound.aclose()


class _Caller:
    """One call, told about on the terminal."""

    def __init__(
        self,
        context: Context,
        phone: Phone,
        options: argparse.Namespace,
        said: Recording | None,
        why: Sequence[str],
    ) -> None:
        self._context = context
        self._phone = phone
        self._options = options
        self._said = said
        self._why = why
        self._answered = False
        self._over: asyncio.Future[CallReason] = asyncio.get_running_loop().create_future()
        context.bus.subscribe(CallStateChanged, self._note)

    async def call(self) -> int:
        await self._phone.transports.ready()
        with self._context.trace.input("command line", "dial", self._context.clock.now()):
            call = self._context.dispatcher.execute(Dial(uri=self._options.uri))
        assert isinstance(call, str)
        reason = await self._over
        words = f": {self._why[-1]}" if reason is CallReason.FAILED and self._why else ""
        print(f"ended: {reason.value.replace('_', ' ')}{words}")
        return 0 if self._answered else 1

    def _note(self, event: CallStateChanged) -> None:
        if event.state is CallStatus.TERMINATED:
            if not self._over.done():
                self._over.set_result(event.reason)
            return
        print(f"{event.state.value}: {event.remote_uri}", flush=True)
        if event.state is CallStatus.ACTIVE:
            self._answered = True
            self._talk(event.call)

    def _talk(self, call: str) -> None:
        self._phone.speak(call, self._said)
        if self._options.digits:
            self._context.dispatcher.execute(SendDigits(call=call, digits=self._options.digits))
        if self._options.seconds is not None:
            end = self._context.clock.now() + self._options.seconds
            self._context.clock.call_at(end, self._hang_up)

    def _hang_up(self) -> None:
        with self._context.trace.input("timer", "--seconds", self._context.clock.now()):
            self._context.dispatcher.execute(HangUp())


def _settings(options: argparse.Namespace) -> SipSettings:
    account = Account(default=True, transport=options.transport)
    trusted = options.authorities.read_text("ascii") if options.authorities is not None else ""
    return SipSettings(
        enabled=True,
        port=_free_port(),
        tls_port=_free_port(),
        rtp_start_port=RTP_START,
        accounts=(account,),
        tls=TlsSettings(authorities=trusted),
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"must be a number above 0, {LONGEST} at most")
    return seconds


def _digits(text: str) -> str:
    try:
        keys_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
