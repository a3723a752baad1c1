"""Extensions with roles, dialled by phones of others: what is lit and heard of them.

2001 pages, 21… rings, 2201 alerts, 2301 alerts who knows the PIN 4711.
"""

import contextlib
import json
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.sipp import playing, sipp
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import await_dark_and_silent, await_profile, on_time, seen
from tests.support.hear import tone_db

pytestmark = pytest.mark.interop

PIN = "4711"
EXTENSIONS = [
    {"number": "2001", "role": "page"},
    {"number": "21*", "role": "ring", "profile": "Attention"},
    {"number": "2201", "role": "alert", "profile": "Evacuate", "priority": 6},
    {"number": "2301", "role": "alert", "profile": "Warning", "pin": PIN},
]
PACE = 1.2  # seconds after which a lamp is told the next change
DARK = 0.4  # seconds that are long enough to see that nothing is lit


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device whose account rings, so that only roles answer."""
    folder = tmp_path_factory.mktemp("roles")
    extensions = f"/extensions={json.dumps(EXTENSIONS)}"
    ringing = "/sip/accounts/0/answer_automatically=false"
    with device(folder, "--set", extensions, "--set", ringing) as running:
        yield running
        running.wait_idle()


def test_a_page_is_answered_and_heard(post: Device, tmp_path: Path) -> None:
    tone = write_tone(tmp_path / "tone.wav", [1020.0])
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            phone.dial(post.uri("2001"))
            spoken = time.monotonic() + 0.3
            time.sleep(0.6)
            phone.hang_up()
            heard = post.heard(spoken, spoken + 0.2)
            assert tone_db(heard, 1020.0) == pytest.approx(TONE_DB, abs=0.5)

        on_time(post, story)


def test_a_ring_lights_while_it_rings_and_is_not_answered(
    post: Device, silence: Path, tmp_path: Path
) -> None:
    with baresip(tmp_path / "phone", source=silence) as phone:
        began = time.monotonic()
        phone.command("dial", post.uri("2107"))
        phone.wait_for("CALL_RINGING")
        await_profile(post, "Attention", began)
        assert [call["state"] for call in post.calls] == ["ringing"]

        phone.hang_up()
        await_dark_and_silent(post, began)

    assert [s.profile for s in seen(post.frames, began)] == ["Attention", ""]


def test_an_alert_goes_on_when_its_call_is_over_until_a_digit_stops_it(
    post: Device, silence: Path, tmp_path: Path
) -> None:
    """Its priority is that of the extension."""
    began = time.monotonic()
    sipp("uac-answer-and-bye", post.port, tmp_path, "-d", "100", extension="2201")
    lit = await_profile(post, "Evacuate", began)
    assert lit.priority == 6
    post.wait_idle()
    time.sleep(DARK)
    assert [operation["profile"] for operation in post.operations()] == ["Evacuate"]

    with baresip(tmp_path / "phone", source=silence) as phone:
        phone.dial(post.uri("2201"))
        phone.command("sndcode", "#")
        await_dark_and_silent(post, lit.at)


def test_nothing_is_lit_before_the_pin_was_pressed(
    post: Device, silence: Path, tmp_path: Path
) -> None:
    """RFC 4733: the digits come in RTP."""
    with baresip(tmp_path / "phone", source=silence) as phone:
        began = time.monotonic()
        phone.dial(post.uri("2301"))
        for digit in PIN[:3]:
            phone.command("sndcode", digit)
        time.sleep(DARK)
        assert [call["state"] for call in post.calls] == ["pin"]
        assert seen(post.frames, began) == []

        phone.command("sndcode", PIN[3])
        await_profile(post, "Warning", began)
        assert [call["state"] for call in post.calls] == ["active"]

    post.command("stop-profile", profile="Warning")
    post.wait_idle()


def test_the_pin_may_come_in_info(post: Device, tmp_path: Path) -> None:
    began = time.monotonic()

    sipp("uac-pin-in-info", post.port, tmp_path, "-d", "100", extension="2301")

    await_profile(post, "Warning", began)
    post.command("stop-profile", profile="Warning")


def test_who_does_not_know_the_pin_is_sent_away(post: Device, tmp_path: Path) -> None:
    began = time.monotonic()

    sipp("uac-wrong-pin", post.port, tmp_path, extension="2301")

    post.wait_idle()
    assert seen(post.frames, began) == []
    assert PIN not in post.log


def test_the_rules_of_roles_stand_beside_those_of_people(post: Device) -> None:
    rules = {rule["name"]: rule["source"] for rule in post.status()["rules"]}

    assert rules["A call to 1001 runs Notice"] == ""
    assert rules["Extension 21*: profile"] == "extension 21*"
    assert rules["Extension 2201: stop"] == "extension 2201"


def test_a_lamp_shows_the_alarm_of_an_extension(post: Device, tmp_path: Path) -> None:
    """RFC 4235: whoever started it; here, somebody at the page."""
    with watching(post, "2201", tmp_path):
        post.command("start-profile", profile="Evacuate")
        time.sleep(PACE)
        post.command("stop-profile", profile="Evacuate")


@contextlib.contextmanager
def watching(of: Device, extension: str, folder: Path) -> Generator[None]:
    """A lamp that has been told that nothing goes on; something must begin and end meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "messages"
    arguments = ("-s", extension, "-m", "1", "-trace_msg", "-message_file", str(told))
    with playing("uac-watches", f"127.0.0.1:{of.port}", folder, *arguments):
        wait_until(lambda: told.is_file() and "NOTIFY" in told.read_text(), words="the lamp")
        yield
