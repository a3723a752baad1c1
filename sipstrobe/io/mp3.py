"""How many bits a second an MP3 file has: the headers of its frames (ISO 11172-3, 13818-3)."""

from typing import Final

# kbit/s of layer III by index; 0 is a free format, which nobody uses, and 15 is forbidden.
_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SEARCH: Final = 64 * 1024  # bytes of something else that may stand before the first frame
_INFO: Final = (b"Xing", b"Info", b"VBRI")  # in a first frame that has no sound


def bit_rate(data: bytes) -> int | None:
    """kbit/s of the frame that has most, which is that of all unless it varies; None: no frame."""
    at = _after_tag(data)
    end = min(len(data), at + _SEARCH)
    while at < end and not _begins_frames(data, at):
        at += 1
    most = None
    while (frame := _frame(data, at)) is not None:
        length, kbits = frame
        if not any(name in data[at : at + 64] for name in _INFO):
            most = max(most or 0, kbits)
        at += length
    return most


def _begins_frames(data: bytes, at: int) -> bool:
    """Whether a frame stands here, and another one after it unless that is the end."""
    frame = _frame(data, at)
    if frame is None:
        return False
    following = at + frame[0]
    return following >= len(data) or _frame(data, following) is not None


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """(length in bytes, kbit/s) of the frame whose header stands here."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # sync, layer III
        return None
    version, index, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or index in (0, 15) or rate == 3:
        return None
    sample_rate = _RATES[version][rate]
    kbits = (_MPEG1 if version == 3 else _MPEG2)[index]
    samples = 1152 if version == 3 else 576
    return samples // 8 * 1000 * kbits // sample_rate + (head[2] >> 1 & 1), kbits


def _after_tag(data: bytes) -> int:
    """Where an ID3v2 tag ends; its size has seven bits in each byte."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
