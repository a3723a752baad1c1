"""A sound card, as PortAudio sees one, and what comes out of its speaker."""

import time
from pathlib import Path

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import device, wait_until
from tests.interop.sound_server import CARD, RATE, sound_server
from tests.interop.test_codecs import judged
from tests.interop.witness import on_time
from tests.support.hear import loud_spans

pytestmark = pytest.mark.interop

SECONDS = 1.2  # of the call
SETTLED = 0.4  # seconds at the edges, in which the jitter buffer finds its depth


def test_a_caller_comes_out_of_a_sound_card(
    tmp_path: Path, kilohertz: Path, figures: dict[str, str]
) -> None:
    """As loud as it was said, without a gap or a click; the card has its own clock."""
    with (
        sound_server(tmp_path / "server") as server,
        device(tmp_path / "device", sound=CARD, environment=server.environment) as talking,
        baresip(tmp_path / "phone", source=kilohertz) as phone,
    ):
        wait_until(lambda: talking.status()["sound"]["working"], words="the card")
        sound = talking.status()["sound"]
        assert (sound["output"], sound["problem"]) == (CARD, "")

        def story() -> str:
            before = server.seconds
            phone.dial(talking.uri("1099"))
            time.sleep(SECONDS)
            heard = server.heard(before, server.seconds)
            phone.hang_up()
            ((start, end),) = loud_spans(heard)
            assert end - start > SECONDS - 0.6
            steady = heard[round((start + SETTLED) * RATE) : round((end - 0.05) * RATE)]
            return f"{judged(steady, 1000, 30)}, heard {1e3 * start:.0f} ms after the 200"

        figures["a tone through PortAudio, ALSA and PulseAudio"] = on_time(
            talking, story, late=lambda: server.late
        )
