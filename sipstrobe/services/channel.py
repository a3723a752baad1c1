"""The way of one stream through the network: its sockets, who gets what comes in on them, and the
encryption of all that passes.

RFC 7983 tells datagrams apart by their first octet, RFC 5761 §4 RTCP from RTP by the second. SRTP
is taken off and put on here, so that nothing behind knows of it; while keys are awaited, nothing
passes.
"""

import logging
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Final, Protocol

from sipstrobe.clock import Clock, Handle
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.rtp.srtp import Keys, Srtp
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.sdp.security import DtlsKeys, SdesKeys

if TYPE_CHECKING:
    from sipstrobe.rtp.dtls import Certificate, Dtls

logger = logging.getLogger(__name__)

HANDSHAKE_TURN: Final = 0.005  # seconds between two looks at the sockets while keys are awaited
_DTLS, _MEDIA = range(20, 64), range(128, 192)  # RFC 7983 §7
_RTCP: Final = range(192, 224)  # RFC 5761 §4

Certifier = Callable[[], "Certificate"]  # who we are in a DTLS handshake


class Wire(Protocol):
    """One datagram socket."""

    port: int

    @property
    def dropped(self) -> int:
        """Datagrams that could not be sent."""
        ...

    @property
    def unreachable(self) -> int:
        """Times that the network said that one did not arrive."""
        ...

    def send(self, data: bytes, to: Endpoint) -> bool: ...
    def poll(self) -> None: ...
    def watch(self, wanted: bool) -> None: ...
    def close(self) -> None: ...


class Ports(Protocol):
    """Where pairs of RTP and RTCP sockets come from: io.udp.PortPairs."""

    def open(
        self, receive_rtp: Receive, receive_rtcp: Receive, *, polled: bool
    ) -> tuple[Wire, Wire]:
        """Raises OSError when no pair is free."""
        ...


