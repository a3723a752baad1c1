"""What the live feed of a device tells: GET /api/v1/live, as the page listens to it."""

import asyncio
import json
from typing import Any

import aiohttp

from tests.interop.device import Device


def events_so_far(running: Device) -> list[dict[str, Any]]:
    """The newest events of a device, oldest first, each with its chain of causes."""
    return asyncio.run(_ask(running))


async def _ask(running: Device) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{running.http}/api/v1"
    who = {"name": "admin", "password": running.password}
    jar = aiohttp.CookieJar(unsafe=True)  # of an address, not of a name
    async with asyncio.timeout(10), aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.post(f"{url}/login", json=who) as answer:
            assert answer.status == 200, answer
        async with session.ws_connect(f"{url}/live") as feed:
            while True:
                message = json.loads(await feed.receive_str())
                if message["type"] == "events":
                    return list(message["events"])
