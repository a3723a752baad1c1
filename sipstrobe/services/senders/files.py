"""What is in a file that is sent: a recording, or a text."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from sipstrobe.sending.failure import SendFailed

PART: Final = ".part"  # the ending of a name while the file is not complete
BLOCK: Final = 64 * 1024  # bytes

RecordingPath = Callable[[str], Path | None]
"""Where the recording of a name is; None for what cannot be a name."""


def open_content(recording: str, text: str, path_of: RecordingPath) -> BinaryIO:
    """Open what is to be sent; waits for the disk. Raises SendFailed when it is gone."""
    if not recording:
        return io.BytesIO(text.encode())
    path = path_of(recording)
    try:
        if path is None:
            raise FileNotFoundError
        return path.open("rb")
    except OSError:
        words = f"the recording {recording} does not exist any more"
        raise SendFailed(words, permanent=True) from None
