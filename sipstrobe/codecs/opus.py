"""Opus: RFC 6716 by libopus, RTP payloads of RFC 7587, mono at 48 kHz.

What is lost is concealed by the decoder itself, from the packet that follows if that carries a
coarse copy of what came before it (in-band FEC, RFC 7587 §3.3), else from what it knows of the
voice. The encoder sends such copies to whoever says that it uses them. Both ends delay by 6.5 ms.
"""

import ctypes
import math
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.library import OPUS as LIBRARY
from sipstrobe.codecs.library import have
from sipstrobe.errors import RemoteProtocolError

RATE: Final = 48000  # RFC 7587 §4.1: of the RTP clock, whatever is sent
LONGEST: Final = 5760  # samples of one packet: 120 ms; RFC 6716 §3.2.5
BITRATE: Final = 40000  # bit/s; RFC 7587 §3.1.1: 28 to 40 kbit/s for speech in full band
SAVING: Final = 5  # complexity with FEC: sounds like 9 then, in half of its 0.5 ms
BEST: Final = 9  # without: 0.1 ms for 20 ms of sound
LOWEST_BITRATE: Final = 6000  # RFC 7587 §6.1
EXPECTED_LOSS: Final = 10  # percent that the encoder prepares for; without any there is no FEC
_SILENT: Final = 19200  # samples of concealment after which there is nothing any more …
_FADE: Final = 9600  # … and over which it gets there
_CELT: Final = range(16, 32)  # RFC 6716 §3.1 table 2: modes in which there are no copies
_MADE: Final = 960  # samples: the library turns from voice to noise only after so many
_COMPARED: Final = 480  # samples before something that is made up, which does not become louder
_LOUDER: Final = 2.0  # in power: what a voice may do within so little time
_SEAM: Final = 120  # samples of what comes after it that take over
_ENDLESS: Final = 1 << 60
_STEP: Final = 120  # samples: the library conceals 2.5 ms at a time
_MAX_BYTES: Final = 1275  # RFC 6716 §3.4 [R2]; and any network lets that pass
_DTX_BYTES: Final = 2  # RFC 7587 §3.1.3: a packet no longer than this says that silence follows

# From opus_defines.h:
_VOIP: Final = 2048
_SET_BITRATE, _SET_MAX_BANDWIDTH, _SET_VBR = 4002, 4004, 4006
_SET_COMPLEXITY, _SET_INBAND_FEC, _SET_LOSS_PERCENT = 4010, 4012, 4014
_RESET_STATE: Final = 4028
_BANDWIDTHS: Final = ((8000, 1101), (12000, 1102), (16000, 1103), (24000, 1104))
_FULL_BAND: Final = 1105

# RFC 6716 §3.1 table 2: samples of one frame, by the upper five bits of the first octet.
_FRAME: Final = (*(480, 960, 1920, 2880) * 3, *(480, 960) * 2, *(120, 240, 480, 960) * 4)
# Silence of CELT, by its samples: frames of 10 or 20 ms that say that they are silent, RFC 6716
# §4.3, and no more.
_SILENCE: Final = {
    480: b"\xf0\xff\xfe",
    960: b"\xf8\xff\xfe",
    1920: b"\xf9" + 2 * b"\xff\xfe",
    2880: b"\xfb\x03" + 3 * b"\xff\xfe",
}


@cache
def _functions() -> ctypes.CDLL:
    """The library, with the types of what is used of it."""
    library = have(LIBRARY)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.opus_decoder_init.argtypes = (pointer, number, number)
    library.opus_encoder_init.argtypes = (pointer, number, number, number)
    library.opus_decode_float.argtypes = (pointer, pointer, number, pointer, number, number)
    library.opus_encode_float.argtypes = (pointer, pointer, number, pointer, number)
    library.opus_encoder_ctl.argtypes = (pointer, number)  # and what is variable
    return library


