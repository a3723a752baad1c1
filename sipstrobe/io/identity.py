"""The certificate that the device makes for itself, which SIP and the page show alike.

Made when it is first asked for, and anew when its end is near. One that has been kept is found good
by what stands above it, so that a device that has its own need not load what reads certificates
(10 MB).
"""

import hashlib
import json
import logging
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.io.addresses import own_addresses
from sipstrobe.secret import Secret

logger = logging.getLogger(__name__)

FILE: Final = "certificate.pem"  # in the state folder, 0600: first what it is for, then the rest
RENEWED_BEFORE: Final = timedelta(days=30)  # its end
MAX_ADDRESSES: Final = 64  # in it
LIFE: Final = timedelta(days=3650)
SKEW: Final = timedelta(days=1)  # by which the clocks of others may be behind ours
MAKING_LIMIT: Final = 30.0  # seconds, for a machine that is busy
_MAKER = "sipstrobe.io.x509"
_EARLIER = "sip-certificate.pem"  # what it was called when only SIP had one
_HEAD = re.compile(r"# for ([^\n]*)\n# until ([^\n]+)\n# sha256 ([0-9a-f]{64})\n")
_making = threading.Lock()  # SIP and the page may want it at once


class Identity(Struct, frozen=True):
    """A certificate with its chain, and the key to it, in PEM form. good: from when until when one
    of the device's own making is shown; None: another has made it."""

    certificate: str
    key: Secret
    good: tuple[datetime, datetime] | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether the device is to make another in its place."""
        return self.good is not None and not self.good[0] <= now <= self.good[1]


def own_names() -> list[str]:
    """Whom it is to be for: our name, and our addresses."""
    return [socket.gethostname(), *own_addresses()[:MAX_ADDRESSES]]


def own_identity(folder: Path | None, names: Iterable[str], now: datetime) -> Identity:
    """The certificate for these names and addresses: kept, or made anew where they have changed or
    its end is near. The key stays the same, so that whoever has learnt it still knows us.

    Blocks. folder: where it is kept; None: nowhere. Raises OSError where it cannot be made.
    """
    wanted = list(names)
    with _making:
        kept = _read(folder)
        known = _known(kept.reveal(), wanted) if kept is not None else None
        if known is not None and not known.is_due(now):
            return known
        made = _make(wanted, now, kept)
        _write(folder, made.key.reveal() + made.certificate, wanted, now + LIFE)
    logger.info("made a certificate for %s", ", ".join(wanted))
    return _ours(made, now + LIFE)


def _ours(identity: Identity, until: datetime) -> Identity:
    """until: its end. One that begins later than now was made by a clock that was wrong."""
    return replace(identity, good=(until - LIFE - SKEW, until - RENEWED_BEFORE))


def _make(names: Sequence[str], now: datetime, kept: Secret | None) -> Identity:
    """In a process of its own, unless what that needs (10 MB) is loaded in this one anyway."""
    if _MAKER in sys.modules:
        from sipstrobe.io.x509 import make_identity

        return make_identity(names, now, kept=kept)
    wanted = {"names": names, "now": now.isoformat(), "kept": kept.reveal() if kept else ""}
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter, our own module
            [sys.executable, "-m", _MAKER],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            timeout=MAKING_LIMIT,
            check=True,
        )
    except subprocess.SubprocessError:
        raise OSError("no certificate could be made") from None  # what was given has the key
    return _identity(done.stdout)


def _identity(text: str) -> Identity:
    """Of a text that has first the key and then the certificate."""
    at = text.index("-----BEGIN CERTIFICATE-----")
    return Identity(text[at:], Secret(text[:at]))


def fingerprint(certificate: str) -> str:
    """SHA-256 of the first certificate of this PEM, as browsers show it: AB:CD:…"""
    begin = certificate.index("-----BEGIN CERTIFICATE-----")
    end = certificate.index("-----END CERTIFICATE-----", begin)
    der = ssl.PEM_cert_to_DER_cert(certificate[begin:end] + "-----END CERTIFICATE-----")
    return hashlib.sha256(der).digest().hex(":").upper()


def _known(text: str, names: Iterable[str]) -> Identity | None:
    """What has been kept; None where it is damaged, or not for all these names."""
    head = _HEAD.match(text)
    if head is None or hashlib.sha256(text[head.end() :].encode()).hexdigest() != head[3]:
        return None
    if not {name.lower() for name in names} <= set(head[1].split()):
        return None
    return _ours(_identity(text), datetime.fromisoformat(head[2]))


def _read(folder: Path | None) -> Secret | None:
    """Key and certificate; each reader of PEM takes what it looks for."""
    if folder is None:
        return None
    for name in (FILE, _EARLIER):
        with suppress(OSError, UnicodeDecodeError):
            return Secret((folder / name).read_text("ascii"))
    return None


def _write(folder: Path | None, text: str, names: Iterable[str], until: datetime) -> None:
    if folder is None:
        return
    listed = " ".join(name.lower() for name in names)
    head = f"# for {listed}\n# until {until.isoformat()}\n"
    head += f"# sha256 {hashlib.sha256(text.encode()).hexdigest()}\n"
    beside = folder / f"{FILE}.new"
    try:
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(head + text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / FILE)
    except (OSError, UnicodeEncodeError) as error:
        logger.warning("our certificate cannot be kept: %s", error)
