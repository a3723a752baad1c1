"""Phones that call one another over 127.0.0.1, and a peer that speaks SIP word for word."""

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sipstrobe.audio.source import AddSource, HearSource, RemoveSource
from sipstrobe.clock import Clock
from sipstrobe.commands import AnswerCall, Command, Dial, HangUp
from sipstrobe.context import Context
from sipstrobe.dtmf.event import DIGITS, TelephoneEvent
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallStateChanged, Event
from sipstrobe.services.calls import CallSnapshot
from sipstrobe.services.phone import Phone
from sipstrobe.services.speech import LiveSource, SoundSource
from sipstrobe.sip.message import Request, Response, parse, respond
from sipstrobe.sip.settings import Account, SipSettings
from sipstrobe.trace import Cause
from tests.support.ports import free_port

E = TypeVar("E", bound=Event)

HOST = "127.0.0.1"
PATIENCE = 30.0  # seconds that only pass when nothing comes


def open_sockets() -> int:
    """How many sockets this process has open."""
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
        except FileNotFoundError:
            continue
    return count


def settings(*, auto: bool = True, transport: str = "udp", **other: Any) -> SipSettings:
    """SIP on, open for calls, on a port of its own. auto: calls are answered without a rule."""
    account = {"default": True, "answer_automatically": auto, "transport": transport}
    ports = {"port": free_port(), "tls_port": free_port()}
    given = {"enabled": True, "allow_incoming": True} | ports | other
    return SipSettings(accounts=(Account(**account),), **given)  # pyright: ignore[reportArgumentType]


class Device:
    """A phone on a bus, with a speaker that only keeps a list."""

    def __init__(self, clock: Clock, wanted: SipSettings, folder: Path | None = None) -> None:
        self.context = Context(clock)
        self.events: list[tuple[Event, Cause]] = []
        self.sources: dict[str, AddSource] = {}
        self.speaker_full = False
        self.greeting: SoundSource | None = None
        self.closed = False
        self.context.bus.subscribe(Event, self._note)
        self.context.dispatcher.serve(AddSource, self._add)
        self.context.dispatcher.serve(HearSource, self._hear)
        self.context.dispatcher.serve(RemoveSource, self._remove)
        self.records: list[tuple[CallSnapshot, str]] = []
        self.listen: Callable[[], LiveSource | None] = lambda: None  # to the microphone
        self.phone = Phone(
            self.context,
            lambda: self.greeting,
            record=self._record,
            folder=folder,
            listen=lambda: self.listen(),
        )
        self.phone.apply(wanted)

    @property
    def port(self) -> int:
        return self.phone.settings.port

    async def close(self) -> None:
        self.closed = True
        await self.phone.aclose()

    # --- orders ---------------------------------------------------------------------------------

    def do(self, command: Command) -> Any:
        return self.context.dispatcher.execute(command)

    def dial(self, to: "Device | Peer | str", user: str = "1001", host: str = HOST) -> str:
        """The id of the call."""
        uri = to if isinstance(to, str) else f"sip:{user}@{host}:{to.port}"
        with self.context.trace.input("test", f"dials {uri}", self.context.clock.now()):
            return self.do(Dial(uri=uri))

    def answer(self, call: str | None = None) -> None:
        self.do(AnswerCall(call=call))

    def hang_up(self, call: str | None = None) -> None:
        self.do(HangUp(call=call))

    # --- what there is --------------------------------------------------------------------------

    @property
    def states(self) -> list[str]:
        """The states of the calls there are."""
        return [call.state.value for call in self.phone.snapshot()]

    @property
    def heard(self) -> set[str]:
        """The calls that the speaker plays."""
        return {owner for owner, source in self.sources.items() if source.heard}

    @property
    def story(self) -> list[str]:
        """What has become of calls so far, as "active accepted_by_device"."""
        changes = self.told(CallStateChanged)
        return [f"{change.state.value} {change.reason.value}" for change in changes]

    def told(self, kind: type[E]) -> list[E]:
        return [event for event, _ in self.events if isinstance(event, kind)]

    def cause(self, kind: type[Event]) -> list[object]:
        """From the last event of this kind back to the input that began it."""
        link = next(cause for event, cause in reversed(self.events) if type(event) is kind)
        return [cause.what for cause in link.chain()]

    @property
    def idle(self) -> bool:
        """Nothing is left of any call, neither here nor in the signalling."""
        endpoint = self.phone._endpoint  # pyright: ignore[reportPrivateUsage]
        return not self.phone.snapshot() and not self.sources and endpoint.idle

    def _note(self, event: Event) -> None:
        cause = self.context.trace.current
        assert cause is not None
        self.events.append((event, cause))

    def _record(self, call: CallSnapshot, words: str) -> None:
        self.records.append((call, words))

    def _add(self, command: AddSource) -> None:
        if self.speaker_full:
            raise CommandRefused("too_many_sources", "the speaker is full")
        self.sources[command.owner] = command

    def _hear(self, command: HearSource) -> None:
        self.sources[command.owner] = replace(self.sources[command.owner], heard=command.heard)

    def _remove(self, command: RemoveSource) -> None:
        self.sources.pop(command.owner, None)


