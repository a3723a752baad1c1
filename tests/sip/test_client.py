"""Non-INVITE client transaction: RFC 3261 §17.1.2."""

from sipstrobe.sip.client import ClientTransaction, State
from sipstrobe.sip.transaction import Deliver, Failure, Transmit
from tests.sip.timeline import instants, response, timeline

BYE = b"BYE"


def begin(*, reliable: bool = False) -> ClientTransaction:
    return ClientTransaction(BYE, reliable=reliable, now=0.0)


def test_a_request_is_repeated_until_timer_f_gives_up() -> None:
    """RFC 3261 §17.1.2.2: timer E runs T1, 2*T1 … up to T2; timer F ends it at 64*T1."""
    tx = begin()
    seen = timeline(tx, until=60.0)
    assert instants(seen, Transmit(BYE)) == [
        *(0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    ]
    assert seen[-1] == (32.0, Failure.TIMEOUT)
    assert tx.terminated


def test_a_reliable_transport_needs_no_repetition() -> None:
    assert timeline(begin(reliable=True), until=60.0) == [
        (0.0, Transmit(BYE)),
        (32.0, Failure.TIMEOUT),
    ]


def test_a_provisional_response_slows_the_repetition_to_t2() -> None:
    tx = begin()
    trying = response(100)
    tx.receive(trying, now=0.1)
    seen = timeline(tx, until=60.0)
    assert (0.0, Deliver(trying)) in seen
    assert instants(seen, Transmit(BYE))[1:] == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert seen[-1] == (32.0, Failure.TIMEOUT)


def test_the_final_response_is_delivered_once_and_timer_k_absorbs_its_repetitions() -> None:
    tx = begin()
    ok = response(200)
    tx.receive(ok, now=0.1)
    tx.receive(ok, now=0.2)

    assert tx.outbox == [Transmit(BYE), Deliver(ok)]
    assert timeline(tx, until=5.0)[2:] == []
    assert tx.state is State.COMPLETED
    timeline(tx, until=5.2)
    assert tx.terminated


def test_on_a_reliable_transport_the_final_response_is_the_end() -> None:
    tx = begin(reliable=True)
    tx.receive(response(200), now=0.1)
    assert tx.terminated


def test_a_transport_error_is_reported_and_is_the_end() -> None:
    tx = begin()
    tx.transport_failed(now=0.1)
    assert tx.outbox == [Transmit(BYE), Failure.TRANSPORT]
    assert tx.terminated
