"""Two channels on a network that a test holds in its hands."""

import base64
from dataclasses import dataclass, field
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.dtls import LIMIT, Certificate, Dtls
from sipstrobe.sdp.description import Direction
from sipstrobe.sdp.fingerprint import Fingerprint
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.sdp.security import DtlsKeys, Keying, SdesKeys
from sipstrobe.secret import Secret
from sipstrobe.services.channel import Channel
from tests.support.clock import FakeClock

HERE, THERE = "192.0.2.1", "192.0.2.2"
GCM = "AEAD_AES_256_GCM"
REPORT = rtcp.compound((rtcp.Report(7, None), rtcp.Description(((7, "cname"),))))


def sound(number: int, ssrc: int = 7) -> bytes:
    return packet.build(0, False, number & 0xFFFF, number * 160, ssrc, bytes([number & 255]) * 160)


def sdes(ours: int, theirs: int, suite: str = GCM) -> SdesKeys:
    """Keys that are told apart by a number."""
    here, there = (Secret(base64.b64encode(bytes([n]) * 44).decode()) for n in (ours, theirs))
    return SdesKeys(tag=1, suite=suite, ours=here, theirs=there)


@cache
def certificate(name: str) -> Certificate:
    return Certificate(FakeClock().wall())


def dtls(peer: str, *, active: bool, tls_id: str = "") -> DtlsKeys:
    print_ = Fingerprint("sha-256", certificate(peer).sha256)
    return DtlsKeys(fingerprints=(print_,), active=active, tls_id=tls_id or None, our_tls_id="")


@dataclass
class Wire:
    net: "Net"
    host: str
    port: int
    receive: Receive
    dropped: int = 0
    unreachable: int = 0
    closed: bool = False

    def send(self, data: bytes, to: Endpoint) -> bool:
        assert not self.closed
        self.net.sent.append(data)
        if to in self.net.wires and not self.net.broken:
            self.net.wires[to].receive(data, (self.host, self.port), self.net.clock.time)
        return True

    def poll(self) -> None:
        """Everything has been delivered at once."""

    def watch(self, wanted: bool) -> None:
        """So it is in any case."""

    def close(self) -> None:
        self.closed = True


@dataclass
class Net:
    clock: FakeClock = field(default_factory=lambda: FakeClock(10.0))
    wires: dict[Endpoint, Wire] = field(default_factory=dict[Endpoint, Wire])
    sent: list[bytes] = field(default_factory=list[bytes])
    broken: bool = False


class End:
    """A channel, and what has come out of it."""

    def __init__(self, net: Net, host: str, peer: str) -> None:
        self.net, self.host, self.peer = net, host, peer
        self.heard: list[bytes] = []
        self.reports: list[bytes] = []
        self.channel = Channel(
            net.clock,
            self,
            lambda data, source, at: self.heard.append(data),
            lambda data, source, at: self.reports.append(data),
            lambda: certificate(host),
        )

    def open(
        self, receive_rtp: Receive, receive_rtcp: Receive, *, polled: bool
    ) -> tuple[Wire, Wire]:
        pair = (
            Wire(self.net, self.host, 4000, receive_rtp),
            Wire(self.net, self.host, 4001, receive_rtcp),
        )
        self.net.wires |= {(wire.host, wire.port): wire for wire in pair}
        return pair

    def follow(
        self,
        keying: Keying | None,
        *,
        mux: bool = True,
        parked: bool = False,
        known: tuple[str, ...] = (),
    ) -> None:
        agreed = MediaParameters(
            host=self.peer,
            rtp_port=4000,
            rtcp_port=4000 if mux else 4001,
            codec="PCMU",
            payload_type=0,
            receive_types={0: "PCMU"},
            event_type=None,
            receive_event_types={},
            ptime_ms=20,
            direction=Direction.SENDRECV,
            on_hold=False,
            rtcp_mux=mux,
            keying=keying,
        )
        rtcp_at = (self.peer, agreed.rtcp_port)
        self.channel.follow(agreed, (self.peer, 4000), rtcp_at, parked=parked, known=known)

    def say(self, number: int, ssrc: int = 7) -> None:
        self.channel.send(sound(number, ssrc), (self.peer, 4000))

    def report(self, port: int = 4000) -> None:
        self.channel.send_rtcp(REPORT, (self.peer, port))


