"""RFC 4028 §10: a caller that has promised to refresh and does not is hung up."""

from pathlib import Path

import pytest

from tests.interop.device import LATE, device
from tests.interop.sipp import playing
from tests.interop.witness import seen

pytestmark = [pytest.mark.interop, pytest.mark.slow]

INTERVAL = 90.0  # seconds; the least that RFC 4028 §4 allows
EARLIER = min(32.0, INTERVAL / 3)  # seconds before its end that the BYE comes


def test_a_caller_who_does_not_refresh(tmp_path: Path) -> None:
    with device(tmp_path / "device", sound="null") as running:
        target, one_call = f"127.0.0.1:{running.port}", ("-s", "1002", "-m", "1")
        folder = tmp_path / "sipp"
        with playing("uac-session-timer-expiry", target, folder, *one_call, limit=INTERVAL + LATE):
            pass  # SIPp has its BYE in the end
        running.wait_idle()
        lit, dark = seen(running.frames)

    assert (lit.profile, dark.profile) == ("Attention", "")
    assert dark.at - lit.at == pytest.approx(INTERVAL - EARLIER, abs=LATE)