class Peer:
    """Somebody on UDP who says what a test tells it to, in one call at a time."""

    def __init__(self) -> None:
        self._sip = _bound()
        self.rtp = _bound()
        self.port: int = self._sip.getsockname()[1]
        self.host = HOST  # where it says that it can be reached
        self.to: tuple[str, int] = (HOST, 0)  # whom it speaks to
        self.calls = "1001"  # the extension
        self.tag = ""  # of the other side, once it is known
        self.number = 0  # of its last request
        self.pressed = 0  # digits so far
        self._known: set[bytes] = set()  # final responses so far

    def close(self) -> None:
        self._sip.close()
        self.rtp.close()

    # --- speaking -------------------------------------------------------------------------------

    def request(
        self, method: str, *fields: str, body: bytes = b"", number: int | None = None
    ) -> None:
        """Send a request; ACK and CANCEL belong to the last INVITE, as does one with its number."""
        if method not in ("ACK", "CANCEL") and number is None:
            self.number += 1
        number = self.number if number is None else number
        branch = f"z9hG4bK-{'ACK' if method == 'ACK' else number}"
        tag = f";tag={self.tag}" if self.tag and method != "CANCEL" else ""
        lines = [
            f"{method} sip:{self.calls}@{HOST}:{self.to[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self.port};rport;branch={branch}",
            "Max-Forwards: 70",
            f"From: <sip:peer@{HOST}>;tag=peer",
            f"To: <sip:{self.calls}@{HOST}>{tag}",
            f"Call-ID: {self.port}@{HOST}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:peer@{self.host}:{self.port}>",
            *fields,
            *(["Content-Type: application/sdp"] if body and not _has_type(fields) else []),
            f"Content-Length: {len(body)}",
        ]
        self.say("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def invite(self, to: "Device", *fields: str, body: bytes | None = None, user: str = "") -> None:
        """Call a device, with an offer unless the body is empty."""
        self.to = (HOST, to.port)
        self.calls = user or self.calls
        self.request("INVITE", *fields, body=self.sdp() if body is None else body)

    def respond(
        self, request: Request, status: int, *fields: tuple[str, str], body: bytes = b""
    ) -> None:
        contact = ("Contact", f"<sip:peer@{self.host}:{self.port}>")
        kind = "application/sdp" if body else ""
        response = respond(
            request,
            status,
            to_tag="peer",
            headers=(contact, *fields),
            body=body,
            content_type=kind,
        )
        self.say(bytes(response))

    def say(self, data: bytes) -> None:
        self._sip.sendto(data, self.to)

    def sdp_with_digits(self) -> bytes:
        """It offers to press digits in RTP."""
        media = f"m=audio {self.rtp.getsockname()[1]} RTP/AVP 0 101"
        return self.sdp("rtpmap:101 telephone-event/8000", media=media)

    def sdp(self, *attributes: str, media: str = "") -> bytes:
        """What it offers or answers; media: another m= line than that of its RTP port."""
        port = self.rtp.getsockname()[1]
        lines = [
            *("v=0", f"o=- 1 {self.number + 1} IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"),
            media or f"m=audio {port} RTP/AVP 0",
            *(f"a={attribute}" for attribute in attributes),
        ]
        return "\r\n".join(lines).encode() + b"\r\n"

    # --- listening ------------------------------------------------------------------------------

    async def hear(self) -> Request | Response:
        """The next message, which may be one that is repeated."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            data, self.to = await loop.sock_recvfrom(self._sip, 65_535)
        message = parse(data)
        if isinstance(message, Response) and message.to.tag:
            self.tag = message.to.tag
        return message

    async def asked(self, method: str) -> Request:
        """The next request of this method; what comes before it is passed over."""
        while True:
            message = await self.hear()
            if isinstance(message, Request) and message.method == method:
                return message

    async def told(self, status: int) -> Response:
        """The next response from ringing on, which has this status. One is passed over that comes
        again: where an ACK is late, that is the last 200 (RFC 3261 §13.3.1.4)."""
        while True:
            message = await self.hear()
            if not isinstance(message, Response) or message.status < 180:
                continue
            if (data := bytes(message)) not in self._known:
                self._known.add(data)
                assert message.status == status, message
                return message

    def silent(self) -> bool:
        """Nothing has come since."""
        return _empty(self._sip)

    def hears_nothing(self) -> bool:
        """No RTP has come since."""
        return _empty(self.rtp)

    def forget_sound(self) -> None:
        while not _empty(self.rtp):
            self.rtp.recv(2048)

    def press(self, port: int, digits: str) -> None:
        """Press digits in RTP, as events of type 101, each in three packets (RFC 4733)."""
        for digit in digits:
            self.pressed += 1
            at = (50_000 + 1_000 * self.pressed).to_bytes(4, "big")
            for n in range(3):
                event = TelephoneEvent(DIGITS.index(digit), n == 2, 10, 160 * (n + 1))
                number = (1_000 + 3 * self.pressed + n).to_bytes(2, "big")
                header = bytes([0x80, 0x80 * (n == 0) | 101]) + number + at + b"\1\2\3\4"
                self.rtp.sendto(header + bytes(event), (HOST, port))

    def press_in_info(self, digits: str) -> None:
        """Press digits in INFO."""
        for digit in digits:
            body = f"Signal={digit}\r\nDuration=160\r\n".encode()
            self.request("INFO", "Content-Type: application/dtmf-relay", body=body)

    def speak(self, port: int, *, packets: int = 5) -> None:
        """Send some RTP to a port of the other side."""
        for n in range(packets):
            header = bytes([0x80, 0, 0, n]) + (n * 160).to_bytes(4, "big") + b"\1\2\3\4"
            self.rtp.sendto(header + bytes([n * 7 % 256 | 1] * 160), (HOST, port))


def media_port(body: bytes) -> int:
    """The port of the m= line."""
    [line] = [line for line in body.split(b"\r\n") if line.startswith(b"m=audio")]
    return int(line.split()[1])


def _has_type(fields: tuple[str, ...]) -> bool:
    return any(field.startswith("Content-Type") for field in fields)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.setblocking(False)
    return made


def _empty(one: socket.socket) -> bool:
    try:
        one.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    return False
