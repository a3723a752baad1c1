"""DTLS-SRTP between two of us: RFC 5763, RFC 5764, on a network that does its worst."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.rtp import dtls
from sipstrobe.rtp.dtls import Certificate, Dtls
from sipstrobe.rtp.latch import Address

CLIENT, SERVER, OUTSIDER = ("192.0.2.1", 4000), ("192.0.2.2", 5000), ("198.51.100.7", 666)
START = 10.0
WALL = datetime(2030, 1, 1, tzinfo=UTC)

Loses = Callable[[int], bool]  # the how manieth datagram


@cache
def certificate(name: str) -> Certificate:
    """Its owner's only one; a new one for each name."""
    return Certificate(WALL)


def fingerprint(name: str) -> tuple[str, bytes]:
    return "sha-256", certificate(name).sha256


class Pair:
    """A client, a server, and the way between them. loses: which datagrams never arrive."""

    def __init__(
        self,
        *,
        expected: tuple[tuple[str, bytes], ...] | None = None,
        server_knows: Address | None = CLIENT,
        loses: Loses = lambda number: False,
    ) -> None:
        """expected: of the client by the server."""
        of_client = expected or (fingerprint("client"),)
        self.client = Dtls(certificate("client"), [fingerprint("server")], active=True)
        self.server = Dtls(certificate("server"), of_client, active=False)
        self.now = START
        self.sent = 0
        self._loses = loses
        self.server.start(server_knows, now=self.now)
        self.client.start(SERVER, now=self.now)

    def carry(self) -> None:
        """Everything that is on the way arrives, or does not."""
        while self.client.outbox or self.server.outbox:
            for one, other, source in (
                (self.client, self.server, CLIENT),
                (self.server, self.client, SERVER),
            ):
                while one.outbox:
                    data, _ = one.outbox.popleft()
                    assert len(data) <= dtls.MTU
                    self.sent += 1
                    if not self._loses(self.sent):
                        other.receive(data, source, now=self.now)

    def run(self, seconds: float = 30.0) -> None:
        """Let the clock go from one deadline to the next."""
        self.carry()
        while deadlines := [e.deadline for e in (self.client, self.server) if e.deadline]:
            self.now = min(deadlines)
            if self.now > START + seconds:
                return
            self.client.wake(now=self.now)
            self.server.wake(now=self.now)
            self.carry()


def test_both_ends_make_the_same_keys_at_once() -> None:
    """RFC 5764 §4.2: what one sends with is what the other receives with."""
    pair = Pair()

    pair.carry()

    assert pair.client.keys is not None
    assert pair.server.keys is not None
    assert pair.client.keys.ours == pair.server.keys.theirs
    assert pair.client.keys.theirs == pair.server.keys.ours
    assert pair.client.keys.ours != pair.client.keys.theirs
    assert pair.client.keys.ours.suite == "AEAD_AES_256_GCM"
    assert pair.client.deadline is None
    assert pair.server.deadline is None


def test_keys_are_not_shown() -> None:
    pair = Pair()
    pair.carry()
    assert pair.client.keys is not None

    assert pair.client.keys.ours.key.reveal() not in repr(pair.client.keys)


@pytest.mark.parametrize("lost", range(1, 9))
def test_any_datagram_may_be_lost(lost: int) -> None:
    """RFC 6347 §4.2.4: flights are repeated, the last one when the other side repeats."""
    pair = Pair(loses=lambda number: number == lost)

    pair.run()

    assert pair.client.keys is not None
    assert pair.server.keys is not None
    assert pair.now <= START + 0.4


@given(st.lists(st.booleans(), max_size=12))
@settings(max_examples=40, deadline=None)
def test_whatever_is_lost_at_first_the_rest_is_enough(pattern: list[bool]) -> None:
    pair = Pair(loses=lambda number: number <= len(pattern) and pattern[number - 1])

    pair.run()

    assert pair.client.keys is not None
    assert pair.server.keys is not None
    assert pair.client.keys.ours == pair.server.keys.theirs


def test_who_gets_no_answer_gives_up_with_a_reason() -> None:
    pair = Pair(loses=lambda number: True)

    pair.run(60.0)

    for end in (pair.client, pair.server):
        assert end.failed
        assert end.trouble == "the other side has not finished the DTLS handshake"
        assert end.keys is None
    assert pair.now == START + dtls.LIMIT
    assert pair.sent <= 16


