"""Kamailio keeps our flow, and answers what keeps it alive: RFC 5626, RFC 5627."""

import asyncio
from pathlib import Path

import pytest

from sipstrobe.secret import Secret
from sipstrobe.sip.identity import Binding, Credential, Identity, Registered, Unregistered
from sipstrobe.sip.transport import Transport
from tests.interop.kamailio import DOMAIN, kamailio
from tests.services.binder import Binder

pytestmark = pytest.mark.interop

INSTANCE = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"
ME = Identity(f"sip:u1@{DOMAIN}", credentials=(Credential("u1", Secret("pw-u1")),))
BINDING = Binding(ME, f"sip:{DOMAIN}", 600, INSTANCE)


@pytest.mark.parametrize(("transport", "longest"), [(Transport.UDP, 29.0), (Transport.TCP, 120.0)])
async def test_a_flow_is_kept(tmp_path: Path, transport: Transport, longest: float) -> None:
    """STUN over UDP, an empty line each way over TCP; three times, and none goes unanswered."""
    with kamailio(tmp_path / "pbx", algorithm="SHA-256") as pbx:
        binder = Binder()
        try:
            await binder.register(BINDING, transport, pbx.host, pbx.port)
            news = await binder.told()
            assert isinstance(news, Registered)
            assert news.identity.outbound
            assert news.identity.gruu == f"sip:u1@{DOMAIN};gr={INSTANCE}"

            for count in range(1, 4):
                binder.clock.leap(longest)
                await asyncio.sleep(0.25)  # it is asked, and answers
                binder.clock.leap(11.0)  # without an answer it would be given up
                await asyncio.sleep(0.05)
                assert binder.keep_alives == count
            assert binder.silent

            binder.driver.feed(binder.endpoint.unregister, "gate")
            assert isinstance(await binder.told(), Unregistered)
            assert pbx.contacts() == []
        finally:
            await binder.close()
