"""The tone that tells a caller to speak."""

import numpy as np
import pytest

from sipstrobe.audio.beep import EDGE, LEAD, SECONDS, beep
from tests.support.hear import largest_step, level_db, loud_spans, tone_db


def test_it_is_short_soft_and_does_not_click() -> None:
    sound = beep().astype(np.float64)

    [(start, end)] = loud_spans(sound)
    assert start == pytest.approx(LEAD, abs=0.01)
    assert end == pytest.approx(LEAD + SECONDS, abs=0.01)
    middle = sound[round((LEAD + EDGE) * 48000) : round((LEAD + SECONDS - EDGE) * 48000)]
    assert level_db(middle) == pytest.approx(-20.0, abs=0.2)
    assert tone_db(middle, 880.0) == pytest.approx(-20.4, abs=0.3)
    assert abs(sound).max() < 0.2
    assert largest_step(sound) < 1.1 * largest_step(middle)
