"""The settings of calls while a command of /vapix/call changes them: all of it is stored, or
nothing."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.settings import Settings
from sipstrobe.dtmf.settings import DigitSequence, DigitTables
from sipstrobe.errors import ConfigError
from sipstrobe.sip.account import Account
from sipstrobe.sip.settings import TlsSettings
from sipstrobe.web.compat.call_form import Arguments, invalid

NAMES: Final = {  # our pointers -> the API's names, where these are what a client has sent
    "/sip/port": "SIPPort",
    "/sip/tls_port": "SIPTLSPort",
    "/sip/rtp_start_port": "RTPStartPort",
    "/sip/calling_timeout": "CallingTimeout",
    "/sip/ringing_timeout": "AnsweringTimeout",
    "/sip/nat/stun_server": "STUNServers",
    "/sip/nat/turn_servers": "TURNServers",
    "/sip/access/entries": "AccessList",
    "/sip/end_calls_after": "MaxCallDuration",
    "/sip/registration_interval": "RegistrationInterval",
    "/sip/accounts/name": "Name",
    "/sip/accounts/user_id": "UserId",
    "/sip/accounts/caller_id": "CallerId",
    "/sip/accounts/authentication_id": "AuthenticationId",
    "/sip/accounts/domain": "PublicDomain",
    "/sip/accounts/registrar": "Registrar",
    "/sip/accounts/secondary_domain": "SecondaryPublicDomain",
    "/sip/accounts/secondary_registrar": "SecondaryRegistrar",
    "/sip/accounts/proxies": "SIPProxies",
    "/sip/accounts/secondary_proxies": "SecondarySIPProxies",
    "/sip/accounts/media_encryption": "MediaEncryption",
    "/sip/accounts/sips": "SIPSEnabled",
    "/sip/accounts/codecs": "AudioCodec",
    "/sip/accounts/id": "Id",
    "/dtmf/sequences/sequence": "DTMFSequence",
    "/dtmf/tables/idle/sequence": "DTMFSequence",
    "/dtmf/tables/events/name": "Name",
}


@dataclass(slots=True)
class Draft:
    """What commands may change. before: as it all was."""

    before: Settings
    accounts: list[Account]
    tls: TlsSettings
    sequences: list[DigitSequence]
    tables: DigitTables

    @classmethod
    def of(cls, settings: Settings) -> "Draft":
        sip, dtmf = settings.sip, settings.dtmf
        return cls(settings, list(sip.accounts), sip.tls, list(dtmf.sequences), dtmf.tables)

    def patch(self) -> dict[str, Any]:
        """What differs by now, as a merge patch."""
        sip: dict[str, Any] = {}
        dtmf: dict[str, Any] = {}
        if tuple(self.accounts) != self.before.sip.accounts:
            sip["accounts"] = self.accounts
        if self.tls != self.before.sip.tls:
            sip["tls"] = self.tls
        if tuple(self.sequences) != self.before.dtmf.sequences:
            dtmf["sequences"] = self.sequences
        if self.tables != self.before.dtmf.tables:
            dtmf["tables"] = self.tables
        sections = {"sip": sip, "dtmf": dtmf}
        return {name: section for name, section in sections.items() if section}


class Desk:
    """Where the settings are looked at and changed. settings: as they will be once all that was
    asked for is stored."""

    def __init__(self, dispatcher: Dispatcher, settings: Callable[[], Settings]) -> None:
        self._dispatcher = dispatcher
        self._settings = settings

    @property
    def settings(self) -> Settings:
        return self._settings()

    def draft(self) -> Draft:
        return Draft.of(self._settings())

    def put(self, put: Callable[[Draft, Arguments], str], given: Sequence[Arguments]) -> list[str]:
        """Have all of these put into one draft, and stored; their ids."""
        draft = self.draft()
        ids = [put(draft, one) for one in given]
        self.store(draft.patch())
        return ids

    def remove(
        self, remove: Callable[[Draft, Collection[str]], None], ids: Collection[str]
    ) -> None:
        draft = self.draft()
        remove(draft, ids)
        self.store(draft.patch())

    def store(self, patch: dict[str, Any]) -> None:
        """Raises Fault in the words of the API."""
        try:
            self._dispatcher.execute(ChangeSettings(patch=patch))
        except ConfigError as error:
            problem = error.problems[0]
            name = _name_of(problem.path)
            raise invalid(f"{name} {problem.message}" if name else str(problem)) from None


def _name_of(path: str) -> str:
    """What the API calls the setting that a pointer points at, or points into; else empty."""
    plain = re.sub(r"/[0-9]+(?=/|$)", "", path)
    while plain and plain not in NAMES:
        plain = plain.rpartition("/")[0]
    return NAMES.get(plain, "")