@pytest.mark.parametrize("digest", [("sha-256", bytes(32)), ("sha-1", bytes(20))])
def test_another_certificate_than_the_announced_one_gives_no_keys(
    digest: tuple[str, bytes],
) -> None:
    """RFC 5763 §5: the fingerprint in SDP decides."""
    pair = Pair(expected=(digest,))

    pair.run()

    assert pair.server.keys is None
    assert pair.server.failed
    assert pair.server.trouble == (
        "the certificate is not the one that the signalling has announced"
    )


def test_handshakes_that_fail_are_tried_again_and_not_for_ever() -> None:
    """An outsider may have spoilt the first."""
    pair = Pair(expected=(("sha-256", bytes(32)),))
    failed_after = 0
    while not pair.server.failed:
        pair.client = Dtls(certificate("client"), [fingerprint("server")], active=True)
        pair.client.start(SERVER, now=pair.now)
        pair.carry()
        failed_after += 1

    assert failed_after == dtls.MAX_ATTEMPTS


def test_of_several_fingerprints_the_strongest_kind_counts() -> None:
    """RFC 8122 §5: any of them, but of the strongest function only."""
    good = Pair(expected=(("sha-256", bytes(32)), fingerprint("client"), ("sha-1", bytes(20))))
    weak = Pair(expected=(("sha-512", bytes(64)), fingerprint("client")))

    good.carry()
    weak.carry()

    assert good.server.keys is not None
    assert weak.server.keys is None


def test_an_outsider_who_came_first_does_not_keep_the_peer_out() -> None:
    """The address of SDP has the last word, as for RTP."""
    pair = Pair()
    intruder = Dtls(certificate("intruder"), [fingerprint("server")], active=True)
    intruder.start(SERVER, now=START)
    pair.server.receive(intruder.outbox[0][0], OUTSIDER, now=START)
    assert {to for _, to in pair.server.outbox} == {OUTSIDER}
    pair.server.outbox.clear()

    pair.carry()

    assert pair.client.keys is not None
    assert pair.server.keys is not None


def test_an_outsider_cannot_join_a_handshake() -> None:
    pair = Pair()
    pair.server.receive(pair.client.outbox[0][0], CLIENT, now=START)
    intruder = Dtls(certificate("intruder"), [fingerprint("server")], active=True)
    intruder.start(SERVER, now=START)
    before = len(pair.server.outbox)

    pair.server.receive(intruder.outbox[0][0], OUTSIDER, now=START)

    assert len(pair.server.outbox) == before


def test_a_peer_behind_a_nat_is_spoken_to_where_it_is() -> None:
    """SDP names an address that nobody sends from."""
    pair = Pair(server_knows=("10.0.0.1", 4000))

    pair.carry()

    assert pair.server.keys is not None


def test_a_client_waits_until_it_knows_where_to() -> None:
    late = Dtls(certificate("client"), [fingerprint("server")], active=True)
    late.start(None, now=START)
    assert not late.outbox

    late.start(SERVER, now=START + 1)

    assert late.outbox[0][1] == SERVER


def test_what_comes_afterwards_changes_nothing() -> None:
    pair = Pair()
    pair.carry()
    keys = pair.server.keys

    for data in (b"\x14", b"\x16" * 40, b"\x15\xfe\xfd" + bytes(20)):
        pair.server.receive(data, CLIENT, now=START + 1)

    assert pair.server.keys == keys
    assert not pair.server.failed


def test_the_last_flight_is_not_repeated_for_ever() -> None:
    pair = Pair()
    pair.carry()

    for _ in range(1000):
        pair.server.receive(b"\x16" + bytes(50), CLIENT, now=START + 1)

    assert len(pair.server.outbox) <= 2 * dtls.MAX_REPEATS


def test_who_goes_says_so() -> None:
    pair = Pair()
    pair.carry()

    pair.client.close()

    assert pair.client.outbox[0][0][0] == 21  # an alert


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6))
@settings(max_examples=100, deadline=None)
def test_garbage_never_hurts(datagrams: list[bytes]) -> None:
    """Nothing is raised, and the handshake goes on after it."""
    pair = Pair()
    for data in datagrams:
        pair.server.receive(b"\x16" + data, OUTSIDER, now=START)
        pair.client.receive(b"\x16" + data, SERVER, now=START)
    pair.server.outbox.clear()

    pair.run()

    assert pair.client.keys is not None or pair.client.failed
    assert pair.server.keys is not None or pair.server.failed or pair.server.deadline is not None
