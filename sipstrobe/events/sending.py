"""What leaves the device for recipients elsewhere."""

from sipstrobe.events.declare import Event, Kind, declared


@declared(
    "send/result",
    Kind.PULSE,
    "A message to a recipient was sent, or given up",
    source=("recipient",),
)
class SendResult(Event):
    item: str  # the id of the message
    recipient: str
    kind: str  # of the recipient: http, mail, …
    sent: bool
    words: str  # why it was given up; empty when it was sent
    attempts: int
    rule: str  # which wanted it; empty: people, or a test


@declared(
    "send/outbox",
    Kind.PROPERTY,
    "Messages wait in the outbox",
    rest={"waiting": "0"},
)
class OutboxChanged(Event):
    waiting: int
    failing: str  # the recipients that cannot be reached just now, comma separated
