"""The client at a real server: orders, settings, refusals, and a feed that goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from msgspec.structs import replace

from sipstrobe.client import Client, Refused, Unreachable
from sipstrobe.clock import LoopClock
from sipstrobe.commands import SetMaintenance, StartProfile, StopProfile
from sipstrobe.config.users import Role, User
from sipstrobe.context import Context
from sipstrobe.errors import LocalProtocolError
from tests.support.ports import free_port
from tests.support.web import PASSWORDS, Device
from tests.web.conftest import PROFILES


@pytest.fixture
async def device() -> Device:
    context = Context(LoopClock(asyncio.get_running_loop()))
    return Device.make(context, in_background=True, profiles=PROFILES)


@pytest.fixture
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


def as_(url: str, name: str) -> Client:
    return Client(url, user=name, password=PASSWORDS[name])


def promoted(users: tuple[User, ...]) -> list[User]:
    """The same, and olga is one of the administrators."""
    return [replace(u, role=Role.ADMINISTRATOR) if u.name == "olga" else u for u in users]


async def test_orders_are_carried_out_and_looked_at(url: str, device: Device) -> None:
    async with as_(url, "olga") as client:
        begun = await client.execute(StartProfile(profile="Evacuate"))
        status = await client.status()
        await client.execute(StopProfile(profile="Evacuate"))

    assert {operation["function"] for operation in begun} == {"SignalingLED", "AudioSpeaker"}
    shown = [o["profile"] for f in status["functions"] for o in f["operations"] if o["shown"]]
    assert shown == ["Evacuate", "Evacuate"]
    assert list(device.signals.status()) == []


async def test_a_refusal_says_what_is_wrong_in_the_words_of_the_device(url: str) -> None:
    """RFC 9457: the code for programs, the field and the words for people."""
    async with as_(url, "olga") as client:
        with pytest.raises(Refused, match="no profile") as unknown:
            await client.execute(StartProfile(profile="Nobody"))
        with pytest.raises(Refused) as odd:
            await client.order("start-profile", {"profile": 7})
        with pytest.raises(Refused) as wrong:
            await client.change("audio", {"volume_db": 99})
    async with as_(url, "victor") as client:
        with pytest.raises(Refused) as forbidden:
            await client.execute(SetMaintenance(active=True))

    assert (unknown.value.status, unknown.value.code) == (409, "unknown_profile")
    assert odd.value.problems[0].path == "profile"
    assert wrong.value.problems[0].path == "/audio/volume_db"
    assert forbidden.value.status in (401, 403)


async def test_settings_are_changed_only_as_they_were_seen(url: str, device: Device) -> None:
    async with as_(url, "olga") as client:
        seen = await client.settings("audio")
        await client.change("audio", {"volume_db": -3.0}, revision=seen.revision)
        with pytest.raises(Refused) as stale:
            await client.change("audio", {"volume_db": -9.0}, revision=seen.revision)

    assert stale.value.status == 412
    assert device.store.current.audio.volume_db == -3.0


async def test_the_feed_goes_on_when_a_connection_was_lost(url: str, device: Device) -> None:
    """Every message once, in order, over two connections: another role ends the first."""
    async with as_(url, "olga") as client, aclosing(client.live()) as feed:
        seqs: list[int] = []
        resumed: list[bool] = []
        async for message in feed:
            seqs.append(message["seq"])
            if message["type"] != "hello":
                continue
            resumed.append(message["resumed"])
            if len(resumed) == 2:
                break
            device.store.change_now({"web": {"users": promoted(device.store.current.web.users)}})

    assert resumed == [False, True]
    assert seqs == sorted(seqs)


async def test_who_is_nobody_or_reaches_nobody_is_told_so(url: str) -> None:
    async with Client(url, user="olga", password="wrong") as client:
        with pytest.raises(Refused, match="wrong"):
            await client.status()
    async with Client(f"http://127.0.0.1:{free_port()}", token="sst_none") as client:
        with pytest.raises(Unreachable):
            await client.status()
        with pytest.raises(Unreachable):
            await anext(client.live())
    with pytest.raises(LocalProtocolError, match="fingerprint"):
        Client(url, fingerprint="abc")
