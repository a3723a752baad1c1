"""The media of one call: what SDP has agreed, and the stream that follows it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sipstrobe.audio.latency import NORMAL
from sipstrobe.codecs.registry import usable
from sipstrobe.context import Context
from sipstrobe.io.names import Names, is_numeric
from sipstrobe.io.udp import PortPairs, Tap, local_address_for
from sipstrobe.sdp.crypto import make_keys
from sipstrobe.sdp.description import Direction, NotAcceptable, SessionDescription
from sipstrobe.sdp.fingerprint import Fingerprint
from sipstrobe.sdp.formats import EVENT_TYPE
from sipstrobe.sdp.negotiate import (
    MediaParameters,
    Offerable,
    accept_answer,
    answer,
    can_be_reached,
    offer,
)
from sipstrobe.sdp.security import UNENCRYPTED, Encryption, KeyExchange, SdesKeys, Security
from sipstrobe.services.ear import Ear, HeardSamples
from sipstrobe.services.media_options import (
    PLAIN,
    USUAL_WAYS,
    MediaOptions,
    strictest_of_peers,
    ways_of_peers,
)
from sipstrobe.services.media_path import MediaPath
from sipstrobe.services.nat import Nat
from sipstrobe.services.stream import EventPacket, Stream
from sipstrobe.services.ticker import Ticker
from sipstrobe.sip.account import Account
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Flow, Transport, on_link_of

if TYPE_CHECKING:
    from sipstrobe.rtp.dtls import Certificate

logger = logging.getLogger(__name__)

LOOKUP_LIMIT = 5.0  # seconds in which a name in SDP must have become an address
MAX_LOOKUPS = 16  # at once

_DIRECTIONS = {  # as in sip.settings; ours, to be combined with that of the other side
    "both": Direction.SENDRECV,
    "send": Direction.SENDONLY,
    "receive": Direction.RECVONLY,
}


class CallMedia:
    """Offer, answer and change the session of one call (RFC 3264); its stream does the same.

    `offer`, `answer` and `accept` raise RemoteProtocolError (488 when nothing is in common, 400
    when it is no SDP); then the session stays as it was. Until `begin`, nothing is sent or heard,
    whatever has been agreed.
    """

    def __init__(
        self,
        context: Context,
        stream: Stream,
        flow: Flow,
        ours: Offerable,
        names: Names,
        path: MediaPath | None = None,
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        """path: given where addresses are translated; then `prepare` comes first. on_failure: told
        when there can be no media that are encrypted, as they must be."""
        self.stream = stream
        stream.channel.on_failure = self._do_without_keys
        stream.signalling = flow.remote.host
        self.path = path
        if path is not None:
            path.ready = self._unpark
        self.parameters: MediaParameters | None = None
        self._random_bytes = context.random_bytes
        self._peer = flow.remote.host
        self._ours = ours
        self._names = names
        self._on_failure = on_failure
        self._began = self._active = False
        self._proven = False
        self._sent: SessionDescription | None = None
        self._found = ("", "")  # the last name in SDP that was looked up, and its address
        self._looking: asyncio.Task[None] | None = None

    @property
    def agreed(self) -> bool:
        """Whether an offer has been answered, so that media may flow."""
        return self.parameters is not None

    @property
    def speaks(self) -> bool:
        """Whether the other side hears us, by what is agreed on at present."""
        return self.parameters is not None and self.parameters.direction.sends

    @property
    def outdated(self) -> bool:
        """Whether our SDP names another address than media has come to use, and should be told."""
        return self.path is not None and self.path.outdated(self._ours)

    @property
    def local_host(self) -> str:
        """Our address, as our SDP names it."""
        return self._ours.host

    @property
    def peer_host(self) -> str:
        """Where the signalling of the peer comes from."""
        return self._peer

    async def prepare(self, *, offering: bool) -> None:
        """Learn by which addresses we can be reached, where that takes help: within a few seconds,
        and whatever fails. offering: the coming offer is ours."""
        if self.path is not None:
            await self.path.prepare(offering=offering)

    @property
    def lenient(self) -> bool:
        """Our first offer leaves it to the peer whether media are encrypted."""
        security = self._ours.security
        offered = security.offered is KeyExchange.DTLS or not security.clear
        return security.encryption is Encryption.BEST_EFFORT and offered and not self.agreed

    def insist(self) -> None:
        """Offer encrypted media and no others: the first offer was refused."""
        security = replace(self._ours.security, encryption=Encryption.MANDATORY)
        self._ours = replace(self._ours, security=security)
        self._sent = None

    def move(self, host: str) -> bytes:
        """The offer by which media go on to and from another address of ours."""
        self._ours = replace(self._ours, host=host)
        return self.offer()

    def offer(self) -> bytes:
        """The offer to send; within a call it goes on from what was sent last."""
        if self.path is not None:
            self._ours = self.path.describe(self._ours, offering=True)
        self._sent = offer(self._ours, self._sent, self.parameters)
        return bytes(self._sent)

    def answer(self, body: bytes) -> bytes:
        """Take an offer and give the answer to send."""
        theirs = SessionDescription.parse(body)
        if self.path is not None:
            self.path.heed(theirs)
            self._ours = self.path.describe(self._ours, offering=False)
        made = answer(theirs, self._ours, self._sent, self.parameters)
        self._sent = made.description
        self._agree(made.parameters)
        return bytes(made.description)

    def accept(self, body: bytes) -> None:
        """Take the answer to our offer."""
        if self._sent is None:
            raise NotAcceptable("an answer without an offer")
        theirs = SessionDescription.parse(body)
        self._agree(accept_answer(self._sent, theirs, self._ours, self.parameters))

    def begin(self, *, proven: bool) -> None:
        """Let media flow: the call is answered, or is one of ours, which may have early media.

        Until it is proven that the peer hears us, nothing is sent to a third address: else a
        forged INVITE would turn us against whoever it names.
        """
        self._began, self._proven = True, proven
        if self.parameters is not None:
            self._start(self.parameters)

    @property
    def proven(self) -> bool:
        """Whether the peer has answered to what we sent it, and hears us."""
        return self._proven

    def prove(self) -> None:
        """The peer has answered to what we sent it."""
        self._proven = True
        if self.path is None or self.path.found:
            self._unpark()

    def activate(self) -> None:
        """Both sides have answered: if there are no keys for media yet, their time begins now."""
        self._active = True
        self.stream.channel.extend()

    def close(self) -> None:
        self._on_failure = None
        self._look_no_more()
        if self.path is not None:
            self.path.close()
        self.stream.close()

    def _agree(self, parameters: MediaParameters) -> None:
        """Let the stream follow, at once unless it is only known by name where to."""
        host = on_link_of(parameters.host, self._peer)
        name, address = self._found
        if host == name:
            host = address
        before = self.parameters
        self.parameters = parameters = replace(parameters, host=host)
        self._renew_key(before, parameters)
        self._look_no_more()
        if not is_numeric(host):
            looking = self._look_up(parameters)
            self._looking = asyncio.get_running_loop().create_task(looking)
        if self._began and before is None:
            self._start(parameters)
        elif self._began:
            if self.path is not None:
                self.stream.parked = self._is_parked(parameters)
            self.stream.update(parameters)

    def _start(self, parameters: MediaParameters) -> None:
        self.stream.parked = self._is_parked(parameters)
        self.stream.start(parameters)

    def _is_parked(self, parameters: MediaParameters) -> bool:
        """Whether nothing may be sent yet: there is no way, or nobody there has agreed to it (with
        ICE whoever is there has, by answering our checks)."""
        if self.path is not None and not self.path.agree(parameters):
            return True
        checked = self.path is not None and self.path.checked
        return not (self._proven or checked or parameters.host == self._peer)

    def _unpark(self) -> None:
        self.stream.parked = False

    def _do_without_keys(self, trouble: str) -> None:
        """No handshake has made any: a call that must be encrypted stays silent for ever, and one
        that need not be has a verdict that tells why."""
        mandatory = self._ours.security.encryption is Encryption.MANDATORY
        if mandatory and self._active and self._on_failure is not None:
            logger.warning("media for %s cannot be encrypted: %s", self._peer, trouble)
            self._on_failure()

    def _renew_key(self, before: MediaParameters | None, now: MediaParameters) -> None:
        """RFC 3711 §9.1: a key that is given up never comes back, for it would make the same
        keystream again."""
        if before is None or not isinstance(before.keying, SdesKeys):
            return
        if not isinstance(now.keying, SdesKeys) or now.keying.ours != before.keying.ours:
            security = self._ours.security.renewed(before.keying.suite, self._random_bytes)
            self._ours = replace(self._ours, security=security)

    # --- names ----------------------------------------------------------------------------------

    async def _look_up(self, parameters: MediaParameters) -> None:
        """RFC 8866 §5.7 allows a name in c=; until its address is known, the stream only learns
        from what comes."""
        try:
            async with asyncio.timeout(LOOKUP_LIMIT):
                found = await self._names.addresses(parameters.host)
        except OSError as error:  # TimeoutError is one
            logger.info("media for %s: %s", parameters.host, error or "no answer in time")
            return
        address = next((a for a in found if can_be_reached(a, self._ours.host)), None)
        if address is None:
            logger.info("media for %s: it has no address that we could send to", parameters.host)
            return
        self._found = (parameters.host, address)
        self.parameters = parameters = replace(parameters, host=address)
        if self._began:
            self.stream.parked = self._is_parked(parameters)
            self.stream.update(parameters)

    def _look_no_more(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


class MediaFactory:
    """Opens the media of calls: the ports from the settings, one ticker for all streams, and one
    certificate for all handshakes."""

    def __init__(self, context: Context, start_port: int, nat: Nat | None = None) -> None:
        """nat: helps with address translation, where the settings want it."""
        self._context = context
        self._nat = nat
        self._ticker = Ticker(context.clock)
        self._names = Names(MAX_LOOKUPS)
        self._certificate: Certificate | None = None
        self.preparing: asyncio.Future[Certificate] | None = None  # done when all is loaded
        self._strictest = Encryption.NONE  # of those who are called by address
        self._peers = USUAL_WAYS  # of the same
        self._options: dict[str, tuple[Account, MediaOptions]] = {}  # of callers, by account
        self._event_type = EVENT_TYPE
        self.latency = NORMAL  # of the calls to come
        self._direction = Direction.SENDRECV
        self.tap = Tap()
        self._move(start_port)

    def apply(self, wanted: SipSettings) -> None:
        """Bring settings into effect for the calls to come."""
        if wanted.rtp_start_port != self._start_port:
            self._move(wanted.rtp_start_port)
        self._strictest = strictest_of_peers(wanted.accounts)
        self._peers = ways_of_peers(wanted.accounts)
        self._options.clear()
        self._event_type = wanted.dtmf_payload_type
        self._direction = _DIRECTIONS[wanted.audio_direction]
        for account in wanted.accounts:
            usable(account.codecs)  # finds the libraries now, and not when a call comes
        encrypting = (a.enabled and a.media_encryption != "none" for a in wanted.accounts)
        if wanted.enabled and any(encrypting):
            self._prepare()

    def for_caller(self, account: Account) -> MediaOptions:
        """What is wanted of the media of a call to this account."""
        known = self._options.get(account.name)
        if known is not None and known[0] is account:
            return known[1]
        options = MediaOptions.called(account, self._strictest).among(account, self._peers)
        self._options[account.name] = account, options
        return options

    def for_callee(self, account: Account) -> MediaOptions:
        """What is wanted of the media of a call that this account makes."""
        return MediaOptions.of(account).among(account, self._peers)

    def _move(self, start_port: int) -> None:
        self._start_port = start_port
        self._ports = {
            version: PortPairs(host, start_port, self._context.clock, self.tap)
            for version, host in ((4, "0.0.0.0"), (6, "::"))  # noqa: S104
        }

    def _prepare(self) -> None:
        """Load what encryption needs, beside the loop."""
        if self._certificate is None and self.preparing is None:
            wall = self._context.clock.wall()
            loop = asyncio.get_running_loop()
            self.preparing = loop.run_in_executor(None, _make_certificate, wall)
            self.preparing.add_done_callback(self._prepared)

    def open(
        self,
        flow: Flow,
        on_first: Callable[[], None],
        options: MediaOptions = PLAIN,
        *,
        on_event: EventPacket | None = None,
        on_samples: HeardSamples | None = None,
        on_failure: Callable[[], None] | None = None,
        prompt: bool = False,
    ) -> CallMedia:
        """Media on our address of this flow.

        on_first is told when the peer is first heard, on_event of its telephone events, on_samples
        of what it says if digits may be in that, on_failure when there can be no media that are
        encrypted, as they must be. prompt: a digit may be waited for (see Stream).
        Raises OSError when there is no free pair of ports.
        """
        ports = self._ports_for(flow)
        path = self._nat.path(flow, ports) if self._nat is not None else None
        stream = Stream(
            self._context,
            path or ports,
            self._ticker,
            shortest=self.latency.wait,
            on_first=on_first,
            on_event=on_event,
            ear=Ear(on_samples) if on_samples is not None and options.digits.inband else None,
            certifier=self._certify,
            prompt=prompt,
        )
        ours = Offerable(
            host=flow.local.host,
            rtp_port=stream.local_port,
            session_id=int.from_bytes(self._context.random_bytes(4)),
            codecs=options.codecs,
            event_type=self._event_type if options.digits.rtp else None,
            direction=self._direction,
            security=self._security(flow, options),
        )
        return CallMedia(self._context, stream, flow, ours, self._names, path, on_failure)

    def _ports_for(self, flow: Flow) -> PortPairs:
        """On all our addresses, unless the peer knows us by another than we would send from."""
        ports = self._ports[6 if ":" in flow.local.host else 4]
        try:
            usual = local_address_for(flow.remote.host)
        except OSError:
            return ports
        return ports if usual == flow.local.host else ports.at(flow.local.host)

    def _security(self, flow: Flow, options: MediaOptions) -> Security:
        if options.encryption is Encryption.NONE:
            return UNENCRYPTED
        random_bytes = self._context.random_bytes
        return Security(
            encryption=options.encryption,
            offered=options.keys,
            keys=make_keys(random_bytes),
            clear=flow.transport not in (Transport.TLS, Transport.WSS),
            fingerprint=Fingerprint("sha-256", self._certify().sha256),
            tls_id=random_bytes(16).hex(),
        )

    def _certify(self) -> "Certificate":
        """Our certificate; made here if the first call comes before it is prepared."""
        if self._certificate is None:
            self._certificate = _make_certificate(self._context.clock.wall())
        return self._certificate

    def _prepared(self, made: "asyncio.Future[Certificate]") -> None:
        if not made.cancelled() and self._certificate is None:
            self._certificate = made.result()


def _make_certificate(wall: datetime) -> "Certificate":
    """Imports the libraries that it needs, which takes a while the first time."""
    import pylibsrtp  # noqa: F401  # pyright: ignore[reportUnusedImport]

    from sipstrobe.rtp.dtls import Certificate

    return Certificate(wall)
