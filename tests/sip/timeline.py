"""What a transaction does when it is left alone."""

from sipstrobe.sip.message import Headers, Response
from sipstrobe.sip.transaction import Signal, Transaction

Seen = list[tuple[float, Signal]]


def timeline(transaction: Transaction, *, until: float, now: float = 0.0) -> Seen:
    """All that it leaves up to an instant, with the seconds at which it does."""
    seen: Seen = [(now, signal) for signal in transaction.outbox]
    transaction.outbox.clear()
    while (at := transaction.deadline) is not None and at <= until:
        transaction.wake(now=at)
        seen += [(at, signal) for signal in transaction.outbox]
        transaction.outbox.clear()
    return seen


def instants(seen: Seen, signal: Signal) -> list[float]:
    return [at for at, out in seen if out == signal]


def response(status: int) -> Response:
    return Response(status, "", Headers([("To", "<sip:b@192.0.2.2>;tag=2")]))
