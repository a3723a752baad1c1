"""How a stream does, as everybody may see it."""

from typing import NamedTuple


class StreamStatistics(NamedTuple):
    """How a stream does; counts are since its start."""

    packets: int  # received
    lost: int
    late: int
    dropped: int
    refused: int  # packets from strangers
    invalid: int
    concealed_ms: float
    jitter_ms: float
    level_db: float  # of what is being received
    depth_ms: float  # of sound that waits for the card
    target_ms: float
    sent: int
    remote_loss: float  # fraction, by the peer's last report
    round_trip_ms: float | None
    source: str  # with whom packets are exchanged: address and port; empty: unknown
    quiet: float | None  # seconds since the last packet; None: there was none
    stranger: str  # the last of the strangers: address and port
    foreign: int  # packets of a payload type that was not agreed on
    foreign_type: int  # the last of them
    encryption: str  # the suite in use, as in RFC 4568 §6.2; empty: none
    undecipherable: int  # packets that did not stand the test of their encryption
    replayed: int  # encrypted packets that had come before
    trouble: str  # why there are no keys, in words; empty: nothing is wrong with them
    undelivered: int  # packets that could not even be sent
    unreachable: int  # times that the network said that ours did not arrive
    deaf_reports: int  # reports of the peer in a row that know nothing of our packets
    deaf_seconds: float  # since the first of them
    remote_mos: float | None  # how well the peer hears us, by its extended reports
