"""Another device, over its HTTP API: for scripts, for tests, and for `sipstrobe --host`.

from sipstrobe.client import Client
from sipstrobe.commands import StartProfile

async with Client("http://192.0.2.7:8080", user="olga", password="…") as strobe:
    await strobe.execute(StartProfile(profile="Evacuate"))
    async for message in strobe.live():
        ...
"""

from sipstrobe.client.client import Client, Section
from sipstrobe.client.problem import Refused, Unreachable

__all__ = ["Client", "Refused", "Section", "Unreachable"]
