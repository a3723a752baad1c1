"""RFC 4028 §10: a caller that has promised to refresh and does not is hung up.

That takes a minute. So it begins with the first story, in the background, and is looked at last.
"""

import pytest

from tests.interop.conftest import Forgetful
from tests.interop.witness import seen

pytestmark = [pytest.mark.interop, pytest.mark.collected_last]

INTERVAL = 90.0  # seconds; the least that RFC 4028 §4 allows
EARLIER = min(32.0, INTERVAL / 3)  # seconds before its end that the BYE comes


def test_a_caller_who_does_not_refresh(forgetful: Forgetful) -> None:
    forgetful.caller.wait(INTERVAL)

    assert forgetful.caller.returncode == 0  # SIPp has had its BYE
    lit, dark = seen(forgetful.device.frames)
    assert (lit.profile, dark.profile) == ("Attention", "")
    assert dark.at - lit.at == pytest.approx(INTERVAL - EARLIER, abs=1.0)
