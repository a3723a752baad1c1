"""What was said by SIP, and the network trace (LOG-05).

The ladder is for operators, who make calls and want to know why one has failed; the trace has
voices in it and the digests of passwords, and is for administrators.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from sipstrobe.clock import Clock
from sipstrobe.config.users import Role
from sipstrobe.masking import masked, masked_message
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    Handler,
    HttpProblem,
    Media,
    Query,
    Request,
    Response,
    Route,
    act,
    json,
)
from sipstrobe.web.system_views import ExchangeView, LadderView, SaidView, TraceView

LADDER: Final = "/api/v1/ladder"
CAPTURE: Final = "/api/v1/capture"
PCAP: Final = "application/vnd.tcpdump.pcap"
SECONDS_MAX: Final = 300
FIRST_LINE: Final = 256  # bytes of one that are shown
_FROM_TO: Final = re.compile(r"^(From|f|To|t)[ \t]*:[ \t]*(.{1,512})", re.IGNORECASE | re.MULTILINE)
_URI: Final = re.compile(r'^(?:"(?:[^"\\]|\\.)*"|[^<"])*<([^>]*)>|^([^;\s]+)')
WARNING: Final = (
    "The file holds voices, telephone numbers, and what proves passwords. Pass it on only to whom "
    "you would tell all that."
)
Kind = Literal["call", "registration", "other"]

_CALL = Query[str](
    "call", Annotated[str, Meta(max_length=64)], "", "Only of this call of ours, such as in-7."
)
_KIND = Query[str]("kind", Kind, "", "Only of this kind.")


class ExchangeTold(msgspec.Struct, frozen=True):
    """What has one Call-ID. call: the name of the call of ours, empty for none; from, to: URIs."""

    id: str
    kind: Kind
    call: str
    call_id: str
    from_uri: str = msgspec.field(name="from")
    to_uri: str = msgspec.field(name="to")
    began: datetime
    transport: str
    peer: str
    messages: int
    first_line: str
    last_line: str


class Exchanges(msgspec.Struct, frozen=True):
    """The one that began last first."""

    exchanges: list[ExchangeTold]


class MessageTold(msgspec.Struct, frozen=True):
    """One message. seconds: since the first; text: the whole of it, secrets masked; cut: there was
    more of it than is kept."""

    at: datetime
    seconds: float
    sent: bool
    transport: str
    local: str
    remote: str
    first_line: str
    text: str
    cut: bool


class LadderTold(msgspec.Struct, frozen=True):
    """Messages in their order. skipped: how many, in the middle, were not kept of a long one."""

    call: str
    call_ids: list[str]
    skipped: int
    messages: list[MessageTold]


class CaptureTold(msgspec.Struct, frozen=True):
    """How the trace stands. lost: packets that the disk was too slow for; words: why it ended."""

    running: bool
    began: str | None
    seconds_left: float
    packets: int
    lost: int
    bytes: int
    words: str
    file: bool
    warning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOrder:
    """How long the trace is to be."""

    seconds: Annotated[int, Meta(ge=1, le=SECONDS_MAX, description="How long.")]


class LadderDoor:
    """The routes of the ladder."""

    def __init__(self, ladder: LadderView, clock: Clock) -> None:
        self._ladder = ladder
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            act(
                "GET",
                LADDER,
                self._list,
                About(
                    summary="The exchanges of SIP messages that are kept",
                    answer=Exchanges,
                    query=(_CALL, _KIND),
                ),
            ),
            act(
                "GET",
                LADDER + "/{id}",
                self._read,
                About(
                    summary="The messages of a call or of one exchange",
                    words="Named by the id of the exchange or by the name of a call.",
                    answer=LadderTold,
                    problems={404: ("unknown_exchange",)},
                ),
            ),
        ]

    async def _list(self, request: Request) -> Response:
        found = self._ladder.exchanges(call=_CALL.of(request), kind=_KIND.of(request))
        seen = [_Seen.of(exchange) for exchange in found]
        return await asyncio.to_thread(lambda: json(Exchanges([self._told(one) for one in seen])))

    async def _read(self, request: Request) -> Response:
        name = request.path.removeprefix(LADDER + "/")
        exchanges = self._ladder.find(name)
        if not exchanges:
            words = f"nothing is kept of {name[:64]!r}"
            raise HttpProblem(404, words, code="unknown_exchange")
        messages = sorted((m for one in exchanges for m in one.messages), key=lambda m: m.at)
        call, ids = exchanges[0].call, [_shown(one.call_id) for one in exchanges]
        skipped = sum(one.skipped for one in exchanges)

        def tell() -> Response:
            told = [self._message(message, messages[0].at) for message in messages]
            return json(LadderTold(call, ids, skipped, told))

        return await asyncio.to_thread(tell)

    def _told(self, seen: "_Seen") -> ExchangeTold:
        first, last = seen.first, seen.last
        sender, receiver = parties(first.data)
        return ExchangeTold(
            id=seen.id,
            kind=msgspec.convert(seen.kind, Kind),
            call=seen.call,
            call_id=_shown(seen.call_id),
            from_uri=sender,
            to_uri=receiver,
            began=self._wall(first.at),
            transport=str(first.flow.transport),
            peer=str(first.flow.remote),
            messages=seen.messages,
            first_line=_first_line(first.data),
            last_line=_first_line(last.data),
        )

    def _message(self, message: SaidView, began: float) -> MessageTold:
        return MessageTold(
            at=self._wall(message.at),
            seconds=round(message.at - began, 6),
            sent=message.sent,
            transport=str(message.flow.transport),
            local=str(message.flow.local),
            remote=str(message.flow.remote),
            first_line=_first_line(message.data),
            text=masked_message(_shown(message.data).replace("\r\n", "\n")),
            cut=message.cut,
        )

    def _wall(self, at: float) -> datetime:
        return self._clock.wall() + timedelta(seconds=at - self._clock.now())


@dataclass(frozen=True, slots=True)
class _Seen:
    """An exchange as it was at one moment: to find the secrets in hundreds of messages takes longer
    than the loop should be held up, so that it is told of in another thread."""

    id: str
    kind: str
    call: str
    call_id: bytes
    first: SaidView
    last: SaidView
    messages: int

    @classmethod
    def of(cls, exchange: ExchangeView) -> "_Seen":
        said = exchange.messages
        return cls(
            exchange.id,
            exchange.kind,
            exchange.call,
            exchange.call_id,
            said[0],
            said[-1],
            len(said) + exchange.skipped,
        )


class CaptureDoor:
    """The routes of the network trace."""

    def __init__(self, trace: TraceView) -> None:
        self._trace = trace

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Handler, about: About) -> Route:
            role = Role.ADMINISTRATOR
            return Route(method=method, path=path, handler=handler, role=role, about=about)

        return [
            route(
                "GET",
                CAPTURE,
                self._status,
                About(summary="How the network trace stands", answer=CaptureTold),
            ),
            route(
                "POST",
                CAPTURE,
                self._start,
                About(
                    summary="Begin a trace of SIP, RTP and RTCP, in place of the last",
                    body=CaptureOrder,
                    status=(202,),
                    problems={409: ("running",), 503: ("storage",)},
                    answer=CaptureTold,
                ),
            ),
            route(
                "POST",
                CAPTURE + "/stop",
                self._stop,
                About(summary="End the trace before its time; its file stays", answer=CaptureTold),
            ),
            route(
                "GET",
                CAPTURE + "/file",
                self._download,
                About(
                    summary="The trace as a file of libpcap",
                    answer=Media(PCAP, WARNING),
                    problems={404: ("no_trace",), 409: ("running",)},
                ),
            ),
            route(
                "DELETE",
                CAPTURE + "/file",
                self._remove,
                About(summary="Forget the trace", status=(204,)),
            ),
        ]

    def _status(self, _: Request) -> Response:
        return json(self._told())

    async def _start(self, request: Request) -> Response:
        order = read_body(CaptureOrder, request.body)
        try:
            await self._trace.start(order.seconds)
        except OSError as error:
            raise HttpProblem(503, f"the file cannot be made: {error}", code="storage") from None
        return json(self._told(), 202)

    async def _stop(self, _: Request) -> Response:
        await self._trace.stop()
        return json(self._told())

    def _download(self, _: Request) -> Response:
        path = self._trace.path
        if path is None and self._trace.snapshot()["running"]:
            raise HttpProblem(409, "the trace is still being made", code="running")
        if path is None:
            raise HttpProblem(404, "there is no trace", code="no_trace")
        disposition = ("Content-Disposition", 'attachment; filename="sipstrobe.pcap"')
        return Response(200, content_type=PCAP, headers=(disposition,), file=path)

    async def _remove(self, _: Request) -> Response:
        await self._trace.remove()
        return Response(204)

    def _told(self) -> CaptureTold:
        file = self._trace.path is not None
        return CaptureTold(**self._trace.snapshot(), file=file, warning=WARNING)


def parties(data: bytes) -> tuple[str, str]:
    """The URIs in From and To of a message, "" for what has none."""
    found = {"f": "", "t": ""}
    for name, value in _FROM_TO.findall(_shown(data.partition(b"\r\n\r\n")[0])):
        uri = _URI.search(masked(value))
        if uri is not None:
            found[name[0].lower()] = uri[1] or uri[2]
    return found["f"], found["t"]


def _first_line(data: bytes) -> str:
    return masked_message(_shown(data.partition(b"\r\n")[0][:FIRST_LINE]))


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
