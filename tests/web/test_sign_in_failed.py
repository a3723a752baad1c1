"""Wrong passwords are facts for rules, and no flood of them."""

import asyncio
from typing import cast

from aiohttp import ClientSession

from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, Event, SignInFailed
from sipstrobe.web.throttle import ADDRESSES_MAX, TELL_EVERY, Attempts
from tests.support.web import Device


def test_the_first_is_told_at_once_and_the_others_by_their_number() -> None:
    attempts = Attempts()

    assert attempts.count("192.0.2.1", now=0.0) == 1
    assert [attempts.count("192.0.2.1", now=n / 10) for n in range(1, 50)] == [0] * 49
    assert attempts.count("192.0.2.2", now=5.0) == 1
    assert attempts.count("192.0.2.1", now=TELL_EVERY) == 50


def test_who_comes_from_everywhere_takes_no_memory_without_end() -> None:
    attempts = Attempts()
    for n in range(ADDRESSES_MAX + 5):
        attempts.count(f"192.0.{n // 256}.{n % 256}", now=0.0)

    assert attempts.count("192.0.0.0", now=0.1) == 1  # forgotten
    assert attempts.count("192.0.1.0", now=0.1) == 0


async def test_guessing_is_told_with_the_name_and_so_is_the_block(
    context: Context, device: Device, url: str
) -> None:
    told: list[Event] = []
    for kind in (SignInFailed, AddressBlocked):
        context.bus.subscribe(kind, lambda event: told.append(cast("Event", event)))

    async with ClientSession(url) as session:

        async def guess() -> None:
            body = {"name": "ada", "password": "guess"}
            async with session.post("/api/v1/login", json=body) as response:
                assert response.status == 403

        for _ in range(20):
            await guess()

    assert told[0] == SignInFailed(address="127.0.0.1", name="ada", attempts=1)
    assert told[1:] in ([], [AddressBlocked(address="127.0.0.1", seconds=10.0)])


async def test_a_name_that_is_no_utf8_is_told_in_letters(
    context: Context, device: Device, url: str
) -> None:
    """RFC 7616 §3.4: the name is the client's choice, octet for octet."""
    told: list[SignInFailed] = []
    context.bus.subscribe(SignInFailed, told.append)
    address = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[1]))
    writer.write(
        b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Digest "
        b'username="\xff\xfe", realm="sipstrobe", nonce="n", uri="/", response="0"\r\n\r\n'
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 401")
    writer.close()

    assert [event.name for event in told] == [r"\udcff\udcfe"]
