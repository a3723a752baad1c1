"""What can be set about pages by multicast (MCC-01…08, GAP-16…19, GAP-33)."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.multicast.alignment import LONGEST_DELAY_MS, SHORTEST_DELAY_MS
from sipstrobe.multicast.fields import (
    Address,
    Cipher,
    Codec,
    Latency,
    group_problem,
    key_problem,
)
from sipstrobe.multicast.relay import RelaySettings, relay_problems
from sipstrobe.secret import Secret

MAX_SOURCES: Final = 1000
MAX_LISTED: Final = MAX_SOURCES + 3  # with calls, audio streams and clips
MAX_SENDERS: Final = 10  # of one source: what the kernel filters for one membership

Label = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f]{1,31}$(?!\n)",
        title="Label",
        description="Its name here and in rules; no two sources have the same.",
    ),
]
GroupAddress = Annotated[
    Address,
    Meta(title="Address", description="224.0.0.0 to 239.255.255.255, or of IPv6 ff00::/8."),
]
Interface = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00/\s]{0,15}$(?!\n)",
        title="Interface",
        description="The network interface that it is received on, such as eth0; empty: the"
        " one that the system chooses.",
    ),
]
Wait = Annotated[
    Latency,
    Meta(title="Latency", description="How long sound waits, so that hold-ups are not heard."),
]
ProfileName = Annotated[
    str,
    Meta(
        max_length=50,
        title="Profile",
        description="The light and siren profile that runs while the source is heard.",
    ),
]
ProfilePriority = Annotated[
    Annotated[int, Meta(ge=1, le=10)] | None,
    Meta(title="Priority", description="Of the profile, 1 to 10; empty: its own."),
]
Enabled = Annotated[bool, Meta(title="Active")]


class PageSource(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="multicast"
):
    """A multicast group to which somebody speaks."""

    label: Label
    id: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-]{0,63}$(?!\n)",
            title="Id",
            description="What control programs call it, whatever its name; empty: made of that.",
        ),
    ] = ""
    address: GroupAddress
    port: Annotated[int, Meta(ge=1024, le=65534, title="Port", description="Of RTP.")]
    interface: Interface = ""
    senders: Annotated[
        tuple[Address, ...],
        Meta(
            max_length=MAX_SENDERS,
            title="Senders",
            description="The addresses that are heard (source-specific multicast); none: all.",
        ),
    ] = ()
    codec: Annotated[
        Codec | None,
        Meta(
            title="Codec",
            description="Of dynamic payload types; empty: the common one. PCMU, PCMA and G.722 are"
            " known by their own payload types in any case.",
        ),
    ] = None
    payload_type: Annotated[
        Annotated[int, Meta(ge=96, le=127)] | None,
        Meta(
            title="Payload type",
            description="The dynamic payload type of the codec; empty: any from 96 to 127.",
        ),
    ] = None
    srtp_key: Annotated[
        Secret,
        Meta(
            title="SRTP key",
            description="Key and salt in hexadecimal, as the sender has them: 60 or 92 characters,"
            " for AES_GCM 56 or 88. Empty: what is heard is not encrypted.",
        ),
    ] = field(default_factory=lambda: Secret(""))  # of which no JSON Schema can tell
    cipher: Annotated[
        Cipher, Meta(title="Cipher", description="Of SRTP; the key says how strong it is.")
    ] = "AES_CM_HMAC_SHA1_80"
    latency: Wait = "normal"
    playout_delay: Annotated[
        Annotated[int, Meta(ge=SHORTEST_DELAY_MS, le=LONGEST_DELAY_MS)] | None,
        Meta(
            title="Playout delay",
            description="In ms, 20 to 2000: all speakers with the same are heard at the same"
            " instant, so long after the sender, if his clock and theirs have the same time. It"
            " takes the place of the latency. Empty: each as it comes.",
        ),
    ] = None
    profile: ProfileName = ""
    priority: ProfilePriority = None
    enabled: Enabled = True


class DeskPhoneSource(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="desk_phones",
):
    """A channel on which desk phones page (multicast/group_paging.py)."""

    label: Label
    channel: Annotated[
        int,
        Meta(
            ge=1,
            le=50,
            title="Channel",
            description="1 to 25: push to talk, of which phones take 24 for priority and 25 for"
            " emergencies; 26 to 50: paging groups 1 to 25, with 49 and 50 for these.",
        ),
    ]
    address: GroupAddress = "224.0.1.116"
    port: Annotated[int, Meta(ge=1024, le=65534, title="Port", description="As on the phones.")] = (
        5001
    )
    interface: Interface = ""
    latency: Wait = "normal"
    profile: ProfileName = ""
    priority: ProfilePriority = None
    enabled: Enabled = True


class InternalSource(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="internal"
):
    """Sound of the device itself that takes part in the ranking (GAP-16)."""

    sound: Annotated[
        Literal["sip", "stream", "clip"],
        Meta(title="Sound", description="Calls, audio streams over HTTP, or clips."),
    ]


Paged = PageSource | DeskPhoneSource
"""What comes from a multicast group."""
Source = Paged | InternalSource


class MulticastSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which groups are heard, and who comes first when several speak at once."""

    enabled: Annotated[
        bool,
        Meta(
            title="Receive pages",
            description="While this is off, priorities alone decide between calls and clips.",
        ),
    ] = False
    codec: Annotated[
        Codec, Meta(title="Codec", description="Of all sources that do not name their own.")
    ] = "PCMU"
    sources: Annotated[
        tuple[Source, ...],
        Meta(
            max_length=MAX_LISTED,
            title="Sources",
            description="The first in the list has rank 1, which is the highest: of those that"
            " sound at once only the highest is heard. Calls, audio streams and clips have a place"
            " in the list; where they are not named, they come before all others.",
        ),
    ] = ()
    relay: Annotated[RelaySettings, Meta(title="Relay")] = field(default_factory=RelaySettings)


