"""Names of hosts, as this machine knows them."""

import asyncio
import contextlib

import pytest

from sipstrobe.io.names import Names
from tests.support.waiting import turns


@pytest.mark.parametrize(
    ("host", "address"), [("localhost", ("127.0.0.1", "::1")), ("127.0.0.1", ("127.0.0.1",))]
)
async def test_a_name_has_an_address(host: str, address: tuple[str, ...]) -> None:
    assert await Names(1).first_address(host, 5060) in address


@pytest.mark.parametrize("host", ["a..b", "x" * 70, "\udcff", "\x00", ""])
async def test_what_can_be_no_name_is_refused(host: str) -> None:
    with pytest.raises(OSError, match=r"[Nn]ame"):
        await Names(1).first_address(host, 5060)


async def test_no_more_names_than_the_limit_are_looked_up_at_once() -> None:
    names = Names(2)
    asked = [asyncio.ensure_future(names.first_address("localhost", 5060)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many"):
        await names.first_address("localhost", 5060)

    await asyncio.gather(*asked)
    assert await names.first_address("localhost", 5060)


async def test_who_no_longer_wants_to_know_does_no_harm() -> None:
    names = Names(1)
    asked = asyncio.ensure_future(names.first_address("localhost", 5060))
    await asyncio.sleep(0)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked

    heard: list[str] = []

    async def again() -> None:
        with contextlib.suppress(OSError):
            heard.append(await names.first_address("localhost", 5060))

    while not heard:
        await turns(1)
        await again()
