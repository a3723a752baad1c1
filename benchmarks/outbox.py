"""How many messages a second leave by the outbox: ``python -m benchmarks.outbox [SECONDS]``.

Everything is real: orders through the dispatcher, the file on the disk, sockets on this machine.
One receiver for each kind, then twenty web servers at once; and what an order costs the loop.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from sipstrobe.clock import LoopClock
from sipstrobe.commands import SendMessage
from sipstrobe.context import Context
from sipstrobe.delivery import OnFirstUse
from sipstrobe.sending.settings import HttpRecipient, Recipient, TcpRecipient
from sipstrobe.services.outbox import OutboxService
from sipstrobe.services.senders.tcp import TcpSender
from sipstrobe.web.describe import chain

SECONDS = 5.0
AHEAD = 100  # messages that wait in each lane
BODY = '{"rule": "{rule}", "from": "{event.remote_uri}", "at": "{time}"}'
ITEMS = {"remote_uri": "sip:alice@example.org"}


class NoRecordings:
    async def recordings(self) -> Sequence[OnFirstUse]:
        return []


@asynccontextmanager
async def receivers() -> AsyncGenerator[tuple[int, int]]:
    """The ports of a web server and of one that takes text."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=204)

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield runner.addresses[0][1], server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await runner.cleanup()


async def measure(name: str, recipients: Sequence[Recipient], seconds: float) -> None:
    """Keep all lanes full for so long."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    http = OnFirstUse("http", "HttpSender")
    with tempfile.TemporaryDirectory() as folder:
        outbox = OutboxService(
            context,
            Path(folder),
            {"http": http, "tcp": TcpSender()},
            NoRecordings(),
            device=lambda: ("bench", "000000000000"),
            why=chain,
            closing=[http.aclose],
        )
        await outbox.start()
        outbox.apply(recipients)
        began, ordered, cost = time.perf_counter(), 0, 0.0
        while (now := time.perf_counter()) < began + seconds:
            waiting = int(str(outbox.snapshot()["waiting"]))
            while waiting < AHEAD * len(recipients) and time.perf_counter() < now + 0.005:
                recipient = recipients[ordered % len(recipients)].name
                order = SendMessage(recipient=recipient, text=BODY, items=ITEMS, rule="Bench")
                at = time.perf_counter()
                context.dispatcher.execute(order)
                cost += time.perf_counter() - at
                ordered, waiting = ordered + 1, waiting + 1
            await asyncio.sleep(0.001)
        sent = ordered - int(str(outbox.snapshot()["waiting"]))
        rate = sent / (time.perf_counter() - began)
        await outbox.aclose()
    print(f"{name:<24} {rate:7.0f} a second   an order takes {1e6 * cost / ordered:4.0f} µs")


async def main(seconds: float) -> None:
    async with receivers() as (http, tcp):
        url = f"http://127.0.0.1:{http}/"
        many = [HttpRecipient(name=f"vms {n}", url=url) for n in range(20)]
        await measure("one web server", many[:1], seconds)
        await measure(
            "one receiver of text", [TcpRecipient(name="plc", host="127.0.0.1", port=tcp)], seconds
        )
        await measure("twenty web servers", many, seconds)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