def pair() -> tuple[End, End]:
    net = Net()
    return End(net, HERE, THERE), End(net, THERE, HERE)


def shake(one: End, other: End, *, mux: bool = True) -> None:
    one.follow(dtls(THERE, active=True), mux=mux)
    other.follow(dtls(HERE, active=False), mux=mux)
    one.net.clock.advance(0.2)


# --- unencrypted --------------------------------------------------------------------------------


@pytest.mark.parametrize(("mux", "port"), [(True, 4000), (False, 4001)])
def test_sound_and_reports_pass_as_they_are(mux: bool, port: int) -> None:
    """RFC 5761 §4: on one port they are told apart by the second octet."""
    one, other = pair()
    one.follow(None, mux=mux)
    other.follow(None, mux=mux)

    one.say(1)
    one.report(port)

    assert one.net.sent == [sound(1), REPORT]
    assert (other.heard, other.reports) == ([sound(1)], [REPORT])
    assert one.channel.encryption == ""
    assert one.channel.ready


@given(st.binary(max_size=40), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_datagram_goes_to_whom_it_is_for(data: bytes, mux: bool, encrypted: bool) -> None:
    """RFC 7983 §7, and nothing that comes raises anything."""
    one, _ = pair()
    one.follow(sdes(1, 2) if encrypted else None, mux=mux)

    one.net.wires[HERE, 4000].receive(data, (THERE, 4000), 10.0)
    one.net.wires[HERE, 4001].receive(data, (THERE, 4001), 10.0)

    first = data[0] if data else 256
    if not (mux or encrypted):
        assert one.heard == [data], "what nothing else can be, the session looks at itself"
    elif not 128 <= first < 192 or encrypted:
        assert not one.heard
    if not 128 <= first < 192 or encrypted:
        assert not one.reports


def test_a_third_address_is_sent_no_reports_either() -> None:
    """Until the peer has shown that it hears us."""
    one, _ = pair()
    one.follow(None, parked=True)
    one.report()
    assert not one.net.sent

    one.channel.unpark()
    one.report()

    assert one.net.sent == [REPORT]


# --- keys from the signalling -------------------------------------------------------------------


@pytest.mark.parametrize(("mux", "port"), [(True, 4000), (False, 4001)])
def test_with_keys_nobody_else_can_hear_it(mux: bool, port: int) -> None:
    one, other = pair()
    one.follow(sdes(1, 2), mux=mux)
    other.follow(sdes(2, 1), mux=mux)

    one.say(1)
    one.report(port)

    assert sound(1)[12:] not in one.net.sent[0]
    assert REPORT[8:] not in one.net.sent[1]
    assert (other.heard, other.reports) == ([sound(1)], [REPORT])
    assert other.channel.encryption == GCM


def test_what_is_not_encrypted_is_not_heard_any_more() -> None:
    one, other = pair()
    other.follow(sdes(2, 1))

    one.say(1)

    assert not other.heard
    assert other.channel.undecipherable == 1


def test_a_re_invite_with_the_same_keys_keeps_what_is_known() -> None:
    """RFC 4568 §7.1.4: the rollover counter is in no packet; who forgets it hears no more."""
    one, other = pair()
    one.follow(sdes(1, 2))
    other.follow(sdes(2, 1))
    for number in range(0, 70_000, 10_000):
        one.say(number)

    one.follow(replace(sdes(1, 2), tag=9))
    other.follow(replace(sdes(2, 1), tag=9))
    one.say(70_000)

    assert len(other.heard) == 8
    assert other.channel.undecipherable == 0


def test_a_new_key_comes_without_a_gap() -> None:
    """The side that answers has it first; what is on the way then is under the one before."""
    one, other = pair()
    one.follow(sdes(1, 2))
    other.follow(sdes(2, 1))
    one.say(1)

    other.follow(sdes(2, 3))
    one.say(2)
    one.follow(sdes(3, 2))
    one.say(3)

    assert other.heard == [sound(1), sound(2), sound(3)]
    assert other.channel.undecipherable == 0


def test_an_ssrc_of_either_side_may_change() -> None:
    one, other = pair()
    one.follow(sdes(1, 2))
    other.follow(sdes(2, 1))

    for ssrc in range(30):
        one.say(1, ssrc)

    assert len(other.heard) == 30


def test_a_call_may_become_plain_and_counts_go_on() -> None:
    """RFC 3264 §8: as it is agreed."""
    one, other = pair()
    other.follow(sdes(2, 1))
    one.say(1)

    other.follow(None)
    one.say(2)

    assert other.heard == [sound(2)]
    assert other.channel.undecipherable == 1
    assert other.channel.encryption == ""


# --- keys from a handshake ----------------------------------------------------------------------


@pytest.mark.parametrize("mux", [True, False])
def test_a_handshake_makes_the_keys(mux: bool) -> None:
    """RFC 5764 §4.1: one for each port that is in use."""
    one, other = pair()

    shake(one, other, mux=mux)
    one.say(1)
    other.say(1)
    one.report(4000 if mux else 4001)

    assert one.channel.ready
    assert one.channel.encryption == other.channel.encryption == GCM
    assert (other.heard, one.heard) == ([sound(1)], [sound(1)])
    assert other.reports == [REPORT]
    assert one.net.clock.waiting == 0


def test_until_then_nothing_is_sent_or_heard() -> None:
    one, other = pair()
    one.follow(dtls(THERE, active=True))

    one.say(1)
    one.report()
    one.net.wires[HERE, 4000].receive(sound(1), (THERE, 4000), 10.0)

    assert not one.channel.ready
    assert not one.heard
    assert not other.heard
    assert all(20 <= data[0] < 64 for data in one.net.sent)


def test_the_other_certificate_makes_no_keys_and_it_is_said_why() -> None:
    """RFC 5763 §5."""
    one, other = pair()
    one.follow(dtls("somebody else", active=True))
    other.follow(dtls(HERE, active=False))

    one.net.clock.advance(LIMIT + 1)
    one.say(1)

    assert not one.channel.ready
    assert not other.heard
    assert "certificate is not the one" in one.channel.trouble
    assert one.net.clock.waiting == 0


@pytest.mark.parametrize("mux", [True, False])
def test_nobody_there_ends_with_a_reason(mux: bool) -> None:
    one, _ = pair()
    one.net.broken = True
    told: list[str] = []
    one.channel.on_failure = told.append

    one.follow(dtls(THERE, active=True), mux=mux)
    one.net.clock.advance(LIMIT + 1)

    assert one.channel.trouble == "the other side has not finished the DTLS handshake"
    assert told == [one.channel.trouble]
    assert one.net.clock.waiting == 0
    assert len(one.net.sent) < (20 if mux else 40)


def test_a_later_handshake_that_fails_leaves_the_keys_there_are() -> None:
    one, other = pair()
    shake(one, other)
    told: list[str] = []
    one.channel.on_failure = told.append

    one.follow(dtls(THERE, active=True, tls_id="a" * 20))
    one.net.clock.advance(LIMIT + 1)
    one.say(1)

    assert one.channel.trouble
    assert not told
    assert other.heard == [sound(1)]


@pytest.mark.parametrize("after", [LIMIT - 1, LIMIT + 1])
def test_who_begins_only_when_the_call_is_answered_is_in_time(after: float) -> None:
    """Early media may have been agreed on long before."""
    one, other = pair()
    told: list[str] = []
    one.channel.on_failure = told.append
    one.follow(dtls(THERE, active=True))
    one.net.clock.advance(after)
    told.clear()

    one.channel.extend()
    one.net.clock.advance(3.0)
    other.follow(dtls(HERE, active=False))
    one.net.clock.advance(5.0)

    assert one.channel.ready
    assert other.channel.ready
    assert (one.channel.trouble, told) == ("", [])
    assert one.net.clock.waiting == 0


def test_reports_that_have_no_keys_are_no_reason_to_end() -> None:
    """RFC 5764 §4.1: without a=rtcp-mux they have a handshake of their own."""
    one, other = pair()
    del one.net.wires[THERE, 4001]
    told: list[str] = []
    one.channel.on_failure = told.append

    shake(one, other, mux=False)
    one.net.clock.advance(LIMIT + 1)

    assert one.channel.ready
    assert not told


def test_behind_a_nat_the_host_that_signals_comes_before_a_stranger() -> None:
    net = Net()
    one, other = End(net, HERE, THERE), End(net, THERE, "10.0.0.1")
    rival = Dtls(certificate("rival"), [("sha-256", certificate(THERE).sha256)], active=True)
    rival.start((THERE, 4000), now=net.clock.time)
    other.follow(dtls(HERE, active=False), known=(HERE,))
    net.wires[THERE, 4000].receive(rival.outbox[0][0], ("198.51.100.1", 9), net.clock.time)

    one.follow(dtls(THERE, active=True))
    net.clock.advance(0.2)

    assert one.channel.ready
    assert other.channel.ready


def test_a_third_address_is_sent_nothing_before_the_peer_has_shown_itself() -> None:
    """A forged INVITE must not make us knock at anybody's door."""
    one, other = pair()
    other.follow(dtls(HERE, active=False), parked=True)
    one.follow(dtls(THERE, active=True), parked=True)
    one.net.clock.advance(1.0)
    assert not one.net.sent

    one.channel.unpark()
    one.net.clock.advance(0.2)

    assert one.channel.ready
    assert other.channel.ready


def test_a_re_invite_of_the_same_association_changes_nothing() -> None:
    """RFC 8842 §5.5."""
    one, other = pair()
    shake(one, other)
    one.say(1)
    sent = len(one.net.sent)

    one.follow(dtls(THERE, active=True))
    other.follow(dtls(HERE, active=False))
    one.net.clock.advance(1.0)
    one.say(2)

    assert len(one.net.sent) == sent + 1
    assert other.heard == [sound(1), sound(2)]


def test_who_changes_roles_makes_new_keys() -> None:
    """RFC 5763 §6.6: a new connection, even with the same certificates."""
    one, other = pair()
    shake(one, other)
    one.say(1)
    before = one.net.sent[-1]

    one.follow(dtls(THERE, active=False))
    other.follow(dtls(HERE, active=True))
    one.net.clock.advance(1.0)
    one.say(1)

    assert other.heard == [sound(1), sound(1)]
    assert one.net.sent[-1] != before


def test_another_association_takes_over_without_a_gap() -> None:
    """RFC 8842 §5.1: until it has its keys, those from before are good."""
    one, other = pair()
    shake(one, other)
    before = "a" * 20

    other.follow(dtls(HERE, active=False, tls_id=before))
    one.say(1)
    one.follow(dtls(THERE, active=True, tls_id=before))
    one.net.clock.advance(0.2)
    one.say(2)
    other.say(2)

    assert other.heard == [sound(1), sound(2)]
    assert one.heard == [sound(2)]


@pytest.mark.parametrize("mux", [True, False])
def test_from_keys_in_the_signalling_to_a_handshake_and_back(mux: bool) -> None:
    one, other = pair()
    one.follow(sdes(1, 2), mux=mux)
    other.follow(sdes(2, 1), mux=mux)
    one.say(1)

    shake(one, other, mux=mux)
    one.say(2)
    one.report(4000 if mux else 4001)
    one.follow(sdes(3, 4), mux=mux)
    other.follow(sdes(4, 3), mux=mux)
    one.say(3)
    one.report(4000 if mux else 4001)

    assert other.heard == [sound(1), sound(2), sound(3)]
    assert other.reports == [REPORT, REPORT]


def test_in_the_end_it_says_goodbye_and_waits_for_nothing() -> None:
    one, other = pair()
    shake(one, other)

    one.channel.close()

    assert one.net.sent[-1][0] == 21  # alert; RFC 5246 §7.2
    assert one.net.wires[HERE, 4000].closed
    assert one.net.clock.waiting == 0
    other.channel.close()


def test_closing_in_the_middle_of_a_handshake() -> None:
    one, _ = pair()
    one.net.broken = True
    one.follow(dtls(THERE, active=True))

    one.channel.close()

    assert one.net.clock.waiting == 0


@given(
    st.lists(st.tuples(st.sampled_from([20, 21, 22, 23, 25]), st.binary(max_size=80)), max_size=8)
)
@settings(max_examples=60, deadline=None)
def test_garbage_between_the_flights_is_survived(rubbish: list[tuple[int, bytes]]) -> None:
    """It may keep the two from meeting, when it comes from where the peer is; it raises nothing."""
    one, other = pair()
    one.follow(dtls(THERE, active=True))
    for first, rest in rubbish:
        one.net.wires[HERE, 4000].receive(bytes([first]) + rest, ("198.51.100.1", 9), 10.0)
        one.net.wires[THERE, 4000].receive(bytes([first]) + rest, (HERE, 4000), 10.0)

    other.follow(dtls(HERE, active=False))
    one.net.clock.advance(1.0)

    assert one.channel.ready
    assert other.channel.ready
