"""Everything that people have set, as one file: settings, clips, what was measured of the speaker.

A zip archive. Passwords and keys are left out, or go with it encrypted by a password: AES-256-GCM
(NIST SP 800-38D) under a key that scrypt (RFC 7914) makes of it. The manifest has the digest of
each other member, and is itself bound to what is encrypted, so that nothing can be exchanged.

What the device has lived through (calls, logs, recordings) is no part of it and stays where it is.
"""

import errno
import hashlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

import msgspec
from msgspec import Struct, field

from sipstrobe import __version__
from sipstrobe.config.defaults import settings_files
from sipstrobe.config.patch import pointer
from sipstrobe.config.reading import SETTINGS, parse, text
from sipstrobe.config.state import Stored
from sipstrobe.config.state_files import CLIPS, OWN_CERTIFICATE, SPEAKER
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.secret import Secret

FORMAT: Final = "sipstrobe backup"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
HIDDEN: Final = "secrets.bin"
MAX_BYTES: Final = 1 << 30  # of a backup, and of what is in it
MAX_MEMBERS: Final = 1000
DIRECTORY_MAX: Final = 1 << 18  # bytes of what says which members there are
MANIFEST_MAX: Final = 1 << 20
SETTINGS_MAX: Final = 16 << 20
PASSWORD_MAX: Final = 128  # characters
_SALT, _NONCE = 16, 12  # bytes
_SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 << 20}  # a tenth of a second
_PIECE: Final = 1 << 20
_WAYS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END: Final = struct.Struct("<4s4H2LH")  # APPNOTE.TXT §4.3.16: end of central directory record
_LOCATOR_BYTES: Final = 20  # §4.3.15: before it, where there is another one for larger archives
_FOREVER: Final = (1980, 1, 1, 0, 0, 0)  # the date of each member: none


class _Manifest(msgspec.Struct, frozen=True):
    format: str
    version: int
    program: str
    made: str
    name: str
    serial: str
    secrets: Literal["left out", "encrypted"]
    members: dict[str, str]  # SHA-256 of each, by its name


class Restored(Struct, frozen=True):
    """What a backup has in it, valid. put: what is to be where in the state folder; missing: the
    pointers of secrets that were left out and have to be entered again."""

    put: Mapping[str, bytes | Path]
    made: str
    program: str
    missing: tuple[str, ...] = field(default=())


def write_backup(
    to: IO[bytes], folder: Path, stored: Stored, password: Secret, made: datetime
) -> None:
    """Write one. password: empty: secrets are left out. Blocks; raises OSError."""
    digests: dict[str, str] = {}
    with zipfile.ZipFile(to, "w") as archive:

        def add(name: str, content: bytes | Path) -> None:
            digests[name] = _add(archive, name, content)

        add(SETTINGS, text(stored.tree, stored.revision))
        for name in sorted({clip.file for clip in stored.settings.clips}):
            with suppress(FileNotFoundError):  # it is missing here too
                add(f"{CLIPS}/{name}", folder / CLIPS / name)
        with suppress(FileNotFoundError):
            add(SPEAKER, folder / SPEAKER)
        device = stored.settings.device
        manifest = msgspec.json.encode(
            _Manifest(
                FORMAT,
                VERSION,
                __version__,
                made.isoformat(timespec="seconds"),
                device.name,
                device.serial,
                "encrypted" if password else "left out",
                digests,
            )
        )
        _add(archive, MANIFEST, manifest)
        if password:
            hidden: dict[str, Any] = {"secrets": stored.secrets, "certificate": ""}
            with suppress(FileNotFoundError, UnicodeDecodeError):
                hidden["certificate"] = (folder / OWN_CERTIFICATE).read_text("ascii")
            _add(archive, HIDDEN, _encrypt(msgspec.json.encode(hidden), password, manifest))


