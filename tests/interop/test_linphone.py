"""linphone, another stack than baresip's, dials the device and is heard."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.device import Device, device, wait_until
from tests.interop.linphone import linphone, lonely_network
from tests.interop.tones import write_tone
from tests.support.hear import tone_db

pytestmark = pytest.mark.interop

SECONDS = 1.5  # of the call that are listened to
ACCOUNT = {"default": True, "transport": "tls", "media_encryption": "best_effort"}
LOUD_DB = -30.0  # linphone has its own idea of a microphone's gain


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device in a network of its own, in which the stories play."""
    with (
        lonely_network(),
        device(tmp_path_factory.mktemp("lone")) as running,
    ):
        running.set("/sip/accounts/0", ACCOUNT)
        yield running


def sound_of(lone: Device) -> dict[str, Any]:
    """What is known of how the one call is heard."""
    (call,) = lone.calls
    return call["audio"] or {"remote_mos": None}


def uri_over(lone: Device, transport: str) -> str:
    """How the device is dialled by this transport."""
    ports = [words.split()[:2] for words in lone.status()["listening"]]
    port = next(number for name, number in ports if name == transport.upper())
    return f"<sip:1099@127.0.0.1:{port};transport={transport}>"


@pytest.mark.parametrize(
    ("transport", "encryption"), [("udp", "none"), ("tls", "srtp"), ("tcp", "dtls")]
)
def test_a_tone_from_linphone(
    lone: Device, tmp_path: Path, figures: dict[str, str], transport: str, encryption: str
) -> None:
    tone = write_tone(tmp_path / "tone.wav", [1000.0])
    # It believes no certificate that signs itself; what ours proves is told in test_tls.
    trusting = {"verify_server_certs": "0", "verify_server_cn": "0"}
    settings = {"media_encryption": encryption, **trusting}
    with linphone(tmp_path / "phone", source=tone, settings=settings) as phone:
        phone.dial(uri_over(lone, transport))
        began = time.monotonic()
        (call,) = lone.calls
        time.sleep(SECONDS)
        wait_until(lambda: bool(sound_of(lone)["remote_mos"]), words="extended reports")
        sound = sound_of(lone)
        phone.hang_up()
        heard = lone.heard(began + 0.5, began + SECONDS - 0.2)

    level = tone_db(heard, 1000.0)
    assert level > LOUD_DB
    assert tone_db(heard, 1500.0) < level - 25
    assert call["codec"] == "opus"
    assert (sound["verdict"], bool(sound["encryption"])) == ("ok", encryption != "none")
    # It tells us how it hears us (RFC 3611); how well that is, it decides by how busy it is.
    assert 1.0 <= sound["remote_mos"] <= 5.0
    lone.wait_idle()
    assert call["transport"] == transport.upper()
    figures[f"linphone, {transport}, encryption {encryption}, 1000 Hz"] = (
        f"{level:.2f} dB, {np.max(np.abs(heard)):.2f} at most"
    )