class Channel:
    """Sockets and encryption of one stream; plain from the beginning until `follow`.

    receive, receive_rtcp: told what has come, as it was before it was encrypted. send: for RTP;
    straight to the socket while nothing is encrypted. ready: what is sent now can be understood by
    the peer. on_failure: told, with the reason in words, that there will be no keys for RTP.
    """

    def __init__(
        self,
        clock: Clock,
        ports: Ports,
        receive: Receive,
        receive_rtcp: Receive,
        certifier: Certifier | None = None,
    ) -> None:
        """Raises OSError when there is no free pair of ports. certifier: needed for DTLS only."""
        self.ready = True
        self.on_failure: Callable[[str], None] | None = None
        self.foreign = 0  # datagrams that are neither DTLS nor media
        self._clock = clock
        self._receive: Receive = receive
        self._receive_rtcp: Receive = receive_rtcp
        self._certifier = certifier
        self._simple = False  # what comes in for RTP is nothing else
        self._mux = False
        self._keying: SdesKeys | DtlsKeys | None = None
        self._srtp: list[Srtp | None] = [None, None]  # of the sockets for RTP and for RTCP
        self._dtls: list[Dtls | None] = [None, None]
        self._failed = self._replayed = 0  # of SRTP that is no longer in use
        self._told = False  # that the handshake has failed
        self._parked = False
        self._peers: tuple[Endpoint | None, Endpoint | None] = (None, None)
        self._turn: Handle | None = None
        self.rtp, self.rtcp = ports.open(self._take, self._take_rtcp, polled=True)
        self.send: Callable[[bytes, Endpoint], object] = self.rtp.send

    # --- life -----------------------------------------------------------------------------------

    def follow(
        self,
        agreed: MediaParameters,
        rtp: Endpoint | None,
        rtcp: Endpoint | None,
        *,
        parked: bool,
        known: Container[str] = (),
    ) -> None:
        """Bring into effect what SDP has settled. rtp, rtcp: where the peer wants to be sent to.

        Keys that stay the same stay in use as they are. parked: we may not begin anything. known:
        further hosts from which the peer may well send.
        """
        self._mux, self._parked, self._peers = agreed.rtcp_mux, parked, (rtp, rtcp)
        before, self._keying = self._keying, agreed.keying
        match agreed.keying:
            case None:
                self._end_handshakes()
                self._forget(0, 1)
            case SdesKeys() as keys:
                self._end_handshakes()
                self._protect((0, 1), Keys(keys.suite, keys.ours), Keys(keys.suite, keys.theirs))
            case DtlsKeys() as keys:
                if not keys.same_association(before):
                    self._end_handshakes()
                    self._await_handshakes(keys, known)
                self._aim()
        self.ready = agreed.keying is None or self._srtp[0] is not None
        self.send = self.rtp.send if agreed.keying is None else self._send_protected
        self._simple = agreed.keying is None and not self._mux

    def unpark(self) -> None:
        """The peer hears us: handshakes may begin."""
        self._parked = False
        self._aim()

    def extend(self) -> None:
        """Handshakes have all of their time again, those too that have come to nothing."""
        if self._srtp[0] is not None:
            return
        self._told = False
        for wire, dtls in enumerate(self._dtls):
            if dtls is not None:
                dtls.extend(now=self._clock.now())
                self._settle(wire, dtls)
        self._wait()

    def close(self) -> None:
        self._end_handshakes()
        self.rtp.close()
        self.rtcp.close()
        self.on_failure = None

    # --- what is known --------------------------------------------------------------------------

    @property
    def encryption(self) -> str:
        """The suite of SRTP (RFC 4568 §6.2), empty when nothing is encrypted yet or at all."""
        srtp = self._srtp[0]
        return srtp.outbound.keys.suite if srtp is not None else ""

    @property
    def undecipherable(self) -> int:
        """Packets that did not stand the test of their encryption."""
        return self._failed + sum(srtp.inbound.failed for srtp in self._each_srtp())

    @property
    def replayed(self) -> int:
        """Packets that had come before."""
        return self._replayed + sum(srtp.inbound.replayed for srtp in self._each_srtp())

    @property
    def trouble(self) -> str:
        """Why there are no keys, in words; empty: nothing is wrong."""
        return next((dtls.trouble for dtls in self._dtls if dtls is not None and dtls.trouble), "")

    # --- sending --------------------------------------------------------------------------------

    def send_rtcp(self, packet: bytes, to: Endpoint) -> None:
        """Send RTCP, by the socket that was agreed."""
        if self._parked:
            return
        if self._keying is not None:
            srtp = self._srtp[0 if self._mux else 1]
            protected = srtp.outbound.protect_rtcp(packet) if srtp is not None else None
            if protected is None:
                return
            packet = protected
        (self.rtp if self._mux else self.rtcp).send(packet, to)

    def _send_protected(self, packet: bytes, to: Endpoint) -> None:
        srtp = self._srtp[0]
        protected = srtp.outbound.protect(packet) if srtp is not None else None
        if protected is not None:
            self.rtp.send(protected, to)

    # --- receiving ------------------------------------------------------------------------------

    def _take(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if self._simple:
            self._receive(data, source, received_at)
        elif not data or data[0] not in _MEDIA:
            self._take_other(0, data, source)
        elif self._mux and len(data) > 1 and data[1] in _RTCP:
            self._take_report(0, data, source, received_at)
        elif self._keying is None:
            self._receive(data, source, received_at)
        elif (srtp := self._srtp[0]) is not None:
            opened = srtp.inbound.unprotect(data)
            if opened is not None:
                self._receive(opened, source, received_at)

    def _take_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if not data or data[0] not in _MEDIA:
            self._take_other(1, data, source)
        elif not self._mux:
            self._take_report(1, data, source, received_at)

    def _take_report(self, wire: int, data: bytes, source: Endpoint, received_at: float) -> None:
        if self._keying is None:
            self._receive_rtcp(data, source, received_at)
        elif (srtp := self._srtp[wire]) is not None:
            opened = srtp.inbound.unprotect_rtcp(data)
            if opened is not None:
                self._receive_rtcp(opened, source, received_at)

    def _take_other(self, wire: int, data: bytes, source: Endpoint) -> None:
        dtls, first = self._dtls[wire], data[0] if data else -1
        if first in _DTLS and dtls is not None:
            dtls.receive(data, source, now=self._clock.now())
            self._settle(wire, dtls)
        else:
            self.foreign += 1

    def _each_srtp(self) -> list[Srtp]:
        """Each once; both sockets share one unless each has had a handshake of its own."""
        rtp, rtcp = self._srtp
        return [srtp for srtp in (rtp, None if rtcp is rtp else rtcp) if srtp is not None]

    # --- keys -----------------------------------------------------------------------------------

    def _protect(self, wires: tuple[int, ...], ours: Keys, theirs: Keys) -> None:
        if len(wires) == 1 and self._srtp[0] is self._srtp[1]:
            self._forget(0, 1)
        srtp = self._srtp[wires[0]]
        if srtp is None:
            srtp = Srtp(ours, theirs)
        else:
            srtp.change(ours, theirs)
        before = self.encryption
        for wire in wires:
            self._srtp[wire] = srtp
        if self.encryption != before:
            logger.info("port %d: media are encrypted with %s", self.rtp.port, self.encryption)

    def _forget(self, *wires: int) -> None:
        self._failed, self._replayed = self.undecipherable, self.replayed
        for wire in wires:
            self._srtp[wire] = None

    def _await_handshakes(self, keys: DtlsKeys, known: Container[str]) -> None:
        """RFC 5764 §4.1: one for each socket in use. Until then keys from before are good."""
        from sipstrobe.rtp.dtls import Dtls

        assert self._certifier is not None
        certificate, self._told = self._certifier(), False
        for wire in (0,) if self._mux else (0, 1):
            self._dtls[wire] = Dtls(certificate, keys.fingerprints, active=keys.active, known=known)

    def _aim(self) -> None:
        """Tell the handshakes where the peer is; an active one begins when it is told."""
        for wire, dtls in enumerate(self._dtls):
            if dtls is not None:
                peer = None if self._parked and dtls.active else self._peers[wire]
                dtls.start(peer, now=self._clock.now())
                self._settle(wire, dtls)
        self._wait()

    def _look(self) -> None:
        """A turn of our own: those of the stream are too far apart for a handshake."""
        self._turn = None
        self.rtp.poll()
        for wire, dtls in enumerate(self._dtls):
            if dtls is not None and dtls.deadline is not None:
                dtls.wake(now=self._clock.now())
                self._settle(wire, dtls)
        self._wait()

    def _wait(self) -> None:
        waiting = any(dtls is not None and dtls.deadline is not None for dtls in self._dtls)
        if waiting and self._turn is None:
            self._turn = self._clock.call_at(self._clock.now() + HANDSHAKE_TURN, self._look)

    def _settle(self, wire: int, dtls: "Dtls") -> None:
        sender = self.rtcp if wire else self.rtp
        while dtls.outbox:
            sender.send(*dtls.outbox.popleft())
        keys = dtls.keys
        srtp = self._srtp[wire]
        if dtls.failed and wire == 0:
            self._fail(dtls.trouble)
        if keys is None or (srtp is not None and srtp.outbound.keys == keys.ours):
            return
        wires = (0, 1) if self._mux else (wire,)
        self._protect(wires, keys.ours, keys.theirs)
        self.ready = self._srtp[0] is not None

    def _fail(self, trouble: str) -> None:
        """Say it once; keys from before stay in use."""
        if self._told:
            return
        self._told = True
        logger.info("port %d: no keys for media: %s", self.rtp.port, trouble)
        if self.on_failure is not None and self._srtp[0] is None:
            self.on_failure(trouble)

    def _end_handshakes(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for wire, dtls in enumerate(self._dtls):
            if dtls is not None:
                dtls.close()
                self._settle(wire, dtls)
            self._dtls[wire] = None
