"""Codecs and media encryption of /vapix/call (SIP-11, GAP-28, GAP-31).

There is one list for all accounts there, where each account has one here: told is that of the
default account, and what is set is set for all.
"""

from typing import Final, get_args

from msgspec import structs

from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.config.users import Role
from sipstrobe.sip.account import Account, Codec
from sipstrobe.sip.settings import default_account
from sipstrobe.web.compat.call_accounts import ENCRYPTIONS
from sipstrobe.web.compat.call_commands import Command
from sipstrobe.web.compat.call_draft import Desk
from sipstrobe.web.compat.call_form import Arguments, Values, invalid

_NAMES: Final[dict[str, str]] = {"G726-32": "G.726-32"}  # as the API spells what we spell otherwise
_ALL: Final[tuple[Codec, ...]] = get_args(Codec)


class Codecs:
    """The commands about codecs and encryption."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def commands(self) -> dict[str, Command]:
        return {
            "GetSupportedMediaEncryptionModes": Command(
                lambda _: {"MediaEncryption": list(ENCRYPTIONS.values())}
            ),
            "GetDefaultAudioCodecs": Command(lambda _: _told(Account().codecs)),
            "GetSupportedAudioCodecs": Command(lambda _: _told(_ALL)),
            "GetAudioCodecs": Command(lambda _: _told(self._current())),
            "SetAudioCodecs": Command(self._set, Role.ADMINISTRATOR),
        }

    def _current(self) -> tuple[Codec, ...]:
        return default_account(self._desk.settings.sip).codecs

    def _set(self, given: Arguments) -> Values:
        """In the order in which they are offered."""
        codecs = tuple(_read(one) for one in given.objects("AudioCodec"))
        draft = self._desk.draft()
        draft.accounts = [structs.replace(one, codecs=codecs) for one in draft.accounts]
        self._desk.store(draft.patch())
        return {}


def codec_told(name: str) -> str:
    """What the API calls a codec."""
    return _NAMES.get(name, name.partition("/")[0])


def _told(codecs: tuple[Codec, ...]) -> Values:
    return {
        "AudioCodec": [
            {"Name": codec_told(name), "SampleRate": CODECS[name].sample_rate}
            for name in usable(codecs)
        ]
    }


def _read(given: Arguments) -> Codec:
    """Of those with one name that of the sample rate, if one is said, and else the first."""
    wanted = given.text("Name").lower()
    for name in sorted(_ALL, key=lambda name: name != "L16/16000"):
        rate = given.number("SampleRate") if "SampleRate" in given else CODECS[name].sample_rate
        known = (name.lower(), codec_told(name).lower())
        if wanted in known and CODECS[name].sample_rate == rate and CODECS[name].usable:
            return name
    at = f" at {given.number('SampleRate')} Hz" if "SampleRate" in given else ""
    raise invalid(f"AudioCodec: {given.text('Name')[:64]!r}{at} is not supported")
