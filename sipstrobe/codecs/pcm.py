"""Between floats of full scale −1…1 and the 16 bits that most codecs begin with."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FULL_SCALE: Final = np.float32(32768.0)
_LOWEST: Final = np.float32(-32768)
_HIGHEST: Final = np.float32(32767)


def to_pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Rounded to 16 bits; what is beyond full scale is clipped."""
    scaled = samples * FULL_SCALE
    np.maximum(scaled, _LOWEST, out=scaled)
    np.minimum(scaled, _HIGHEST, out=scaled)
    np.rint(scaled, out=scaled)
    return scaled.astype(np.int16)


def from_pcm(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """The same samples as floats."""
    return pcm.astype(np.float32) / FULL_SCALE
