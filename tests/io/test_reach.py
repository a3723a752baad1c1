"""Whether another host is there: TRB-01."""

import asyncio
import socket
from contextlib import suppress

import pytest

from sipstrobe.io.reach import Unreachable, ping


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
async def test_replies_do_not_drown_in_what_others_are_told(
    family: socket.AddressFamily, host: str
) -> None:
    """RFC 792, RFC 4443: a machine that sends to closed ports is told so, time after time."""
    with socket.socket(family, socket.SOCK_DGRAM) as closed:
        try:
            closed.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        address = closed.getsockname()

    async def send_in_vain() -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            while True:
                for _ in range(500):
                    with suppress(OSError):
                        sender.sendto(b"is anybody there?", address)
                await asyncio.sleep(0.05)

    sending = asyncio.ensure_future(send_in_vain())
    try:
        told = await ping(host, 2)
    except Unreachable as refused:
        pytest.skip(str(refused))
    finally:
        sending.cancel()
        await asyncio.wait([sending])

    assert told.received == told.sent == len(told.milliseconds) == 2
