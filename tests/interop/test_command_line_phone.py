"""`sipstrobe dial`: a small honest phone, against the device and against baresip."""

import time
from pathlib import Path

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import RATE, Device, sipstrobe
from tests.interop.test_caller_is_heard import EXPECTED, levels_db
from tests.interop.tones import write_tone
from tests.interop.witness import on_time
from tests.support.hear import Samples, loud_spans, read_wav
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

AT_ONCE = 30.0  # seconds for the start of Python; SIP would give up after 32 (timer B)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_it_plays_a_file(demo: Device, tmp_path: Path, transport: str) -> None:
    """What is in the WAV is heard on the device, and the call ends when asked."""
    tone = write_tone(tmp_path / "tone.wav", [1020.0], seconds=5.0)

    def story() -> None:
        began = time.monotonic()
        done = sipstrobe(
            *("dial", demo.uri("1099"), "--play", tone, "--seconds", "1.2"),
            *("--transport", transport, "--record", tmp_path / "heard.wav"),
        )
        assert done.returncode == 0
        assert done.stdout.splitlines()[-1] == "ended: terminated"
        assert_tone(demo.heard(began, time.monotonic()))

    on_time(demo, story)


def test_it_records_what_it_hears(demo: Device, tmp_path: Path) -> None:
    """baresip whistles; the recording has it as loud as it was."""
    tone = write_tone(tmp_path / "tone.wav", [1020.0])
    record = tmp_path / "heard.wav"
    with baresip(tmp_path / "phone", source=tone) as phone:

        def story() -> None:
            done = sipstrobe("dial", phone.uri, "--seconds", "1.2", "--record", record)
            assert done.returncode == 0, done.stderr
            assert_tone(read_wav(record)[0])

        on_time(demo, story)


def assert_tone(sound: Samples) -> None:
    """It is heard as long as the call, and as loud as it was."""
    start, end = max(loud_spans(sound), key=lambda span: span[1] - span[0])
    levels = levels_db(sound[round((start + 0.3) * RATE) : round((end - 0.1) * RATE)], 1020.0)
    assert end - start == pytest.approx(1.2, abs=0.2)
    assert [min(levels), max(levels)] == [EXPECTED, EXPECTED]


def test_it_presses_digits(silence: Path, tmp_path: Path) -> None:
    """RFC 4733: baresip hears each digit once."""
    with baresip(tmp_path / "phone", source=silence) as phone:
        done = sipstrobe(
            *("dial", phone.uri, "--seconds", "1.5", "--digits", "19#*"),
            *("--record", tmp_path / "heard.wav"),
        )
        phone.wait_for("CALL_CLOSED")

    assert done.returncode == 0, done.stderr
    assert phone.digits == "19#*"


def test_nobody_is_there(tmp_path: Path) -> None:
    """ICMP says so at once, and SIP's timeouts are not waited for."""
    began = time.monotonic()
    done = sipstrobe(
        *("dial", f"sip:desk@127.0.0.1:{free_port()}", "--record", tmp_path / "heard.wav")
    )

    assert time.monotonic() - began < AT_ONCE
    words = "ended: failed: there is nobody at this port"
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, words)


@pytest.mark.parametrize("uri", ["sip:", "tel:112", "sip:desk@", "sip:desk@[::1", "sip:a@b:99999"])
def test_a_wrong_address(tmp_path: Path, uri: str) -> None:
    """Told in words, without a traceback."""
    done = sipstrobe("dial", uri, "--record", tmp_path / "heard.wav")

    assert done.returncode == 1
    assert "cannot call" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_does_not_exist(tmp_path: Path) -> None:
    done = sipstrobe("dial", "sip:desk@nowhere.invalid", "--record", tmp_path / "heard.wav")

    words = "ended: failed: the name nowhere.invalid is not known"
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, words)


@pytest.mark.parametrize("broken", [b"", b"RIFF", b"no sound at all" * 9])
def test_a_file_that_is_no_sound(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "broken.wav"
    file.write_bytes(broken)

    done = sipstrobe("dial", "sip:desk@127.0.0.1", "--play", file)

    assert done.returncode == 1
    assert "broken.wav" in done.stderr
    assert "Traceback" not in done.stderr
