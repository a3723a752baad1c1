"""Symmetric RTP: who may send to us and where we send, and how outsiders try to change that."""

import pytest

from sipstrobe.rtp.latch import MAX_CANDIDATES, STRANGER_SPAN, Address, Latch

NEGOTIATED = ("10.0.0.9", 4000)
TRUE = ("203.0.113.5", 61000)
OUTSIDER = ("198.51.100.6", 5555)
KNOWN = ("203.0.113.5",)


class Stream:
    """A latch, and senders of a packet each 20 ms."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self.latch = Latch()
        self.latch.expect(NEGOTIATED, known)
        self.now = 0.0
        self.numbers: dict[Address, int] = {}

    def send(self, source: Address, packets: int = 1, *, apart: float = 0.020) -> list[bool]:
        """In sequence; which of them were admitted."""
        admitted: list[bool] = []
        for _ in range(packets):
            number = self.numbers[source] = (self.numbers.get(source, 0xFFFD) + 1) & 0xFFFF
            admitted.append(self.latch.admit(source, number, self.now))
            self.now += apart
        return admitted

    @property
    def address(self) -> Address | None:
        return self.latch.address


def test_the_negotiated_address_is_used_from_the_first_packet() -> None:
    stream = Stream()

    assert stream.address == NEGOTIATED
    assert stream.send(NEGOTIATED) == [True]
    assert not any(stream.send(OUTSIDER, 100))
    assert stream.address == NEGOTIATED
    assert stream.latch.refused == 100


def test_a_peer_behind_a_nat_is_learnt_where_its_signalling_comes_from() -> None:
    """Two packets in sequence do, also when the numbers begin anew between them."""
    stream = Stream(KNOWN)
    stream.send(TRUE)

    assert stream.send(TRUE, 3) == [True] * 3
    assert stream.address == TRUE


def test_a_peer_that_nothing_speaks_for_is_learnt_when_it_goes_on() -> None:
    """Its signalling goes by way of a server, its sound does not."""
    stream = Stream()

    admitted = stream.send(TRUE, 10)

    first = admitted.index(True)
    assert first == pytest.approx(STRANGER_SPAN / 0.020, abs=1)
    assert all(admitted[first:])
    assert stream.address == TRUE


def test_packets_out_of_sequence_teach_nothing() -> None:
    stream = Stream(KNOWN)

    admitted = [stream.latch.admit(TRUE, n, n * 0.02) for n in (1, 5, 9, 2, 30, 20)]

    assert not any(admitted)
    assert stream.address == NEGOTIATED


def test_a_volley_at_many_ports_takes_no_stream() -> None:
    """Whoever tries all our ports sends each what he has at once."""
    stream = Stream()

    assert not any(stream.send(OUTSIDER, 50, apart=0.0005))
    assert stream.address == NEGOTIATED


def test_once_learnt_no_outsider_takes_the_stream() -> None:
    stream = Stream(KNOWN)
    stream.send(TRUE, 2)

    assert not any(stream.send(OUTSIDER, 100))
    assert stream.send(TRUE) == [True]
    assert stream.address == TRUE


def test_an_outsider_who_was_first_loses_the_stream_to_the_peer() -> None:
    """He has guessed our port before the peer has said a word."""
    stream = Stream(KNOWN)
    stream.send(OUTSIDER, 10)
    assert stream.address == OUTSIDER

    assert stream.send(TRUE, 2) == [False, True]
    assert not any(stream.send(OUTSIDER, 100))
    assert stream.address == TRUE


def test_somebody_behind_the_same_nat_is_an_outsider_too() -> None:
    stream = Stream(KNOWN)
    stream.send(TRUE, 2)

    assert not any(stream.send((TRUE[0], 62000), 100))
    assert stream.address == TRUE


def test_the_negotiated_address_has_the_last_word() -> None:
    stream = Stream(KNOWN)
    stream.send(OUTSIDER, 10)
    stream.send(TRUE, 2)

    assert stream.send(NEGOTIATED) == [True]
    assert not any(stream.send(OUTSIDER, 10) + stream.send(TRUE, 10))
    assert stream.address == NEGOTIATED


def test_noise_from_many_sources_does_not_keep_the_peer_out() -> None:
    """Between any two of its packets there is one of somebody else, from ever new ports."""
    stream = Stream(KNOWN)

    admitted: list[bool] = []
    for n in range(3):
        for port in range(50):
            stream.send((OUTSIDER[0], 1000 + 50 * n + port), apart=0.0004)
        admitted += stream.send(TRUE, apart=0.0)

    assert admitted == [False, True, True]


def test_no_number_of_sources_makes_it_grow() -> None:
    latch = Stream().latch

    for port in range(1, 5000):
        latch.admit((OUTSIDER[0], port), 7, port * 0.001)

    candidates = latch._candidates  # pyright: ignore[reportPrivateUsage]
    assert 0 < len(candidates) <= MAX_CANDIDATES


def test_an_exchange_with_the_same_address_keeps_what_was_learnt() -> None:
    """A session refresh, or hold: the first packet settles it, and an outsider comes too late."""
    stream = Stream(KNOWN)
    stream.send(TRUE, 2)

    stream.latch.expect(NEGOTIATED, KNOWN)

    assert stream.address == TRUE
    assert stream.send(OUTSIDER, 2) == [False, False]
    assert stream.send(TRUE) == [True]
    assert not any(stream.send(OUTSIDER, 100))


def test_an_exchange_with_another_address_begins_anew() -> None:
    stream = Stream()
    stream.send(NEGOTIATED)

    stream.latch.expect(TRUE)

    assert stream.address == TRUE
    assert stream.send(TRUE) == [True]
    assert not any(stream.send(NEGOTIATED, 10))


def test_without_a_usable_address_whoever_sends_is_answered() -> None:
    """SDP named a host that nobody has looked up."""
    latch = Latch()
    latch.expect(None, KNOWN)

    assert latch.address is None
    latch.admit(TRUE, 1, 0.0)
    assert latch.admit(TRUE, 2, 0.02)
    assert latch.address == TRUE
