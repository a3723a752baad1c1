"""The audio direction that the settings allow, against what the other side wants: SIP-12."""

import pytest

from tests.services.conftest import Street
from tests.services.phones import media_port, settings
from tests.support.waiting import turns, until


@pytest.mark.parametrize(
    ("ours", "theirs", "answered"),
    [
        ("both", "sendrecv", "sendrecv"),
        ("send", "sendrecv", "sendonly"),
        ("receive", "sendrecv", "recvonly"),
        ("send", "recvonly", "sendonly"),
        ("receive", "recvonly", "inactive"),
        ("send", "sendonly", "inactive"),
        ("receive", "sendonly", "recvonly"),
        ("both", "inactive", "inactive"),
    ],
)
async def test_the_answer_allows_what_both_sides_do(
    street: Street, ours: str, theirs: str, answered: str
) -> None:
    """RFC 3264 §6.1: no more than the counterpart of what is offered."""
    device, peer = await street.device(settings(audio_direction=ours)), street.peer()

    peer.invite(device, body=peer.sdp(theirs))
    answer = await peer.told(200)
    peer.request("ACK")

    assert f"a={answered}\r\n".encode() in answer.body
    await turns()
    peer.forget_sound()
    if answered in ("sendrecv", "sendonly"):
        await until(lambda: not peer.hears_nothing())
    else:
        await street.leap(0.1)
        assert peer.hears_nothing()
    peer.speak(media_port(answer.body))
    if answered in ("sendrecv", "recvonly"):
        await until(lambda: device.sources)
    else:
        await street.leap(0.1)
        assert not device.sources


@pytest.mark.parametrize(
    ("ours", "offered"), [("both", "sendrecv"), ("send", "sendonly"), ("receive", "recvonly")]
)
async def test_our_offer_says_what_is_allowed(street: Street, ours: str, offered: str) -> None:
    """RFC 3264 §5.1; the same in the 2xx to an INVITE without an offer."""
    device, peer = await street.device(settings(audio_direction=ours)), street.peer()

    device.dial(peer)
    invite = await peer.asked("INVITE")
    peer.respond(invite, 486)
    await peer.asked("ACK")
    await until(lambda: not device.states)
    peer.tag = ""
    peer.invite(device, body=b"")
    late = await peer.told(200)
    peer.request("ACK", body=peer.sdp())

    wanted = f"a={offered}\r\n".encode()
    assert wanted in invite.body
    assert wanted in late.body


async def test_hold_ends_where_the_setting_does(street: Street) -> None:
    """RFC 3264 §8.4: after hold and resume we listen as before, and no more than that."""
    device, peer = await street.device(settings(audio_direction="receive")), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")

    answers: list[bytes] = []
    for theirs in ("inactive", "sendrecv"):
        peer.request("INVITE", body=peer.sdp(theirs))
        answers.append((await peer.told(200)).body)
        peer.request("ACK")

    assert b"a=inactive\r\n" in answers[0]
    assert b"a=recvonly\r\n" in answers[1]
    await street.leap(0.1)
    assert peer.hears_nothing()


async def test_another_direction_is_for_calls_to_come(street: Street) -> None:
    wanted = settings()
    device, peer = await street.device(wanted), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")

    device.phone.apply(settings(audio_direction="receive", port=wanted.port))

    peer.forget_sound()
    await until(lambda: not peer.hears_nothing())
