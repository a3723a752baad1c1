"""Whether the health check's tone is heard at the output: looked up in what was really played."""

import logging
from typing import Final

from sipstrobe.audio.format import rms, samples_in
from sipstrobe.audio.tap import Tap
from sipstrobe.audio.tone import find_tone

logger = logging.getLogger(__name__)

PIECE: Final = samples_in(0.25)  # measured
PIECES: Final = 6  # the loudest of them is measured: a gap in the sound is no fault of the output
STALE: Final = 0.5  # seconds; a card that has played nothing for so long has stopped
SILENT_DB: Final = -100.0
OFF_DB: Final = 3.0  # how much softer or louder than it should be
OFF_HERTZ: Final = 1.0
CLEAR_DB: Final = 20.0  # above all else


def tone_problem(tap: Tap, output: str, hertz: float, level_db: float, *, now: float) -> str:
    """What is wrong with a steady tone that has been played for 1.5 s at the least; empty: nothing.
    level_db: the RMS that it should have there."""
    if now - tap.ends_at > STALE:
        return f"the output {output} has taken no sound for {now - tap.ends_at:.1f} s"
    tone = find_tone(max(tap.recent(PIECES * PIECE).reshape(PIECES, PIECE), key=rms), hertz)
    logger.info(
        "the test tone at the output %s: %.1f Hz at %.1f dBFS, all else at %.1f dBFS",
        output,
        tone.frequency,
        tone.level_db,
        tone.rest_db,
    )
    if max(tone.level_db, tone.rest_db) < SILENT_DB:
        return f"the test tone did not reach the output {output}: nothing was heard there"
    if tone.level_db < tone.rest_db + CLEAR_DB:
        words = f"the test tone did not reach the output {output} alone: {tone.level_db:.0f} dBFS"
        return f"{words}, with {tone.rest_db:.0f} dBFS of other sound"
    if abs(tone.frequency - hertz) > OFF_HERTZ:
        return f"the test tone of {hertz:g} Hz had {tone.frequency:.1f} Hz at the output {output}"
    if abs(off_db := tone.level_db - level_db) > OFF_DB:
        more = "louder" if off_db > 0.0 else "softer"
        return (
            f"at the output {output} the test tone was {abs(off_db):.0f} dB {more} than it should"
        )
    return ""