def read_backup(file: Path | IO[bytes], beside: Path, now: Stored, password: Secret) -> Restored:
    """Look through all of a backup; its clips are unpacked into the folder `beside`.

    now: the device's own settings, whose serial number stays, and whose secrets and accounts too
    where the backup has none. Blocks. Raises ConfigError with every problem; OSError.
    """
    try:
        with file.open("rb") if isinstance(file, Path) else nullcontext(file) as source:
            _refuse_crowd(source)
            with zipfile.ZipFile(source) as archive:
                return _read(archive, beside, now, password)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as error:
        raise _refused(f"it is no backup, or is damaged: {error}") from None
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        words = "it is no backup, or is damaged: a place in it is before its beginning"
        raise _refused(words) from None


def _refuse_crowd(source: IO[bytes]) -> None:
    """zipfile reads the whole directory of an archive at once, however much that is."""
    size = source.seek(0, os.SEEK_END)
    source.seek(max(0, size - _END.size - _LOCATOR_BYTES))
    end = source.read()
    if len(end) < _END.size:
        raise _refused("it is no backup: it is too short")
    signature, *_, directory_bytes, _, comment_bytes = _END.unpack(end[-_END.size :])
    if signature != b"PK\5\6" or comment_bytes:
        raise _refused("it is no backup, or is damaged: it does not end as one")
    if directory_bytes > DIRECTORY_MAX or end.startswith(b"PK\6\7"):
        raise _refused("it holds more than a backup may")


def _read(archive: zipfile.ZipFile, beside: Path, now: Stored, password: Secret) -> Restored:
    found = {info.filename: info for info in archive.infolist()}
    if len(found) > MAX_MEMBERS or sum(info.file_size for info in found.values()) > MAX_BYTES:
        raise _refused("it holds more than a backup may")
    if any(info.compress_type not in _WAYS for info in found.values()):
        raise _refused("it is packed in a way of its own")  # perhaps without a bound
    manifest, bound = _manifest(archive)
    for name in found.keys() ^ (manifest.members.keys() | {MANIFEST, HIDDEN}):
        if name not in (HIDDEN,) or manifest.secrets == "encrypted":
            raise _refused(f"it is not whole: {name[:80]!r}")
    if SETTINGS not in manifest.members:
        raise _refused(f"it is not whole: {SETTINGS!r}")
    data = _member(archive, SETTINGS, manifest, SETTINGS_MAX)
    envelope = parse(data, SETTINGS)
    tree = envelope.get("settings")
    if not isinstance(tree, dict):
        raise ConfigError([Problem("/settings", "must be an object")])
    tree = cast("dict[str, Any]", tree)
    put: dict[str, bytes | Path] = {}
    missing: tuple[str, ...] = ()
    if manifest.secrets == "encrypted":
        secrets, certificate = _decrypt(archive, password, bound)
        if certificate:
            put[OWN_CERTIFICATE] = certificate.encode()
    else:
        secrets = now.secrets
        tree, missing = _without_secrets(tree, now)
    tree["device"] = {**_object(tree, "device"), "serial": now.settings.device.serial}
    put |= settings_files(tree, secrets, revision=now.revision + 1)
    wanted = {f"{CLIPS}/{name}" for name in _clips_in(cast("bytes", put[SETTINGS]))}
    for name in manifest.members:
        if name in wanted:
            put[name] = _unpack(archive, name, manifest, beside / str(len(put)))
        elif name == SPEAKER:
            put[name] = _member(archive, name, manifest, MANIFEST_MAX)
        elif name != SETTINGS:
            raise _refused(f"{name[:80]!r} belongs to nothing in it")
    return Restored(put, manifest.made, manifest.program, missing)


def _manifest(archive: zipfile.ZipFile) -> tuple[_Manifest, bytes]:
    try:
        data = _content(archive, MANIFEST, MANIFEST_MAX)
        manifest = msgspec.json.decode(data, type=_Manifest)
    except (KeyError, msgspec.DecodeError):
        raise _refused("it is no backup of such a device") from None
    if manifest.format != FORMAT or manifest.version > VERSION:
        raise _refused(f"it was made by sipstrobe {manifest.program[:32]}, which is newer")
    return manifest, data


