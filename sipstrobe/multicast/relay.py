"""What can be set about the relay: calls and clips that go out as multicast."""

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.multicast.fields import Cipher, Codec, group_problem, key_problem
from sipstrobe.secret import Secret


class RelaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group to which goes what is heard here, so that one account serves many speakers."""

    enabled: Annotated[
        bool,
        Meta(
            title="Relay",
            description="What is heard here of calls to page extensions goes out as multicast.",
        ),
    ] = False
    sounds: Annotated[
        tuple[Literal["calls", "clips"], ...],
        Meta(
            min_length=1,
            max_length=2,
            title="Sounds",
            description="Calls to page extensions, clips, or both.",
        ),
    ] = ("calls",)
    address: Annotated[
        str,
        Meta(
            pattern=r"^([0-9A-Fa-f:.]{2,45})?$(?!\n)",
            title="Address",
            description="224.0.0.0 to 239.255.255.255, or of IPv6 ff00::/8.",
        ),
    ] = ""
    port: Annotated[int, Meta(ge=1024, le=65534, title="Port", description="Of RTP.")] = 5004
    codec: Annotated[Codec | None, Meta(title="Codec", description="Empty: the common one.")] = None
    ttl: Annotated[
        int,
        Meta(
            ge=1,
            le=255,
            title="TTL",
            description="How many networks it may cross; 1: no router lets it pass.",
        ),
    ] = 1
    interface: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00/\s]{0,15}$(?!\n)",
            title="Interface",
            description="The network interface that it goes out of, such as eth0; empty: the one"
            " that the system chooses.",
        ),
    ] = ""
    srtp_key: Annotated[
        Secret,
        Meta(
            title="SRTP key",
            description="Key and salt in hexadecimal, as those who hear it have them: 60 or 92"
            " characters, for AES_GCM 56 or 88. Empty: not encrypted.",
        ),
    ] = field(default_factory=lambda: Secret(""))  # of which no JSON Schema can tell
    cipher: Annotated[
        Cipher, Meta(title="Cipher", description="Of SRTP; the key says how strong it is.")
    ] = "AES_CM_HMAC_SHA1_80"


def relay_problems(relay: RelaySettings) -> Iterator[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    if relay.enabled or relay.address:
        _, words = group_problem(relay.address)
        if words:
            yield Problem("/relay/address", words)
    if words := key_problem(relay.srtp_key, relay.cipher):
        yield Problem("/relay/srtp_key", words)
