"""The network as the device finds it."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


class HearingState(StrEnum):
    """Whether pages by multicast can reach us (RFC 4541)."""

    HEARING = "hearing"  # a querier asks which groups are wanted, and is answered
    NO_QUERIER = "no querier"  # nobody asks, so that switches may forget us
    DEAF = "deaf"  # a group does not reach us
    CANNOT_TELL = "cannot tell"  # not yet, or for want of rights
    IDLE = "idle"  # no groups, or on this machine only


@declared(
    "network/hearing",
    Kind.PROPERTY,
    "Whether pages by multicast can reach the device",
    rest={"state": "idle"},
)
class HearingChanged(Event):
    state: HearingState
    words: str  # what that means, for a person


@declared("network/address", Kind.PULSE, "The device has got an address, or has one no longer")
class AddressChanged(Event):
    interface: str
    address: str
    added: bool


@declared(
    "network/lost",
    Kind.PROPERTY,
    "An interface that had a link has none",
    source=("interface",),
    rest={"lost": "false"},
)
class LinkLost(Event):
    interface: str
    lost: bool
