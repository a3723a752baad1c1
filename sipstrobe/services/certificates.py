"""What SIP shows and whom it trusts over TLS: made in another thread when it is first needed.

A device that nobody calls over TLS never loads what TLS needs (20 MB, 0.1 s). The first connection
that comes when the end of our own certificate is near has it renewed.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sipstrobe.errors import ConfigError
from sipstrobe.io.identity import Identity, own_identity, own_names
from sipstrobe.sip.settings import TlsSettings

if TYPE_CHECKING:
    from sipstrobe.io.tls import Tls


class Certificates:
    """`Tls` for both sides, by the settings; new connections use new settings, others go on."""

    def __init__(self, folder: Path | None, wall: Callable[[], datetime]) -> None:
        """folder: where the certificate of our own is kept; None: it is made anew each time."""
        self._folder = folder
        self._wall = wall
        self._settings = TlsSettings()
        self._making = asyncio.Lock()
        self._server: Tls | None = None
        self._shown: Identity | None = None  # by it
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
        if self._server is not None and not self._is_due():
            return self._server
        async with self._making:
            while self._server is None or self._is_due():
                settings = self._settings
                shown, made = await asyncio.to_thread(self._make_server, settings)
                if settings is self._settings:
                    self._shown, self._server = shown, made
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

    def _is_due(self) -> bool:
        return self._shown is not None and self._shown.is_due(self._wall())

    # --- in another thread ----------------------------------------------------------------------

    def _make_server(self, settings: TlsSettings) -> "tuple[Identity, Tls]":
        from sipstrobe.io.tls import Tls

        shown = _given(settings) or self._own()
        return shown, Tls.server(shown, settings.versions)

    def _make_client(self, settings: TlsSettings) -> "Tls":
        from sipstrobe.io.tls import Tls

        return Tls.client(
            _given(settings),
            settings.versions,
            authorities=settings.authorities,
            verify=settings.verify,
        )

    def _own(self) -> Identity:
        return own_identity(self._folder, own_names(), self._wall())


def _given(settings: TlsSettings) -> Identity | None:
    if not settings.certificate and not settings.private_key:
        return None
    return Identity(settings.certificate, settings.private_key)
