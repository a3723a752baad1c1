"""SIP over WebSocket: a browser calls the device directly; the device registers with Kamailio."""

import json
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.interop.baresip import baresip
from tests.interop.caller import OFFER
from tests.interop.device import Device, device
from tests.interop.kamailio import kamailio, registered_until
from tests.interop.test_registered import account, registered
from tests.interop.witness import await_dark_and_silent, await_profile
from tests.support.authority import Authority
from tests.support.hear import tone_db
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

PHONE = (Path(__file__).parent.parent / "data" / "browser_phone.js").read_text()
TONE_GAIN = 0.3
OFFERED = json.dumps(OFFER.replace("{media}", "{port}"))


@dataclass
class House:
    """A device that browsers can call, and a browser."""

    device: Device
    ports: dict[str, int]
    browser: Browser

    @contextmanager
    def phone(self, scheme: str) -> Generator[Page]:
        """A page in which `phone` is connected; its certificate is what the owner has accepted."""
        context = self.browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.add_script_tag(content=PHONE)
        url = f"{scheme}://127.0.0.1:{self.ports[scheme]}/"
        opened = f"() => (window.phone = new Phone('{url}', '{scheme.upper()}')).ready"
        assert page.evaluate(opened) == "sip"
        yield page
        context.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    ports = {"ws": free_port(), "wss": free_port()}
    settings = {"websocket_port": ports["ws"], "secure_websocket_port": ports["wss"]}
    puts = [("--set", f"/sip/{name}={port}") for name, port in settings.items()]
    with (
        device(tmp_path_factory.mktemp("house"), *(p for put in puts for p in put)) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield House(running, ports, browser)
        browser.close()
        running.wait_idle()


def call(page: Page, extension: str) -> str:
    """Answered; what the device says with its answer."""
    answer: str = page.evaluate(f"phone.call('sip:{extension}@127.0.0.1', {OFFERED}, 9)")
    assert answer.startswith("SIP/2.0 200 OK\r\n")
    return answer


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@pytest.mark.parametrize("binary", ["false", "true"])
def test_a_browser_calls_and_its_extension_lights_up(
    house: House, scheme: str, binary: str
) -> None:
    """Either side ends it; a BYE of ours goes to a Contact that is no address (RFC 7118 §5)."""
    with house.phone(scheme) as page:
        page.evaluate(f"phone.binary = {binary}")
        assert page.evaluate("phone.ask('sip:127.0.0.1')") == "SIP/2.0 200 OK"
        for browser_ends in (True, False):
            began = time.monotonic()
            answer = call(page, "1001")
            assert f"Via: SIP/2.0/{scheme.upper()} " in answer
            assert f":{house.ports[scheme]};transport=ws>" in answer
            assert house.device.calls[0]["transport"] == scheme.upper()
            await_profile(house.device, "Notice", began)
            if browser_ends:
                assert page.evaluate("phone.hangUp()") == "SIP/2.0 200 OK"
            else:
                house.device.command("hang-up")
                page.evaluate("phone.until(/^BYE sip:browser@.*invalid/)")
            house.device.wait_idle()
            await_dark_and_silent(house.device, began)


def test_a_browser_that_is_closed_in_its_call(house: House) -> None:
    """There is no way to it any more: the owner hangs up, and it is over at once."""
    began = time.monotonic()
    with house.phone("ws") as page:
        call(page, "1001")
        await_profile(house.device, "Notice", began)
    house.device.command("hang-up")

    house.device.wait_idle()
    await_dark_and_silent(house.device, began)
    with house.phone("ws") as page:
        assert page.evaluate("phone.ask('sip:127.0.0.1')") == "SIP/2.0 200 OK"


def test_a_browser_that_says_too_much_is_told_so(house: House) -> None:
    """RFC 6455 §7.4.1: 1009; a lone CRLFCRLF is answered (RFC 7118 §6)."""
    with house.phone("ws") as page:
        page.evaluate("phone.say('\\r\\n\\r\\n')")
        page.evaluate("phone.until(/^\\r\\n$/)")
        page.evaluate("phone.say('x'.repeat(70000))")
        assert page.evaluate("phone.closed") == 1009


def test_a_page_that_does_not_speak_sip_is_not_let_in(house: House) -> None:
    """RFC 7118 §4."""
    page = house.browser.new_page()
    url = f"ws://127.0.0.1:{house.ports['ws']}/"
    opened = f"new Promise(done => new WebSocket('{url}', 'chat').onclose = e => done(e.code))"
    assert page.evaluate(opened) == 1006
    page.close()


def test_a_browser_is_heard_with_its_own_media(house: House, figures: dict[str, str]) -> None:
    """WebRTC without any server between: RFC 8445, RFC 5763, RFC 5761; both ways."""
    wanted = {
        "accounts/0/transport": "wss",
        "accounts/0/media_encryption": "best_effort",
        "nat/ice": True,
    }
    puts = [("--set", f"/sip/{name}={json.dumps(value)}") for name, value in wanted.items()]
    port = free_port()
    puts.append(("--set", f"/sip/secure_websocket_port={port}"))
    folder = house.device.folder.parent / "media"
    with device(folder, *(p for put in puts for p in put)) as running:
        other = House(running, {"wss": port}, house.browser)
        with other.phone("wss") as page:
            page.evaluate(f"phone.whistle('sip:1099@127.0.0.1', 1000, {TONE_GAIN})")
            began = time.monotonic()
            sound = running.heard(began + 0.6, began + 1.1)
            [heard] = running.calls
            assert page.evaluate("phone.packets()") > 20
            assert page.evaluate("phone.hangUp()") == "SIP/2.0 200 OK"
        running.wait_idle()

    assert heard["audio"]["encryption"].startswith("AES_")
    assert heard["audio"]["way"].startswith("ICE: ")
    level = tone_db(sound, 1000.0)
    figures["a browser's tone of -13.5 dB, by WebRTC"] = f"{level:.1f} dB"
    assert level == pytest.approx(20 * np.log10(TONE_GAIN / np.sqrt(2)), abs=1.0)


# --- with a server ------------------------------------------------------------------------------


def test_calls_go_both_ways_over_tls_and_websocket_through_a_server(
    silence: Path, tmp_path: Path
) -> None:
    """One connection each for everything: RFC 7118 §5, RFC 5923."""
    authority, transports = Authority(), ("tls", "ws", "wss")
    with (
        kamailio(tmp_path / "pbx", signed=authority.sign("127.0.0.1")) as server,
        baresip(tmp_path / "phone", source=silence, registrar=server.place) as phone,
        registered(
            tmp_path / "device",
            *(
                account(server, f"u-{kind}", transport=kind, registrar=server.place_for(kind))
                for kind in transports
            ),
            tls={"authorities": authority.certificate},
            allow_incoming=True,
        ) as running,
    ):
        registered_until(server, "tester")
        for kind in transports:
            registered_until(server, f"u-{kind}")
            phone.dial(f"sip:u-{kind}@{server.place}")
            [heard] = running.calls
            assert (heard["account"], heard["transport"]) == (f"u-{kind}", kind.upper())
            running.command("hang-up")
            phone.wait_for("CALL_CLOSED")
            running.wait_idle()

            running.command("dial", uri="tester", account=f"u-{kind}")
            phone.wait_for("CALL_ESTABLISHED")
            phone.hang_up()
            running.wait_idle()
