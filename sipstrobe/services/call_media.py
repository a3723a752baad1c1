"""The media of one call: what SDP has agreed, and the stream that follows it."""

from collections.abc import Callable
from dataclasses import replace

from sipstrobe.context import Context
from sipstrobe.io.udp import PortPairs
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.negotiate import (
    MediaParameters,
    NotAcceptable,
    Offerable,
    accept_answer,
    answer,
    offer,
)
from sipstrobe.services.stream import Stream
from sipstrobe.services.ticker import Ticker
from sipstrobe.sip.transport import Flow, on_link_of

LEAST_WAIT = 0.060  # seconds that sound waits in the ring; less would let hold-ups be heard


class CallMedia:
    """Offer, answer and change the session of one call (RFC 3264); its stream does the same.

    `offer`, `answer` and `accept` raise RemoteProtocolError (488 when nothing is in common, 400
    when it is no SDP); then the session stays as it was. Until `begin`, nothing is sent or heard,
    whatever has been agreed.
    """

    def __init__(self, stream: Stream, flow: Flow, session_id: int) -> None:
        self.stream = stream
        self._peer = flow.remote.host
        self.parameters: MediaParameters | None = None
        self._began = False
        self._ours = Offerable(
            host=flow.local.host, rtp_port=stream.local_port, session_id=session_id
        )
        self._sent: SessionDescription | None = None

    @property
    def agreed(self) -> bool:
        """Whether an offer has been answered, so that media may flow."""
        return self.parameters is not None

    @property
    def local_host(self) -> str:
        """Our address, as our SDP names it."""
        return self._ours.host

    @property
    def peer_host(self) -> str:
        """Where the signalling of the peer comes from."""
        return self._peer

    def offer(self) -> bytes:
        """The offer to send; within a call it goes on from what was sent last."""
        self._sent = offer(self._ours, self._sent)
        return bytes(self._sent)

    def answer(self, body: bytes) -> bytes:
        """Take an offer and give the answer to send."""
        made = answer(SessionDescription.parse(body), self._ours, self._sent)
        self._sent = made.description
        self._agree(made.parameters)
        return bytes(made.description)

    def accept(self, body: bytes) -> None:
        """Take the answer to our offer."""
        if self._sent is None:
            raise NotAcceptable("an answer without an offer")
        self._agree(accept_answer(self._sent, SessionDescription.parse(body), self._ours))

    def begin(self, *, proven: bool) -> None:
        """Let media flow: the call is answered, or is one of ours, which may have early media.

        Until it is proven that the peer hears us, nothing is sent to a third address: else a
        forged INVITE would turn us against whoever it names.
        """
        self._began = True
        if self.parameters is not None:
            self.stream.parked = not proven and self.parameters.host != self._peer
            self.stream.start(self.parameters)

    def prove(self) -> None:
        """The peer has answered to what we sent it."""
        self.stream.parked = False

    def close(self) -> None:
        self.stream.close()

    def _agree(self, parameters: MediaParameters) -> None:
        parameters = replace(parameters, host=on_link_of(parameters.host, self._peer))
        first, self.parameters = self.parameters is None, parameters
        if not self._began:
            return
        if first:
            self.stream.start(parameters)
        else:
            self.stream.update(parameters)


class MediaFactory:
    """Opens the media of calls: the ports from the settings, and one ticker for all streams."""

    def __init__(self, context: Context, start_port: int) -> None:
        self._context = context
        self._ticker = Ticker(context.clock)
        self.move(start_port)

    def move(self, start_port: int) -> None:
        """Use ports from here up for the calls to come."""
        self._ports = {
            version: PortPairs(host, start_port, self._context.clock)
            for version, host in ((4, "0.0.0.0"), (6, "::"))  # noqa: S104
        }

    def open(self, flow: Flow, on_first: Callable[[], None]) -> CallMedia:
        """Media on our address of this flow; on_first is told when the peer is first heard.

        Raises OSError when there is no free pair of ports.
        """
        ports = self._ports[6 if ":" in flow.local.host else 4]
        stream = Stream(self._context, ports, self._ticker, shortest=LEAST_WAIT, on_first=on_first)
        session_id = int.from_bytes(self._context.random_bytes(4))
        return CallMedia(stream, flow, session_id)
