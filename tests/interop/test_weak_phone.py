"""A phone with many weaknesses is called, takes a second to answer, and is heard all the same."""

import time
from pathlib import Path

import pytest

from tests.interop.device import Device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.weak_phone import weak_phone
from tests.interop.witness import on_time
from tests.support.hear import tone_db

pytestmark = pytest.mark.interop


def test_a_weak_phone_is_called(demo: Device, tmp_path: Path, figures: dict[str, str]) -> None:
    tone = write_tone(tmp_path / "tone.wav", [1000.0])
    with weak_phone(tmp_path / "phone", source=tone) as phone:

        def story() -> float:
            began = time.monotonic()
            call = demo.command("dial", uri=phone.uri)
            wait_until(lambda: [c["state"] for c in demo.calls] == ["active"], words="answered")
            answered = time.monotonic()
            heard = demo.heard(answered + 0.7, answered + 1.3)
            assert tone_db(heard, 1000.0) == pytest.approx(TONE_DB, abs=1.5)  # it has 8-bit samples
            demo.api("POST", f"calls/{call}/digits", digits="5")
            wait_until(lambda: "digit 5" in phone.said, words=phone.said)
            demo.command("hang-up", call=call)
            wait_until(lambda: "ended" in phone.said, words=phone.said)
            return answered - began

        figures["pyVoIP: from Dial to the answer"] = f"{on_time(demo, story):.1f} s"
    demo.wait_idle()