def _without_secrets(tree: dict[str, Any], now: Stored) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The tree with the secrets that this device has under the same names, and empty ones for all
    others; with the accounts and certificates of this device, which are nothing without."""
    kept = {**tree, "certificates": now.tree["certificates"]}
    kept["web"] = {
        **_object(tree, "web"),
        **{name: now.tree["web"][name] for name in ("users", "tokens", "certificate")},
    }
    missing: list[str] = []

    def known(value: Any, path: str) -> Any:
        match value:
            case {"secret": str(name)} if len(cast("dict[str, Any]", value)) == 1:
                if name in now.secrets:
                    return value
                missing.append(path)
                return ""
            case dict():
                inner = cast("dict[str, Any]", value)
                return {key: known(entry, path + pointer(key)) for key, entry in inner.items()}
            case list():
                entries = cast("list[Any]", value)
                return [known(entry, path + pointer(n)) for n, entry in enumerate(entries)]
            case _:
                return value

    return known(kept, ""), tuple(missing)


def _clips_in(settings: bytes) -> Iterator[str]:
    for clip in msgspec.json.decode(settings)["settings"]["clips"]:
        yield clip["file"]


def _object(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found = tree.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError([Problem(pointer(name), "must be an object")])
    return cast("dict[str, Any]", found)


# --- members ------------------------------------------------------------------------------------


def _add(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> str:
    """Add a member; its SHA-256."""
    digest = hashlib.sha256()
    info = zipfile.ZipInfo(name, _FOREVER)
    if isinstance(content, bytes):
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as source:
        info.file_size = os.fstat(source.fileno()).st_size
        with archive.open(info, "w") as member:
            while piece := source.read(_PIECE):
                digest.update(piece)
                member.write(piece)
    return digest.hexdigest()


def _content(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """A member, of which no more is unpacked than it may have, whatever it says of its length."""
    with archive.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise _refused(f"{name} is too long")
    return data


def _member(archive: zipfile.ZipFile, name: str, manifest: _Manifest, limit: int) -> bytes:
    data = _content(archive, name, limit)
    if hashlib.sha256(data).hexdigest() != manifest.members[name]:
        raise _refused(f"{name} is not as it was written")
    return data


def _unpack(archive: zipfile.ZipFile, name: str, manifest: _Manifest, to: Path) -> Path:
    digest, left = hashlib.sha256(), archive.getinfo(name).file_size
    with archive.open(name) as source, to.open("xb") as file:
        while left > 0 and (piece := source.read(_PIECE)):
            left -= len(piece)
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != manifest.members[name]:
        raise _refused(f"{name} is not as it was written")
    return to


# --- secrets ------------------------------------------------------------------------------------


def _encrypt(data: bytes, password: Secret, bound: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return salt + nonce + AESGCM(_key(password, salt)).encrypt(nonce, data, bound)


def _decrypt(
    archive: zipfile.ZipFile, password: Secret, bound: bytes
) -> tuple[dict[str, str], str]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not password:
        raise ConfigError([Problem("/password", "it has secrets in it: give the password")])
    data = _content(archive, HIDDEN, SETTINGS_MAX)
    if len(data) <= _SALT + _NONCE:
        raise _refused("its secrets are damaged")
    salt, nonce = data[:_SALT], data[_SALT : _SALT + _NONCE]
    try:
        clear = AESGCM(_key(password, salt)).decrypt(nonce, data[_SALT + _NONCE :], bound)
    except InvalidTag:
        words = "is wrong, or the backup has been changed"
        raise ConfigError([Problem("/password", words)]) from None
    hidden = msgspec.json.decode(clear, type=_Hidden)
    return hidden.secrets, hidden.certificate


class _Hidden(msgspec.Struct, frozen=True):
    secrets: dict[str, str]
    certificate: str


def _key(password: Secret, salt: bytes) -> bytes:
    return hashlib.scrypt(password.reveal().encode(), salt=salt, dklen=32, **_SCRYPT)


def _refused(words: str) -> ConfigError:
    return ConfigError([Problem("", words)])
