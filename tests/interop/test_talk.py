"""Somebody talks through the device from a browser, and hears the room: measured at both ends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.interop.device import Device, device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import on_time
from tests.support.hear import Samples, level_db, tone_db

pytestmark = pytest.mark.interop

VOICE, ROOM = 1000.0, 600.0  # Hz
SPOKEN = 1.0  # seconds
PLAIN = "{echoCancellation: false, noiseSuppression: false, autoGainControl: false}"
# A steady tone is no voice: the browser would take it away. Its connections can be looked at.
AS_IT_IS = f"""
  localStorage.language ??= "en";
  const plain = {PLAIN}, real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = () => real({{audio: plain}});
  window.lines = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {{
    constructor(...given) {{ super(...given); window.lines.push(this); }}
  }};
"""
LOUDEST = """async (hertz) => {
  const line = window.lines.at(-1), sounds = new AudioContext();
  const heard = sounds.createAnalyser();
  heard.fftSize = 16384;
  const track = line.getReceivers()[0].track;
  sounds.createMediaStreamSource(new MediaStream([track])).connect(heard);
  const levels = new Float32Array(heard.frequencyBinCount);
  const bin = sounds.sampleRate / heard.fftSize;
  for (;;) {
    await new Promise((done) => setTimeout(done, 50));
    heard.getFloatFrequencyData(levels);
    const found = levels.indexOf(Math.max(...levels));
    if (levels[found] > -60 && Math.abs(found * bin - hertz) < 2 * bin) return found * bin;
  }
}"""


@dataclass
class House:
    device: Device
    browser: Browser

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.device.http}"

    @property
    def talkers(self) -> list[dict[str, object]]:
        return self.device.status()["talk"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A device with a microphone before which somebody whistles, and a browser with one too."""
    folder = tmp_path_factory.mktemp("talk")
    voice = write_tone(folder / "voice.wav", [VOICE], seconds=10.0, rate=48_000)
    whistle = write_tone(folder / "whistle.wav", [ROOM], seconds=10.0, rate=16_000)
    flags = [
        *FLAGS.split(),
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
        "--autoplay-policy=no-user-gesture-required",
    ]
    microphone = ("--set", f"/audio/microphone/input=wav:{whistle}")
    with (
        device(folder / "device", *microphone, password="talk to the hand") as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield House(running, browser)
        browser.close()


@pytest.fixture
def page(house: House) -> Iterator[Page]:
    page = house.browser.new_page()
    page.add_init_script(AS_IT_IS)
    who = {"name": "admin", "password": house.device.password}
    assert page.context.request.post(f"{house.url}/api/v1/login", data=who).ok
    page.goto(f"{house.url}/#/")
    yield page
    page.context.close()


def spoken(house: House, page: Page) -> Samples:
    """The button is held for a while; what the speaker plays from before that until after it."""
    button = page.get_by_role("button", name="Hold to talk")
    began = time.monotonic() - 0.2
    button.hover()
    page.mouse.down()
    wait_until(lambda: any(t["talking"] for t in house.talkers), words="a voice")
    time.sleep(SPOKEN)
    page.mouse.up()
    expect(button).to_have_attribute("aria-pressed", "false")
    wait_until(lambda: not any(t["talking"] for t in house.talkers), words="silence")
    return house.device.heard(began, time.monotonic())


def test_what_is_said_while_the_button_is_held_is_heard_and_nothing_else(
    house: House, page: Page
) -> None:
    """The tone of the browser's microphone, at its level, from the press to the release."""
    page.get_by_role("button", name="Hold to talk").focus()
    page.keyboard.down("Space")  # connects; by the keyboard as well as by the mouse
    wait_until(lambda: any(t["talking"] for t in house.talkers), words="a voice")
    page.keyboard.up("Space")
    wait_until(lambda: not any(t["talking"] for t in house.talkers), words="silence")

    def story() -> None:
        sound = spoken(house, page)
        size = 480
        pieces = sound[: sound.size // size * size].reshape(-1, size)
        loud = np.flatnonzero([tone_db(piece, VOICE) > TONE_DB - 10 for piece in pieces])
        middle = sound[(loud[0] + 5) * size : (loud[-1] - 5) * size]
        assert middle.size > SPOKEN * 0.8 * 48_000
        assert tone_db(middle, VOICE) == pytest.approx(TONE_DB, abs=1.0)
        assert level_db(middle) == pytest.approx(TONE_DB, abs=1.0)  # and nothing beside it
        assert level_db(sound[: (loud[0] - 5) * size]) < -70
        assert level_db(sound[(loud[-1] + 10) * size :]) < -70

    on_time(house.device, story)
    page.get_by_role("button", name="End").click()
    wait_until(lambda: not house.talkers, words="the end of the connection")


def test_the_room_is_heard_until_the_session_ends(house: House, page: Page) -> None:
    """What the device's microphone hears comes out of the browser, until its user logs out."""
    page.get_by_role("switch", name="Hear the room").click()
    wait_until(lambda: any(t["listening"] for t in house.talkers), words="a listener")

    assert page.evaluate(LOUDEST, ROOM) == pytest.approx(ROOM, abs=12)

    page.context.request.post(f"{house.url}/api/v1/logout", headers={"Origin": house.url})
    wait_until(lambda: not house.talkers, words="the end of the connection")
