"""What SIP shows and whom it trusts over TLS: made in another thread when it is first needed.

A device that nobody calls over TLS never loads what TLS needs (20 MB, 0.1 s).
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sipstrobe.errors import ConfigError
from sipstrobe.io.addresses import own_addresses
from sipstrobe.secret import Secret
from sipstrobe.sip.settings import TlsSettings

if TYPE_CHECKING:
    from sipstrobe.io.tls import Tls
    from sipstrobe.io.x509 import Identity

logger = logging.getLogger(__name__)

MAX_ADDRESSES = 64  # in it
FILE = "sip-certificate.pem"  # in the state folder: key and certificate of our own making


class Certificates:
    """`Tls` for both sides, by the settings; new connections use new settings, others go on."""

    def __init__(self, folder: Path | None, wall: Callable[[], datetime]) -> None:
        """folder: where the certificate of our own is kept; None: it is made anew each time."""
        self._folder = folder
        self._wall = wall
        self._settings = TlsSettings()
        self._making = asyncio.Lock()
        self._server: Tls | None = None
        self._client: Tls | None = None

    def apply(self, settings: TlsSettings) -> bool:
        """Whether that is anything new."""
        if settings == self._settings:
            return False
        self._settings = settings
        self._server = self._client = None
        return True

    async def problem(self) -> str:
        """What is wrong with what the settings give, "" if nothing is or nothing was given."""
        given = self._settings
        try:
            if given.certificate or given.private_key:
                await self.server()
            if given.authorities:
                await self.client()
        except ConfigError as error:
            return str(error)
        return ""

    async def server(self) -> "Tls":
        """Raises ConfigError for a certificate that cannot be used."""
        if self._server is not None:
            return self._server
        async with self._making:
            while self._server is None:
                settings = self._settings
                made = await asyncio.to_thread(self._make_server, settings)
                if settings is self._settings:
                    self._server = made
            return self._server

    async def client(self) -> "Tls":
        """Raises ConfigError for a certificate or authorities that cannot be used."""
        if self._client is not None:
            return self._client
        async with self._making:
            while self._client is None:
                settings = self._settings
                made = await asyncio.to_thread(self._make_client, settings)
                if settings is self._settings:
                    self._client = made
            return self._client

    # --- in another thread ----------------------------------------------------------------------

    def _make_server(self, settings: TlsSettings) -> "Tls":
        from sipstrobe.io.tls import Tls

        return Tls.server(_given(settings) or self._own(), settings.versions)

    def _make_client(self, settings: TlsSettings) -> "Tls":
        from sipstrobe.io.tls import Tls

        return Tls.client(
            _given(settings),
            settings.versions,
            authorities=settings.authorities,
            verify=settings.verify,
        )

    def _own(self) -> "Identity":
        """The certificate of our own making, made anew when our name or addresses have changed."""
        from sipstrobe.io.x509 import Identity, make_identity, still_good

        now, names = self._wall(), [socket.gethostname(), *own_addresses()[:MAX_ADDRESSES]]
        kept = self._read()
        if kept is not None:
            found = Identity(kept.reveal(), kept)
            if still_good(found, names, now):
                return found
        made = make_identity(names, now, kept=kept)
        self._write(made.key.reveal() + made.certificate)
        logger.info("made a certificate for %s", ", ".join(names))
        return made

    def _read(self) -> Secret | None:
        """Key and certificate; each reader of PEM takes what it looks for."""
        if self._folder is None:
            return None
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return Secret((self._folder / FILE).read_text("ascii"))
        return None

    def _write(self, text: str) -> None:
        if self._folder is None:
            return
        beside = self._folder / f"{FILE}.new"
        try:
            beside.unlink(missing_ok=True)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._folder / FILE)
        except OSError as error:
            logger.warning("our certificate cannot be kept: %s", error)


def _given(settings: TlsSettings) -> "Identity | None":
    from sipstrobe.io.x509 import Identity

    if not settings.certificate and not settings.private_key:
        return None
    return Identity(settings.certificate, settings.private_key)