def problems(multicast: MulticastSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(multicast))


def _problems(multicast: MulticastSettings) -> Iterator[Problem]:
    labels: set[str] = set()
    ids: set[str] = set()
    sounds: set[str] = set()
    channels: set[tuple[int, str, int, str]] = set()
    for i, source in enumerate(multicast.sources):
        path = f"/sources/{i}"
        if isinstance(source, InternalSource):
            if source.sound in sounds:
                yield Problem(f"{path}/sound", f"{source.sound} has a place already")
            sounds.add(source.sound)
            continue
        if source.label in labels:
            yield Problem(f"{path}/label", f"{source.label!r} is there already")
        labels.add(source.label)
        yield from _address_problems(source, path)
        if isinstance(source, DeskPhoneSource):
            heard = (source.channel, source.address, source.port, source.interface)
            if heard in channels:
                yield Problem(f"{path}/channel", f"{source.channel} of this group is there already")
            channels.add(heard)
            continue
        if source.id and source.id in ids:
            yield Problem(f"{path}/id", f"{source.id!r} is the id of another source")
        ids.add(source.id)
        if words := key_problem(source.srtp_key, source.cipher):
            yield Problem(f"{path}/srtp_key", words)
    yield from relay_problems(multicast.relay)


def _address_problems(source: Paged, path: str) -> Iterator[Problem]:
    group, words = group_problem(source.address)
    if words:
        yield Problem(f"{path}/address", words)
    if group is None:
        return
    senders = source.senders if isinstance(source, PageSource) else ()
    for n, sender in enumerate(senders):
        try:
            address = ip_address(sender)
        except ValueError:
            yield Problem(f"{path}/senders/{n}", "must be an IPv4 or IPv6 address")
            continue
        if address.version != group.version or address.is_multicast or address.is_unspecified:
            yield Problem(f"{path}/senders/{n}", f"must be an IPv{group.version} unicast address")
