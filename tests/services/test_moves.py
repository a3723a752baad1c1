"""Calls that go on when an address of ours is gone."""

from sipstrobe.services.network import Changes
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, Peer, settings
from tests.support.waiting import turns, until

OTHER = "127.0.0.2"  # the device has this address as well


async def called_at_the_other(street: Street, *, auto: bool = True) -> tuple[Device, Peer]:
    """A device that was called by its other address; the way to the peer begins at HOST."""
    device, peer = await street.device(settings(auto=auto)), street.peer()
    peer.to = (OTHER, device.port)
    peer.request("INVITE", body=peer.sdp())
    await peer.told(200 if auto else 180)
    if auto:
        peer.request("ACK")
    await until(lambda: device.states == ["active" if auto else "ringing"])
    await turns()
    return device, peer


def lose(device: Device, *hosts: str) -> None:
    change = device.phone._network_changed  # pyright: ignore[reportPrivateUsage]
    change(Changes(lost=frozenset(hosts)))


async def test_a_call_goes_on_from_the_address_that_there_is(street: Street) -> None:
    """RFC 3261 §14.1: both signalling and media are moved by one re-INVITE."""
    device, peer = await called_at_the_other(street)

    lose(device, OTHER)
    invite = await peer.asked("INVITE")

    assert invite.contacts[0].uri.host == HOST
    assert f"c=IN IP4 {HOST}\r\n".encode() in invite.body
    peer.respond(invite, 200, body=peer.sdp())
    await peer.asked("ACK")
    peer.request("BYE")
    await peer.told(200)
    await until(lambda: not device.states)


async def test_a_call_by_an_address_that_is_kept_is_left_alone(street: Street) -> None:
    device, peer = await called_at_the_other(street)

    lose(device, "192.0.2.1")
    await turns()

    assert peer.silent()


async def test_an_address_that_is_back_is_used_as_before(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await until(lambda: device.states == ["active"])
    await turns()

    lose(device, HOST)
    await turns()

    assert peer.silent()


async def test_a_call_that_rings_is_not_moved(street: Street) -> None:
    """Its caller waits for a response to the INVITE, which knows only one way."""
    device, peer = await called_at_the_other(street, auto=False)

    lose(device, OTHER)
    await turns()

    assert peer.silent()
    peer.request("CANCEL", number=1)
    await until(lambda: not device.states)
