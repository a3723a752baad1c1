"""DTLS-SRTP between two of us: RFC 5763, RFC 5764, on a network that does its worst."""

import resource
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

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


def memory() -> int:
    """Bytes of this process, those of OpenSSL too."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def stranger(name: str = "intruder") -> Dtls:
    """Somebody who would like to take part."""
    made = Dtls(certificate(name), [fingerprint("server")], active=True)
    made.start(SERVER, now=START)
    return made


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
    intruder = stranger()
    pair.server.receive(intruder.outbox[0][0], OUTSIDER, now=START)
    assert {to for _, to in pair.server.outbox} == {OUTSIDER}
    pair.server.outbox.clear()

    pair.carry()

    assert pair.client.keys is not None
    assert pair.server.keys is not None


def test_an_outsider_cannot_join_a_handshake() -> None:
    pair = Pair()
    pair.server.receive(pair.client.outbox[0][0], CLIENT, now=START)
    intruder = stranger()
    before = len(pair.server.outbox)

    pair.server.receive(intruder.outbox[0][0], OUTSIDER, now=START)

    assert len(pair.server.outbox) == before


def test_a_peer_behind_a_nat_is_spoken_to_where_it_is() -> None:
    """SDP names an address that nobody sends from."""
    pair = Pair(server_knows=("10.0.0.1", 4000))

    pair.carry()

    assert pair.server.keys is not None


NAT, OTHER_PORT = ("203.0.113.5", 61000), ("203.0.113.5", 61001)


def behind_nat(*, known: tuple[str, ...] = ()) -> Dtls:
    """A server that knows of its client only an address that means nothing."""
    server = Dtls(certificate("server"), [fingerprint("client")], active=False, known=known)
    server.start(("10.0.0.1", 4000), now=START)
    return server


def meet(server: Dtls, client: Dtls, source: Address, *, now: float = START) -> bool:
    """All that they have to say to each other; whether there are keys."""
    while client.outbox or server.outbox:
        while client.outbox:
            server.receive(client.outbox.popleft()[0], source, now=now)
        while server.outbox:
            data, to = server.outbox.popleft()
            if to == source:
                client.receive(data, SERVER, now=now)
    return server.keys is not None


@pytest.mark.parametrize("data", [b"\x16", b"\x14" * 40, b"\x16" * 40])
def test_what_begins_no_handshake_does_not_keep_a_peer_behind_a_nat_out(data: bytes) -> None:
    server = behind_nat()

    server.receive(data, OUTSIDER, now=START)

    assert meet(server, stranger("client"), NAT)


def test_a_host_that_signals_comes_before_strangers() -> None:
    """The one that the INVITE came from is most likely to send the media, too."""
    server = behind_nat(known=(NAT[0],))
    server.receive(stranger().outbox[0][0], OUTSIDER, now=START)
    server.outbox.clear()

    assert meet(server, stranger("client"), NAT)


def test_who_begins_and_says_no_more_makes_room() -> None:
    server = behind_nat()
    server.receive(stranger().outbox[0][0], OUTSIDER, now=START)
    server.outbox.clear()

    early = meet(server, stranger("client"), NAT, now=START + dtls.STALLED - 0.1)
    late = meet(server, stranger("client"), NAT, now=START + dtls.STALLED)

    assert (early, late) == (False, True)


def test_strangers_who_fail_do_not_end_it_for_the_peer() -> None:
    """They get a few attempts, and are not listened to any more."""
    pair = Pair()
    pair.client.outbox.clear()
    for _ in range(3 * dtls.MAX_ATTEMPTS):
        meet(pair.server, stranger(), OUTSIDER)

    deaf = stranger()
    pair.server.receive(deaf.outbox[0][0], OUTSIDER, now=START)
    assert not pair.server.outbox
    assert not pair.server.failed
    assert meet(pair.server, stranger("client"), CLIENT)


def test_thousands_of_hellos_cost_little() -> None:
    """From as many addresses: one handshake is begun, and nothing is kept of the others."""
    server = behind_nat()
    hello = stranger().outbox[0][0]
    before = memory()

    for port in range(20_000):
        server.receive(hello, (OUTSIDER[0], 1024 + port), now=START + port / 20_000)

    assert {to for _, to in server.outbox} == {(OUTSIDER[0], 1024)}
    assert memory() - before < 2_000_000


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


def joined(server: Dtls) -> SSL.Connection:
    """A client that can say whatever it wants to once there are keys."""
    client = certificate("client").connection(active=True)
    while server.keys is None:
        try:
            client.do_handshake()
        except SSL.WantReadError:
            server.receive(client.bio_read(1 << 16), NAT, now=START)
        while server.outbox:
            client.bio_write(server.outbox.popleft()[0])
    client.do_handshake()
    return client


def several(client: SSL.Connection) -> bytes:
    """Application data, as many records as one datagram holds."""
    records = b""
    for _ in range(20):
        client.send(bytes(20))
        records += client.bio_read(1 << 16)
    return records


@pytest.mark.parametrize("farewell", [False, True])
def test_what_comes_afterwards_is_not_kept(farewell: bool) -> None:
    """Neither application data, which nobody wants here, nor what follows a farewell."""
    server = behind_nat()
    client = joined(server)
    if farewell:
        client.shutdown()
        server.receive(client.bio_read(1 << 16), NAT, now=START)
    before = memory()

    for _ in range(3000):
        data = b"\x17\xfe\xfd" + bytes(1200) if farewell else several(client)
        server.receive(data, NAT, now=START)

    assert memory() - before < 2_000_000
    assert server.keys is not None


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
