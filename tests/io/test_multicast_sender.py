"""What leaves a sender to a group, seen from the same machine and from the cable."""

import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import closing

import pytest

from sipstrobe.errors import MediaError
from sipstrobe.io.multicast_sender import MulticastSender
from tests.support.netns import Namespace, namespace

PORT = 5004
_IP_RECVTTL = 12  # linux/in.h
GROUPS = ["239.1.2.3", "ff15::1234"]


@pytest.fixture
def network() -> Iterator[Namespace]:
    """Sockets of this test are in it; two interfaces, of which `far` hears what `cable` sends."""
    with namespace() as made:
        made.ip("link set lo multicast on")
        made.ip("link add cable type veth peer name far")
        made.ip("addr add 10.9.0.1/24 dev cable")
        made.ip("addr add fd00::1/64 dev cable nodad")
        made.ip("link set cable up")
        made.ip("link set far up")
        with made.inside():
            yield made


def receiver(group: str, port: int, interface: str) -> socket.socket:
    """Has joined the group on an interface, and tells the hop limit of what comes."""
    index = socket.if_nametoindex(interface)
    if ":" in group:
        made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        joined = socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joined)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        made.bind(("::", port))
    else:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        joined = socket.inet_aton(group) + bytes(4) + struct.pack("@i", index)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        made.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
        made.bind(("", port))
    made.settimeout(5.0)
    return made


def received(one: socket.socket) -> tuple[bytes, int]:
    """A datagram and its TTL."""
    data, ancillary, _, _ = one.recvmsg(100, 100)
    return data, struct.unpack("@i", ancillary[0][2])[0]


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("ttl", [1, 16])
def test_it_goes_out_of_the_chosen_interface(group: str, ttl: int) -> None:
    """RTP to the port, RTCP to the one above (RFC 3550 §11), over as many networks as wanted."""
    with (
        receiver(group, PORT, "cable") as rtp,
        receiver(group, PORT + 1, "cable") as rtcp,
        closing(MulticastSender(group, PORT, ttl=ttl, interface="cable")) as sender,
    ):
        sender.send(b"sound")
        sender.send_rtcp(b"report")

        assert received(rtp) == (b"sound", ttl)
        assert received(rtcp) == (b"report", ttl)


@pytest.mark.usefixtures("network")
def test_without_a_way_it_is_told() -> None:
    with (
        closing(MulticastSender("239.1.2.3", PORT)) as sender,
        pytest.raises(MediaError, match=r"239\.1\.2\.3 cannot be reached: Network is unreachable"),
    ):
        sender.send(b"sound")


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(MediaError, match="there is no network interface 'moon0'"):
        MulticastSender("239.1.2.3", PORT, interface="moon0")


def test_a_machine_that_has_no_socket_left_is_told() -> None:
    """Who speaks while something else goes on must not be surprised by it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(MediaError, match="Too many open files"):
            MulticastSender("239.1.2.3", PORT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
