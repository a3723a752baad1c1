"""INVITE client transaction: RFC 3261 §17.1.1, RFC 6026 §7.2."""

from sipstrobe.sip.client_invite import InviteClientTransaction, State
from sipstrobe.sip.transaction import Deliver, Failure, Transmit
from tests.sip.timeline import instants, response, timeline

INVITE, ACK = b"INVITE", b"ACK"


def begin(*, reliable: bool = False) -> InviteClientTransaction:
    return InviteClientTransaction(INVITE, lambda _: ACK, reliable=reliable, now=0.0)


def test_an_invite_is_repeated_until_timer_b_gives_up() -> None:
    """RFC 3261 §17.1.1.2: timer A doubles without limit; timer B ends it at 64*T1."""
    tx = begin()
    seen = timeline(tx, until=60.0)
    assert instants(seen, Transmit(INVITE)) == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert seen[-1] == (32.0, Failure.TIMEOUT)
    assert tx.terminated


def test_a_reliable_transport_needs_no_repetition() -> None:
    assert timeline(begin(reliable=True), until=60.0) == [
        (0.0, Transmit(INVITE)),
        (32.0, Failure.TIMEOUT),
    ]


def test_a_provisional_response_ends_the_repetition() -> None:
    tx = begin()
    ringing = response(180)
    tx.receive(ringing, now=0.1)
    tx.receive(ringing, now=0.3)
    assert timeline(tx, until=600.0) == [
        (0.0, Transmit(INVITE)),
        (0.0, Deliver(ringing)),
        (0.0, Deliver(ringing)),
    ]


def test_a_rejection_is_acknowledged_each_time_and_delivered_once() -> None:
    tx = begin()
    busy = response(486)
    tx.receive(busy, now=0.1)
    tx.receive(busy, now=0.6)

    assert tx.outbox == [Transmit(INVITE), Transmit(ACK), Deliver(busy), Transmit(ACK)]
    assert tx.state is State.COMPLETED
    timeline(tx, until=32.2)
    assert tx.terminated


def test_on_a_reliable_transport_a_rejection_is_the_end() -> None:
    """RFC 3261 §17.1.1.2: timer D is zero."""
    tx = begin(reliable=True)
    tx.receive(response(486), now=0.1)
    assert tx.terminated


def test_every_2xx_is_delivered_for_as_long_as_timer_m_runs() -> None:
    """RFC 6026 §7.2: forks may answer as well, and each 2xx needs its ACK again."""
    tx = begin()
    first, second = response(200), response(200)
    tx.receive(first, now=1.0)
    tx.receive(second, now=20.0)
    tx.receive(first, now=21.0)
    tx.receive(response(486), now=22.0)

    delivered = [signal for signal in tx.outbox if isinstance(signal, Deliver)]
    assert delivered == [Deliver(first), Deliver(second), Deliver(first)]
    timeline(tx, until=32.9)
    assert tx.state is State.ACCEPTED
    timeline(tx, until=33.0)
    assert tx.terminated


def test_a_transport_error_is_reported_and_is_the_end() -> None:
    tx = begin()
    tx.transport_failed(now=0.1)
    assert tx.outbox == [Transmit(INVITE), Failure.TRANSPORT]
    assert tx.terminated


def test_the_ack_that_cannot_be_sent_is_reported() -> None:
    tx = begin()
    tx.receive(response(486), now=0.1)
    tx.transport_failed(now=0.2)
    assert tx.outbox[-1] is Failure.TRANSPORT
    assert tx.terminated


def test_a_cancelled_invite_is_given_up_when_no_final_response_comes() -> None:
    """RFC 3261 §9.1: 64*T1 after CANCEL the transaction is forgotten."""
    tx = begin()
    tx.receive(response(180), now=0.1)
    tx.cancel(now=10.0)
    assert timeline(tx, until=100.0)[-1] == (42.0, Failure.TIMEOUT)
    assert tx.terminated
