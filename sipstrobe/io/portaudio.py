"""PortAudio, through which sound cards are reached: one library for all that is open at a time.

It learns which cards there are when it starts, and to start it anew ends all sound. So a fresh look
is taken whenever a card is opened while no other is.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any, Final, Protocol, TypeVar, cast

from sipstrobe.errors import MediaError

OPEN_LIMIT: Final = 5.0  # seconds for which another card may take to be opened

_lock = Lock()
_open: set[int] = set()  # streams, by their identity


class Stream(Protocol):
    """What is used of the streams of sounddevice."""

    @property
    def active(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self, ignore_errors: bool = True) -> None: ...
    def close(self, ignore_errors: bool = True) -> None: ...


class PortAudio(Protocol):
    """What is used of the module sounddevice, which comes without types."""

    PortAudioError: type[Exception]

    def OutputStream(self, **options: object) -> Stream: ...  # noqa: N802
    def InputStream(self, **options: object) -> Stream: ...  # noqa: N802
    def query_devices(self, device: str | None, kind: str) -> dict[str, Any]: ...
    def _initialize(self) -> None: ...
    def _terminate(self) -> None: ...


S = TypeVar("S", bound=Stream)


def open_stream(make: Callable[[PortAudio], S]) -> S:
    """Have a stream made and started, with a library that knows which cards there are now.

    Raises MediaError when there is no library, and what `make` does.
    """
    with _alone():
        stream = make(_library())
        _open.add(id(stream))
        return stream


def start(audio: PortAudio, stream: Stream) -> None:
    """Let it run; one that cannot is closed, and its PortAudioError raised."""
    try:
        stream.start()
    except audio.PortAudioError:
        stream.close(ignore_errors=True)
        raise


def close_stream(stream: Stream) -> None:
    """End when what it has is played; takes as long as that."""
    stream.stop(ignore_errors=True)
    stream.close(ignore_errors=True)
    _open.discard(id(stream))


@contextmanager
def _alone() -> Generator[None]:
    if not _lock.acquire(timeout=OPEN_LIMIT):
        raise MediaError("Another sound card is being opened, and takes too long.")
    try:
        yield
    finally:
        _lock.release()


def _library() -> PortAudio:
    """With a fresh look at which cards there are, where that disturbs nobody."""
    try:
        audio = cast("PortAudio", import_module("sounddevice"))
    except (ImportError, OSError) as error:
        raise MediaError(
            "Sound cards need the library PortAudio: install the package libportaudio2."
        ) from error
    if _open:
        return audio
    try:
        audio._terminate()  # pyright: ignore[reportPrivateUsage]
        audio._initialize()  # pyright: ignore[reportPrivateUsage]
    except audio.PortAudioError as error:
        raise MediaError(f"PortAudio does not start: {error}") from error
    return audio
