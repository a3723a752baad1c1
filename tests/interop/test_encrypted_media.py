"""Encrypted media with a phone that nobody here wrote: heard by both, refused where they must be.

SRTP here is baresip's and libsrtp's; keys come in the signalling (RFC 4568) or by a handshake
(RFC 5763). What is measured is the sound.
"""

import base64
import json
import re
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from pylibsrtp import Policy, Session

from sipstrobe.codecs.g711 import UlawEncoder
from tests.interop.baresip import Baresip, baresip
from tests.interop.caller import OFFER, Dialogue, Wire
from tests.interop.device import Device, device
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import SILENCE_DB, on_time
from tests.support.authority import Authority
from tests.support.hear import level_db, loud_spans, tone_db
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

HERTZ, GREETING_HERTZ = 1000.0, 600.0
GREETING = 0.6  # seconds
WINDOW = 0.3  # seconds of sound that are judged
LOUD = pytest.approx(TONE_DB, abs=0.5)  # after G.711
ANYBODY: int = vars(Policy)["SSRC_ANY_OUTBOUND"]
SUITE = "AES_CM_128_HMAC_SHA1_80"
SAVP = OFFER.replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:1 {SUITE} inline:{{key}}\r\n"


@contextmanager
def encrypting(folder: Path, encryption: str, *more: str) -> Generator[Device]:
    """A device whose account encrypts; more: further settings of SIP."""
    given = ['accounts/0/transport="tls"', f'accounts/0/media_encryption="{encryption}"', *more]
    greeting = write_tone(folder.with_suffix(".wav"), [GREETING_HERTZ], seconds=GREETING)
    arguments = ["--set", f'/audio/greeting="{greeting}"', "--set", f"/sip/tls_port={free_port()}"]
    for one in given:
        arguments += ["--set", f"/sip/{one}"]
    with device(folder, *arguments) as running:
        yield running
        running.wait_idle()


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Whom the device and the phones trust."""
    return Authority()


@pytest.fixture(scope="module")
def willing(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Device]:
    """Encrypts where the other side can."""
    folder = tmp_path_factory.mktemp("willing") / "device"
    with encrypting(folder, "best_effort", trusting(authority)) as running:
        yield running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Device]:
    """Encrypts or does not talk, and offers a handshake."""
    folder = tmp_path_factory.mktemp("strict") / "device"
    settings = (trusting(authority), 'accounts/0/media_keys="dtls"')
    with encrypting(folder, "mandatory", *settings) as running:
        yield running


def trusting(authority: Authority) -> str:
    return f"tls/authorities={json.dumps(authority.certificate)}"


@contextmanager
def phone(
    folder: Path, source: Path, mediaenc: str, authority: Authority | None = None
) -> Generator[Baresip]:
    """authority: signs the certificate of a phone that speaks TLS."""
    config: list[str] = []
    if authority is not None:
        _, _, pem = authority.sign("127.0.0.1").write(folder)
        config = [f"sip_certificate {pem}"]
    with baresip(
        folder,
        source=source,
        record=True,
        transport="udp" if authority is None else "tls",
        account=f";mediaenc={mediaenc}" if mediaenc else "",
        modules=("srtp", "dtls_srtp"),
        config=config,
    ) as running:
        yield running


def assert_heard(running: Device) -> None:
    """The tone of the other side, now, as loud as it was said."""
    now = time.monotonic()
    assert tone_db(running.heard(now - WINDOW, now), HERTZ) == LOUD


def assert_greeted(caller: Baresip) -> None:
    """The caller has heard all of the greeting, as loud as it is."""
    sound = caller.heard()
    ((start, end),) = [s for s in loud_spans(sound, 8000) if s[1] - s[0] > 0.05]
    middle = sound[round((start + 0.1) * 8000) : round((end - 0.1) * 8000)]
    assert end - start == pytest.approx(GREETING, abs=0.1)
    assert tone_db(middle, GREETING_HERTZ, 8000) == LOUD


@pytest.mark.parametrize("mediaenc", ["srtp", "srtp-mand", "srtp-mandf", "dtls_srtp"])
def test_baresip_and_the_device_hear_each_other(
    willing: Device, kilohertz: Path, tmp_path: Path, mediaenc: str
) -> None:
    """Offered as RTP/AVP with keys, RTP/SAVP, RTP/SAVPF and UDP/TLS/RTP/SAVP."""
    attempts = iter(range(9))

    def story() -> None:
        encrypted = willing.log.count("media are encrypted")
        with phone(tmp_path / f"phone{next(attempts)}", kilohertz, mediaenc) as caller:
            caller.dial(willing.uri("1099"))
            time.sleep(1.0)
            assert_heard(willing)
            caller.hang_up()
            assert_greeted(caller)
        assert willing.log.count("media are encrypted") == encrypted + 1

    on_time(willing, story)


@pytest.mark.parametrize("mediaenc", ["srtp-mand", "dtls_srtp"])
def test_hold_and_resume_keep_the_sound(
    willing: Device, kilohertz: Path, tmp_path: Path, mediaenc: str
) -> None:
    """A re-INVITE with the same keys begins nothing anew (RFC 4568 §7.1.4, RFC 8842 §5.5)."""
    with phone(tmp_path / "phone", kilohertz, mediaenc) as caller:

        def story() -> None:
            caller.dial(willing.uri("1099"))
            time.sleep(3 * WINDOW)
            for _ in range(2):
                caller.command("hold")
                time.sleep(1.5 * WINDOW)
                now = time.monotonic()
                assert level_db(willing.heard(now - WINDOW / 2, now)) < SILENCE_DB
                caller.command("resume")
                time.sleep(2 * WINDOW)
                assert_heard(willing)
            caller.hang_up()

        on_time(willing, story)


def test_a_phone_that_cannot_encrypt_is_heard_by_who_would_like_to(
    willing: Device, kilohertz: Path, tmp_path: Path
) -> None:
    with phone(tmp_path / "phone", kilohertz, "") as caller:

        def story() -> None:
            caller.dial(willing.uri("1099"))
            time.sleep(2 * WINDOW)
            assert_heard(willing)
            caller.hang_up()

        on_time(willing, story)


def test_who_insists_refuses_a_phone_that_does_not_encrypt(
    strict: Device, kilohertz: Path, tmp_path: Path
) -> None:
    with phone(tmp_path / "phone", kilohertz, "") as caller:
        caller.command("dial", strict.uri("1099"))
        caller.wait_for("CALL_CLOSED")
        assert "488" in caller.log
    assert "no encrypted media are offered, and encryption is mandatory" in strict.log


def test_who_does_not_encrypt_refuses_a_phone_that_insists(
    demo: Device, kilohertz: Path, tmp_path: Path
) -> None:
    with phone(tmp_path / "phone", kilohertz, "srtp-mand") as caller:
        caller.command("dial", demo.uri("1099"))
        caller.wait_for("CALL_CLOSED")
        assert "488" in caller.log
    assert "only encrypted media are offered, and encryption is switched off" in demo.log


def test_a_call_of_the_device_is_encrypted_by_a_handshake(
    strict: Device, kilohertz: Path, tmp_path: Path
) -> None:
    with phone(tmp_path / "phone", kilohertz, "dtls_srtp") as called:

        def story() -> None:
            strict.command("dial", uri=f"{called.uri};transport=udp")
            called.wait_for("CALL_ESTABLISHED")
            time.sleep(1.0)
            assert_heard(strict)
            strict.command("hang-up")
            called.wait_for("CALL_CLOSED")

        on_time(strict, story)
    assert "verified sha-256 fingerprint OK" in called.log


@pytest.mark.parametrize("mediaenc", ["srtp", "srtp-mand"])
def test_keys_that_are_offered_over_tls_may_be_taken(
    willing: Device, authority: Authority, kilohertz: Path, tmp_path: Path, mediaenc: str
) -> None:
    """RFC 8643 with SDES: RTP/AVP with keys; who insists refuses that and is asked once more."""
    with phone(tmp_path / "phone", kilohertz, mediaenc, authority) as called:
        on_time(willing, lambda: assert_calls_over_tls(willing, called))


def test_keys_that_are_offered_over_tls_must_be_taken(
    strict: Device, authority: Authority, kilohertz: Path, tmp_path: Path
) -> None:
    """RFC 4568 §5.1.1: RTP/SAVP."""
    with (
        strict.having("/sip/accounts/0/media_keys", "sdes", otherwise="dtls"),
        phone(tmp_path / "phone", kilohertz, "srtp-mand", authority) as called,
    ):
        on_time(strict, lambda: assert_calls_over_tls(strict, called))


def assert_calls_over_tls(running: Device, called: Baresip) -> None:
    """The device calls, and hears whom it has called."""
    running.command("dial", uri=f"sip:tester@127.0.0.1:{called.port + 1};transport=tls")
    called.wait_for("CALL_ESTABLISHED")
    time.sleep(1.0)
    assert_heard(running)
    assert "media are encrypted with AEAD_AES_256_GCM" in running.log
    running.command("hang-up")
    called.wait_for("CALL_CLOSED")


class Speaker:
    """Sends a tone under SRTP, as whoever it likes to be."""

    def __init__(self, key: bytes, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._to = ("127.0.0.1", port)
        self._srtp = Session(Policy(key=key, ssrc_type=ANYBODY))  # AES-CM with 80 bits
        amplitude = 10 ** (TONE_DB / 20) * np.sqrt(2)
        wave = amplitude * np.sin(np.arange(160) * 2 * np.pi * HERTZ / 8000)
        self._payload = UlawEncoder().encode(wave.astype(np.float32))

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def aim(self, port: int) -> None:
        self._to = ("127.0.0.1", port)

    def say(self, ssrc: int, first: int, seconds: float) -> None:
        """In real time, from this sequence number on."""
        began = time.monotonic()
        for n in range(round(seconds * 50)):
            time.sleep(max(0.0, began + n * 0.020 - time.monotonic()))
            number = (first + n) & 0xFFFF
            header = bytes([0x80, 0]) + number.to_bytes(2, "big")
            header += (n * 160).to_bytes(4, "big") + ssrc.to_bytes(4, "big")
            self._socket.sendto(self._srtp.protect(header + self._payload), self._to)

    def close(self) -> None:
        self._socket.close()


def test_another_ssrc_in_the_middle_of_an_encrypted_call_is_heard(willing: Device) -> None:
    """As after a transfer: each source has packet counters of its own, and all have the key."""
    key = bytes(range(30))
    text = base64.b64encode(key).decode()

    def story() -> None:
        offered = SAVP.replace("{key}", text)
        with closing(Speaker(key, 9)) as speaker, Wire(willing.port) as wire:
            talk = Dialogue(willing.port, wire.own, media=speaker.port, offered=offered)
            wire.send(talk.invite())
            answer = wire.final()
            assert talk.take(answer) == 200
            wire.send(talk.ack())
            speaker.aim(_media_port(answer))
            for ssrc, first in ((1, 100), (2, 65500), (3, 7)):
                speaker.say(ssrc, first, 3 * WINDOW)
                assert_heard(willing)
            assert willing.calls[0]["packets_lost"] == 0
            wire.send(talk.bye())
            wire.final()
        willing.wait_idle()

    on_time(willing, story)


def _media_port(answer: bytes) -> int:
    found = re.search(rb"^m=audio (\d+) RTP/SAVP 0\r$", answer, re.MULTILINE)
    assert found is not None, answer
    return int(found[1])


def test_no_key_is_in_a_log(willing: Device, strict: Device) -> None:
    """Of all the calls of these stories."""
    for running in (willing, strict):
        assert "inline" not in running.log
