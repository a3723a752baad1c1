"""One endpoint on a fake clock, and a peer that says what the test wants it to say."""

from typing import TypeVar

from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.message import Headers, Request, Response, parse, respond
from sipstrobe.sip.outputs import Output, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.support.link import counting

US, PEER = Address("192.0.2.1", 5060), Address("192.0.2.9", 5062)
UDP = Flow(Transport.UDP, US, PEER)
TCP = Flow(Transport.TCP, US, PEER, connection=7)
OFFER, ANSWER = b"v=0 offer", b"v=0 answer"
SDP = (("Content-Type", "application/sdp"),)
Fields = tuple[tuple[str, str], ...]

K = TypeVar("K", bound=Output)


class Scene:
    """`sent` and `news` hold what came out since they were last taken."""

    def __init__(
        self,
        settings: SipSettings | None = None,
        *,
        flow: Flow = UDP,
        max_transactions: int = 1000,
    ) -> None:
        self.endpoint = Endpoint(
            settings or SipSettings(), counting(9), max_transactions=max_transactions
        )
        self.flow = flow
        self.now = 0.0
        self.sent: list[Request | Response] = []
        self.sends: list[Send] = []
        self.news: list[Output] = []
        self.taken: list[Request | Response] = []  # a test's own notes
        self._branches = 0

    # --- time and the wire -----------------------------------------------------------------

    def collect(self) -> None:
        outbox = self.endpoint.outbox
        while outbox:
            output = outbox.popleft()
            if isinstance(output, Send):
                self.sends.append(output)
                if output.data.strip():  # else a keep-alive
                    self.sent.append(parse(output.data))
            else:
                self.news.append(output)

    def until(self, now: float) -> None:
        """Let time pass."""
        while (at := self.endpoint.deadline) is not None and at <= now:
            self.now = max(self.now, at)
            self.endpoint.wake(now=self.now)
            self.collect()
        self.now = now

    def pass_(self, seconds: float) -> None:
        self.until(self.now + seconds)

    def hear(self, message: Request | Response | bytes, flow: Flow | None = None) -> None:
        """The endpoint receives a message."""
        flow = flow or self.flow
        if flow.connection is not None:
            self.endpoint.receive_stream(bytes(message), flow, now=self.now)
        else:
            self.endpoint.receive(bytes(message), flow, now=self.now)
        self.collect()

    def take(self) -> list[Request | Response]:
        taken, self.sent = self.sent, []
        self.sends.clear()
        return taken

    def statuses(self) -> list[int | str]:
        """What was sent since last asked: statuses of responses, methods of requests."""
        return [m.status if isinstance(m, Response) else m.method for m in self.take()]

    def response(self) -> Response:
        """The one response sent since last asked."""
        (message,) = self.take()
        assert isinstance(message, Response)
        return message

    def request(self) -> Request:
        """The one request sent since last asked."""
        (message,) = self.take()
        assert isinstance(message, Request)
        return message

    def told(self, kind: type[K]) -> K:
        """The one piece of news since last asked, which is of this kind."""
        (news,) = self.news
        self.news = []
        assert isinstance(news, kind), news
        return news

    # --- what the peer says ----------------------------------------------------------------

    def draft(
        self,
        method: str,
        *,
        cseq: int = 1,
        to_tag: str = "",
        fields: Fields = (),
        body: bytes = b"",
        branch: str = "",
        call_id: str = "call-1",
        uri: str = "sip:1001@192.0.2.1",
    ) -> Request:
        """A request of the peer, which calls itself sip:peer@192.0.2.9:5062."""
        self._branches += 1
        branch = branch or f"z9hG4bKpeer{self._branches}"
        given = {name for name, _ in fields}
        base = [
            ("Via", f"SIP/2.0/{self.flow.transport} 192.0.2.9:5062;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", "<sip:peer@192.0.2.9>;tag=peer"),
            ("To", f"<{uri}>" + (f";tag={to_tag}" if to_tag else "")),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        ]
        if method in ("INVITE", "UPDATE"):
            base.append(("Contact", "<sip:peer@192.0.2.9:5062>"))
        if body:
            base += SDP
        kept = [field for field in base if field[0] not in given]
        return Request(method, uri, Headers((*kept, *fields)), body)

    def invite(
        self, *, fields: Fields = (), body: bytes = OFFER, call_id: str = "call-1"
    ) -> Request:
        """The peer calls; the result is its INVITE."""
        request = self.draft("INVITE", fields=fields, body=body, call_id=call_id)
        self.hear(request)
        return request

    def ack(self, response: Response, *, body: bytes = b"") -> Request:
        """The ACK of the peer to a 2xx of ours."""
        return self.draft(
            "ACK",
            cseq=response.cseq.number,
            to_tag=response.to.tag,
            body=body,
            call_id=response.call_id,
        )

    def within(
        self,
        method: str,
        *,
        cseq: int,
        fields: Fields = (),
        body: bytes = b"",
        tag: str = "",
    ) -> Request:
        """The peer says something within its call; the result is its request."""
        request = self.draft(method, cseq=cseq, to_tag=tag or self.tag, fields=fields, body=body)
        self.hear(request)
        return request

    def answer(
        self,
        request: Request,
        status: int,
        *,
        tag: str = "peer",
        fields: Fields = (),
        body: bytes = b"",
    ) -> Response:
        """The peer answers a request of ours."""
        contact = (("Contact", "<sip:peer@192.0.2.9:5062>"),) if status < 300 else ()
        given = {name for name, _ in fields}
        response = respond(
            request,
            status,
            to_tag=tag if status > 100 else "",
            headers=(*(f for f in contact if f[0] not in given), *fields),
            body=body,
            content_type="application/sdp" if body else "",
        )
        self.hear(response)
        return response

    # --- whole beginnings ------------------------------------------------------------------

    tag = ""  # ours, in the call that `establish` made

    def establish(self, *, fields: Fields = ()) -> str:
        """A call from the peer, answered and acknowledged; the result is its name."""
        self.invite(fields=fields)
        call = self.endpoint.calls[-1]
        self.endpoint.accept(call, ANSWER, now=self.now)
        self.collect()
        (response,) = self.take()
        assert isinstance(response, Response)
        self.tag = response.to.tag
        self.hear(self.ack(response))
        self.news.clear()
        return call

    def call(self, *, timeout: float = 60.0) -> tuple[str, Request]:
        """A call of ours; the result is its name and the INVITE."""
        name = self.endpoint.invite(
            self.flow,
            "sip:peer@192.0.2.9:5062",
            OFFER,
            identity=Identity("sip:us@192.0.2.1", "Our strobe"),
            timeout=timeout,
            now=self.now,
        )
        self.collect()
        return name, self.request()

    def reach(self, *, fields: Fields = ()) -> str:
        """A call of ours, answered; the result is its name."""
        name, invite = self.call()
        self.answer(invite, 200, fields=fields, body=ANSWER)
        assert self.statuses() == ["ACK"]
        self.news.clear()
        return name