class OpusDecoder:
    """Any bandwidth and mode; stereo is mixed to mono (RFC 6716 §4.1)."""

    def __init__(self) -> None:
        library = _functions()
        self._decode = library.opus_decode_float
        self._state = ctypes.create_string_buffer(library.opus_decoder_get_size(1))
        error = library.opus_decoder_init(self._state, RATE, 1)
        assert not error, error
        self._room = np.empty(LONGEST, np.float32)
        self._room_at = self._room.ctypes.data
        self._made_up = 0  # samples since the last packet, where none should be missing
        self._heard = self._room[:0]  # what was played last
        self._gain = 1.0  # of what was made up last

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        if not payload:
            raise RemoteProtocolError("an Opus packet without content")
        self._heard = heard = self._run(payload, len(payload), LONGEST, 0)
        self._made_up = -_ENDLESS if self.pauses(payload) else 0
        self._turn_to(1.0, heard)
        return heard

    def duration(self, payload: bytes) -> int:
        """As the first octets say; for a packet that is none, one frame."""
        if not payload:
            return 0
        frame, code = _FRAME[payload[0] >> 3], payload[0] & 3
        count = (payload[1] & 0x3F if len(payload) > 1 else 0) if code == 3 else min(code + 1, 2)
        return frame * count if 0 < frame * count <= LONGEST else frame

    def conceal(self, samples: int) -> NDArray[np.float32]:
        """What the voice would have gone on with; it sinks into noise, and that into silence, but
        for a pause of the sender, which sounds like what it was like before."""
        made = self._filled(samples, None, 0)
        if self._made_up >= 0 and samples:
            at = np.arange(self._made_up, self._made_up + samples)
            made *= np.clip((_SILENT - at) / _FADE, 0.0, 1.0, dtype=np.float32)
            self._soften(made)
        self._made_up += samples
        return made

    def recover(self, following: bytes, samples: int) -> NDArray[np.float32]:
        """From the copy in the packet that follows the gap, where it has one."""
        if not following or following[0] >> 3 in _CELT:
            return self.conceal(samples)
        try:
            return self._filled(samples, following, len(following))
        except RemoteProtocolError:
            return self.conceal(samples)

    def pauses(self, payload: bytes) -> bool:
        return len(payload) <= _DTX_BYTES

    def _soften(self, made: NDArray[np.float32]) -> None:
        """Let it not become louder than what was played before it: where the library turns from the
        voice to noise, that would come up again after the voice has died away."""
        for start in range(0, made.size, _MADE):
            block = made[start : start + _MADE]
            before, power = _power(self._heard[-_COMPARED:]), _power(block)
            self._turn_to(math.sqrt(before / power) if power > _LOUDER * before else 1.0, block)
            self._heard = block

    def _turn_to(self, gain: float, sound: NDArray[np.float32]) -> None:
        """From the gain of what came before, without a step."""
        seam, earlier = sound[:_SEAM], self._gain
        if gain < earlier:  # at once: only what the sound begins with dies away
            step = sound[0] * (earlier - gain)
            sound *= gain
            seam += step * np.linspace(1.0, 0.0, seam.size, dtype=np.float32)
        elif earlier < 1.0:
            seam *= np.linspace(earlier, gain, seam.size, dtype=np.float32)
            sound[_SEAM:] *= gain
        self._gain = gain

    def _filled(self, samples: int, following: bytes | None, size: int) -> NDArray[np.float32]:
        wanted = -(-samples // _STEP) * _STEP
        pieces: list[NDArray[np.float32]] = []
        while wanted > LONGEST:  # the copy is of the last 60 ms at most
            pieces.append(self._run(None, 0, LONGEST, 0))
            wanted -= LONGEST
        if wanted:
            pieces.append(self._run(following, size, wanted, 1 if size else 0))
        return np.concatenate(pieces)[:samples] if pieces else np.zeros(0, np.float32)

    def _run(self, data: bytes | None, size: int, most: int, fec: int) -> NDArray[np.float32]:
        made: int = self._decode(self._state, data, size, self._room_at, most, fec)
        if made < 0:
            raise RemoteProtocolError("what has come is no Opus packet")
        return self._room[:made].copy()


class OpusEncoder:
    """Takes 10, 20, 40 or 60 ms at a time. fmtp: what the other side has said, RFC 7587 §6.1."""

    def __init__(self, fmtp: str = "") -> None:
        library = _functions()
        self._encode = library.opus_encode_float
        self._state = ctypes.create_string_buffer(library.opus_encoder_get_size(1))
        error = library.opus_encoder_init(self._state, RATE, 1, _VOIP)
        assert not error, error
        self._payload = ctypes.create_string_buffer(_MAX_BYTES)
        self._rests = False
        said = _parameters(fmtp)
        fec = said.get("useinbandfec") == 1
        bitrate = min(BITRATE, max(LOWEST_BITRATE, said.get("maxaveragebitrate", BITRATE)))
        for request, value in (
            (_SET_BITRATE, bitrate),
            (_SET_MAX_BANDWIDTH, _bandwidth(said.get("maxplaybackrate", RATE))),
            (_SET_VBR, 0 if said.get("cbr") == 1 else 1),
            (_SET_COMPLEXITY, SAVING if fec else BEST),
            (_SET_INBAND_FEC, 1 if fec else 0),
            (_SET_LOSS_PERCENT, EXPECTED_LOSS),
        ):
            error = library.opus_encoder_ctl(self._state, request, ctypes.c_int(value))
            assert not error, (request, value, error)

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        if self._rests:  # what the decoder has made of the silence, the encoder does not know
            self._rests = False
            _functions().opus_encoder_ctl(self._state, _RESET_STATE)
        clipped = np.clip(samples, -1.0, 1.0, dtype=np.float32)
        size: int = self._encode(
            self._state, clipped.ctypes.data, clipped.size, self._payload, _MAX_BYTES
        )
        assert size > 0, size
        return ctypes.string_at(self._payload, size)

    def silence(self, samples: int) -> bytes:
        self._rests = True
        return _SILENCE[samples]


def _power(sound: NDArray[np.float32]) -> float:
    return float(sound @ sound) / sound.size if sound.size else 0.0


def _parameters(fmtp: str) -> dict[str, int]:
    """Those of ``name=number;…`` that can be read."""
    pairs = (part.partition("=") for part in fmtp.split(";"))
    said = ((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return {n: int(v) for n, v in said if v.isascii() and v.isdigit() and len(v) < 10}


def _bandwidth(rate: int) -> int:
    """RFC 7587 §6.1: what is beyond the other side's playback rate need not be sent."""
    return next((band for most, band in _BANDWIDTHS if rate <= most), _FULL_BAND)


OPUS: Final = Codec("opus", RATE, RATE, OpusEncoder, OpusDecoder, LIBRARY)
