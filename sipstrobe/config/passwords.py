"""Passwords, hashed so that whoever reads the disk must guess them slowly: scrypt (RFC 7914).

A hash says by itself how it was made: ``scrypt:14:8:5:<salt>:<key>``, with log2 N, r, p and base64.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Final, NamedTuple

SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
MEMORY_MAX_BYTES: Final = 64 << 20  # of one hash, whatever it says of itself
PASSWORD_ADVICE: Final = 12  # characters from which on a password is worth its name
DISTINCT_ADVICE: Final = 6  # different characters among them
_WORN: Final = ("password", "passwort", "qwert", "12345", "admin", "letmein", "sipstrobe")


class Cost(NamedTuple):
    """How slowly a password is guessed: 128 * N * r bytes are gone through p times."""

    log2_n: int
    r: int
    p: int


COST: Final = Cost(14, 8, 5)  # 16 MiB; as OWASP's Password Storage Cheat Sheet has it


def hash_password(password: str, salt: bytes, cost: Cost = COST) -> str:
    """The text to store; takes some tenths of a second with the usual cost."""
    key = _key(password, salt, cost)
    fields = (*map(str, cost), b64encode(salt).decode(), b64encode(key).decode())
    return ":".join(("scrypt", *fields))


def proves(password: str, hashed: str) -> bool:
    """Is this the password that the hash was made of? Takes as long as to make it."""
    try:
        kind, log2_n, r, p, salt, key = hashed.split(":")
        cost = Cost(int(log2_n), int(r), int(p))
        expected = b64decode(key, validate=True)
        if kind != "scrypt" or len(expected) != KEY_BYTES:
            return False
        found = _key(password, b64decode(salt, validate=True), cost)
    except (ValueError, TypeError, OverflowError):  # of a file that somebody has edited
        return False
    return hmac.compare_digest(found, expected)


def advice(password: str, name: str = "") -> str:
    """What to say about a password that is allowed and weak; empty when there is nothing to say."""
    if len(password) < PASSWORD_ADVICE:
        return f"short: {PASSWORD_ADVICE} characters or more are hard to guess"
    plain = password.lower()
    if len(set(plain)) < DISTINCT_ADVICE:
        return "made of few different characters, which is easy to guess"
    if name and name.lower() in plain:
        return "made of the name of the account, which is guessed first"
    if any(worn in plain for worn in _WORN):
        return "made of a word that is guessed first"
    return ""


def _key(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << cost.log2_n,
        r=cost.r,
        p=cost.p,
        maxmem=MEMORY_MAX_BYTES,
        dklen=KEY_BYTES,
    )
