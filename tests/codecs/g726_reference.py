"""ITU-T G.726 at 32 kbit/s, block by block as §4.2 of the recommendation has them, for linear
samples of 14 bits. Slow and plain: only what is compared with it must be quick."""

from collections.abc import Iterable

DECISIONS = (-124, 80, 178, 246, 300, 349, 400)  # table 8: upper limits of d(k) in log2
LEVELS = (-2048, 4, 135, 213, 273, 323, 373, 425)  # table 8: quantizer output, by |I|
SCALE = (-12, 18, 41, 64, 112, 198, 355, 1122)  # W(I), §4.2.3
SPEED = (0, 0, 0, 1, 1, 1, 3, 7)  # F(I), §4.2.4
FLOAT_ZERO = (0, 0, 32)  # sign, exponent, mantissa: FLOATA, FLOATB

Float = tuple[int, int, int]


def clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def as_float(value: int) -> Float:
    """FLOATA, FLOATB: sign, exponent of 4 bits, mantissa of 6."""
    magnitude = abs(value)
    if not magnitude:
        return FLOAT_ZERO
    exponent = magnitude.bit_length()
    return int(value < 0), exponent, magnitude << 6 >> exponent


def multiply(coefficient: int, signal: Float) -> int:
    """FMULT: a coefficient of 16 bits by a signal in floating point."""
    sign, exponent, mantissa = signal
    magnitude = abs(coefficient >> 2) if coefficient >= 0 else -(coefficient >> 2) & 8191
    own = magnitude.bit_length()
    own_mantissa = magnitude << 6 >> own if magnitude else 32
    product = (own_mantissa * mantissa + 48) >> 4
    shift = own + exponent - 19  # of both together, to where the sums have their point
    result = (product << shift) & 32767 if shift >= 0 else product >> -shift
    return -result if (coefficient < 0) != bool(sign) else result


class Adpcm:
    """The state that encoder and decoder have in common."""

    def __init__(self) -> None:
        self.yu, self.yl = 544, 34816
        self.dms = self.dml = self.ap = 0
        self.a = [0, 0]
        self.b = [0] * 6
        self.dq = [FLOAT_ZERO] * 6
        self.sr = [FLOAT_ZERO] * 2
        self.pk = [0, 0]
        self.tone = False

    def encode(self, sample: int) -> int:
        """The code of a sample of 16 bits."""
        sez, se, y = self._estimate()
        difference = (sample >> 2) - se
        magnitude = abs(difference)
        exponent = max(0, magnitude.bit_length() - 1)
        log = (exponent << 7) + ((magnitude << 7 >> exponent) & 127)  # LOG
        normalized = log - (y >> 2)  # SUBTB
        size = sum(normalized >= limit for limit in DECISIONS)  # QUAN
        code = 15 - size if difference < 0 or not size else size
        self._adapt(code, sez, se, y)
        return code

    def decode(self, code: int) -> int:
        """The sample of 16 bits, which may be more than fits into them."""
        sez, se, y = self._estimate()
        return self._adapt(code, sez, se, y) << 2

    def _estimate(self) -> tuple[int, int, int]:
        zeros = sum(multiply(b, dq) for b, dq in zip(self.b, self.dq, strict=True))
        poles = sum(multiply(a, sr) for a, sr in zip(self.a, self.sr, strict=True))
        return zeros >> 1, (zeros + poles) >> 1, self._step()

    def _step(self) -> int:
        """MIX, with LIMA."""
        if self.ap >= 256:
            return self.yu
        slow = self.yl >> 6
        difference, weight = self.yu - slow, self.ap >> 2
        change = abs(difference) * weight >> 6
        return slow + change if difference >= 0 else slow - change

    def _adapt(self, code: int, sez: int, se: int, y: int) -> int:
        """Take the code in and return the reconstructed signal of 14 bits."""
        size = 15 - code if code & 8 else code
        negative = bool(code & 8)
        log = LEVELS[size] + (y >> 2)  # ADDA
        magnitude = 0
        if log >= 0:  # ANTILOG
            magnitude = (128 + (log & 127)) << 7 >> (14 - (log >> 7 & 15))
        dq = -magnitude if negative else magnitude
        sr = se + dq
        p = dq + sez  # ADDC
        transition = self._transition(magnitude)
        self._adapt_scale(SCALE[size], y)
        self._adapt_poles(p, reset=transition)
        self._adapt_zeros(dq, negative, reset=transition)
        self.dq = [as_float(dq) if dq else (int(negative), 0, 32), *self.dq[:5]]
        self.sr = [as_float(sr), self.sr[0]]
        self.pk = [int(p < 0), self.pk[0]]
        self._adapt_speed(SPEED[size], y, transition)
        return sr

    def _transition(self, magnitude: int) -> bool:
        """TRANS: the end of a tone of a modem."""
        whole, fraction = self.yl >> 15, self.yl >> 10 & 31
        limit = 31 << 10 if whole > 9 else (32 + fraction) << whole
        return self.tone and magnitude > (limit + (limit >> 1)) >> 1

    def _adapt_scale(self, w: int, y: int) -> None:
        """FILTD, LIMB, FILTE."""
        self.yu = clamp(y + (((w << 5) - y) >> 5), 544, 5120)
        self.yl += self.yu + (-self.yl >> 6)

    def _adapt_poles(self, p: int, *, reset: bool) -> None:
        """UPA2, LIMC, UPA1, LIMD; TRIGB."""
        if reset:
            self.a = [0, 0]
            return
        a1, a2 = self.a
        like_first, like_second = (int(p < 0) == pk for pk in self.pk)
        second = a2 - (a2 >> 7)
        if p:
            f = clamp(-a1 if like_first else a1, -8192, 8191)
            second += (f >> 5) if -8191 <= f <= 8191 else (255 if f > 0 else -256)
            second += 128 if like_second else -128
        second = clamp(second, -12288, 12288)
        first = a1 - (a1 >> 8)
        if p:
            first += 192 if like_first else -192
        limit = 15360 - second
        self.a = [clamp(first, -limit, limit), second]

    def _adapt_zeros(self, dq: int, negative: bool, *, reset: bool) -> None:
        """UPB."""
        for n, b in enumerate(self.b):
            change = 0
            if dq:
                change = 128 if int(negative) == self.dq[n][0] else -128
            self.b[n] = 0 if reset else b - (b >> 8) + change

    def _adapt_speed(self, f: int, y: int, transition: bool) -> None:
        """TONE, FILTA, FILTB, SUBTC, FILTC, TRIGA."""
        self.tone = not transition and self.a[1] < -11776
        self.dms += ((f << 9) - self.dms) >> 5
        self.dml += ((f << 11) - self.dml) >> 7
        fast = y < 1536 or self.tone or abs((self.dms << 2) - self.dml) >= self.dml >> 3
        self.ap = 256 if transition else self.ap + (((512 if fast else 0) - self.ap) >> 4)


def encode(samples: Iterable[int]) -> list[int]:
    coder = Adpcm()
    return [coder.encode(sample) for sample in samples]


def decode(codes: Iterable[int]) -> list[int]:
    coder = Adpcm()
    return [clamp(coder.decode(code), -32768, 32767) for code in codes]
