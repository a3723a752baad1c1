"""Who floods the device harms himself: calls go on, and those who are known come in at once.

And a bad network, which is hostile without meaning to be.
"""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.interop.baresip import baresip
from tests.interop.caller import Dialogue, Wire, status
from tests.interop.device import RATE, ROOT, Device, device
from tests.interop.sipp import sipp
from tests.interop.test_caller_is_heard import assert_clean, levels_db
from tests.interop.tones import TONE_DB, write_ulaw
from tests.interop.witness import on_time
from tests.support.bad_network import BadNetwork
from tests.support.hear import loud_spans
from tests.support.ports import free_port

pytestmark = [pytest.mark.interop, pytest.mark.alone]

FLOOD = 10_000  # packets a second
SECONDS = 4.0  # of flood
CALLS = 40  # of one who is known, meanwhile
GAP = 0.06  # seconds from the end of one to the beginning of the next
ATTEMPTS = 20
LIGHT_MS = 100.0  # from INVITE to light for nine of ten; who was served after all others: seconds
LOSS = 0.3
FRIENDS = (  # hostile callers are called by numbers
    *("--set", "/sip/access/enabled=true", "--set", "/sip/access/policy=allow"),
    *("--set", '/sip/access/entries=["sip:te*@*","sip:caller@*"]'),
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, int]]:
    """A device with an access list, and the first of its ports for media."""
    media = free_port(64)
    start = ("--set", f"/sip/rtp_start_port={media}")
    with device(tmp_path_factory.mktemp("guarded"), *FRIENDS, *start) as running:
        yield running, media
        running.wait_idle()


@contextlib.contextmanager
def flood(running: Device, media: int, seconds: float) -> Generator[None]:
    """Meanwhile all the ports are flooded; at least half of it must have been sent."""
    command = [sys.executable, "-m", "tests.support.hostile", str(running.port)]
    command += ["--rate", str(FLOOD), "--seconds", str(seconds)]
    command += ["--media", *(str(media + n) for n in range(0, 64, 2))]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield
        out, _ = process.communicate(timeout=seconds + 20)
        assert int(out) >= 0.5 * FLOOD * seconds
    finally:
        process.kill()
        process.communicate()


def call(wire: Wire, port: int) -> float:
    """A whole call; when its INVITE was sent."""
    dialogue = Dialogue(port, wire.own, extension="1001")
    began = time.monotonic()
    assert dialogue.take(ask(wire, dialogue.invite())) == 200
    wire.send(dialogue.ack())
    time.sleep(0.01)
    assert dialogue.take(ask(wire, dialogue.bye())) == 200
    return began


def ask(wire: Wire, request: bytes) -> bytes:
    """The final response. Who is lost in a flood repeats himself (RFC 3261 §17.1.1.2)."""
    [cseq] = re.findall(rb"\r\nCSeq: .*\r\n", request)
    wire.patience(0.5)
    for _ in range(ATTEMPTS):
        wire.send(request)
        with contextlib.suppress(TimeoutError):
            while True:
                response = wire.receive()
                if cseq in response and status(response) >= 200:
                    return response
    raise AssertionError(f"no answer to{cseq.decode()}")


def to_light_ms(running: Device, sent: list[float]) -> list[float]:
    """From each INVITE to the first lit frame after it, the quickest first."""
    lit = [f["at"] for f in running.frames if any(s["level"] for s in f["sides"].values())]
    first = np.searchsorted(np.array(lit), sent)
    return sorted((lit[n] - at) * 1000 for n, at in zip(first.tolist(), sent, strict=True))


def test_whoever_is_known_is_served_in_a_flood(
    guarded: tuple[Device, int], figures: dict[str, str]
) -> None:
    """10,000 packets a second: noise, spoilt SIP, scans, INVITEs, from 250 addresses and one."""
    running, media = guarded

    def story() -> str:
        with Wire(running.port) as wire:
            call(wire, running.port)  # by its ACK we know him
            with flood(running, media, SECONDS):
                time.sleep(1.0)
                sent: list[float] = []
                for _ in range(CALLS):
                    sent.append(call(wire, running.port))
                    time.sleep(GAP)
            time.sleep(0.2)
        took = to_light_ms(running, sent)
        assert took[round(0.9 * (len(took) - 1))] <= LIGHT_MS
        return f"{took[len(took) // 2]:.1f} / {took[-1]:.1f} ms"

    words = on_time(running, story)

    figures[f"INVITE → light in {FLOOD:,} packets/s, p50 / max"] = words
    assert "too many" in running.log


def test_a_call_does_not_suffer_from_a_flood(
    guarded: tuple[Device, int], kilohertz: Path, tmp_path: Path, figures: dict[str, str]
) -> None:
    """Neither gap nor click, though the ports of its media are flooded as well."""
    running, media = guarded
    with baresip(tmp_path, source=kilohertz) as phone:

        def story() -> str:
            began = time.monotonic()
            phone.dial(running.uri("1099"))
            time.sleep(0.5)
            with flood(running, media, 2.0):
                time.sleep(2.0)
            phone.hang_up()
            running.wait_idle()
            return assert_clean(running.heard(began, time.monotonic() + 0.2), 1000.0)

        figures[f"a tone in {FLOOD:,} packets/s"] = on_time(running, story)


class Router(contextlib.ExitStack):
    """A bad network for signalling and media alike: the description of media names its ports."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._media: dict[bytes, BadNetwork] = {}
        signalling = BadNetwork(port, loss=LOSS, reorder=0.1, seed=3, rewrite=self._rewrite)
        self.port = self.enter_context(signalling).port

    @property
    def media(self) -> BadNetwork:
        """The way of the sound of the only call."""
        [media] = self._media.values()
        return media

    def _rewrite(self, data: bytes) -> bytes:
        return re.sub(rb"(?<=m=audio )\d{5}", self._way_to, data)

    def _way_to(self, port: re.Match[bytes]) -> bytes:
        if port[0] not in self._media:
            relay = BadNetwork(int(port[0]), loss=LOSS, reorder=0.1, seed=4)
            self._media[port[0]] = self.enter_context(relay)
        return b"%d" % self._media[port[0]].port


def test_a_network_that_loses_a_third_of_everything(
    guarded: tuple[Device, int], kilohertz: Path, tmp_path: Path, figures: dict[str, str]
) -> None:
    """RFC 3261 §17 brings the call about and ends it; what its sound lacks is concealed."""
    running, _ = guarded
    write_ulaw(kilohertz, tmp_path / "tone.ulaw")

    def story() -> str:
        began = time.monotonic()
        with Router(running.port) as router:
            sipp("uac-media", router.port, tmp_path, "-d", "3000", extension="1098", limit=60)
            lost = router.media.lost / (router.media.lost + router.media.passed)
        running.wait_idle()
        spans = loud_spans(running.heard(began, time.monotonic() + 0.2))
        sound = running.heard(began + spans[0][0] + 0.3, began + spans[-1][1] - 0.3)
        levels = sorted(levels_db(sound, 1000.0))
        assert lost == pytest.approx(LOSS, abs=0.06)
        assert len(sound) > 2 * RATE
        assert levels[len(levels) // 2] == pytest.approx(TONE_DB, abs=0.5)
        assert levels[len(levels) // 5] > TONE_DB - 3.0
        return f"{lost:.0%} lost: {levels[len(levels) // 5]:.1f} … {levels[-1]:.1f} dB"

    figures["1000 Hz over a network with 30 % loss"] = on_time(running, story)
