"""When something is told: the live feed as a program hears it, without a browser."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from aiohttp import ClientError, ClientSession

Message = dict[str, Any]


class Feed:
    """Listens in a thread of its own, until the block ends."""

    def __init__(self, port: int, cookie: str) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/live"
        self._cookie = cookie
        self._told: list[tuple[float, Message]] = []  # when it came, by the machine's clock
        self._begun = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=lambda: asyncio.run(self._hear()))

    def __enter__(self) -> "Feed":
        self._thread.start()
        assert self._begun.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._thread.join()

    async def _hear(self) -> None:
        with suppress(ClientError):
            async with (
                ClientSession(headers={"Cookie": self._cookie}) as session,
                session.ws_connect(self._url, max_msg_size=0) as socket,
            ):
                async for message in socket:
                    self._told.append((time.monotonic(), json.loads(message.data)))
                    self._begun.set()
                    if self._over:  # there is a word each second
                        break

    def delays(self, is_it: Callable[[Message], bool], sent: Sequence[float]) -> list[float]:
        """Seconds from each of these instants until this was told."""
        came = [at for at, message in self._told if is_it(message)]
        return [next(at for at in came if at > begun) - begun for begun in sent]


def lit(message: Message) -> bool:
    return message["type"] == "frame" and any(level for _, level in message["sides"])


def called(message: Message) -> bool:
    return message["type"] == "state" and bool(message["state"].get("calls"))
