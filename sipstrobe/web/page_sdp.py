"""A source of pages from a session description (RFC 8866), as those who send RTP write one."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any, Final, TypedDict, get_args

from sipstrobe.config.check import decode, revealed
from sipstrobe.errors import ConfigError, RemoteProtocolError
from sipstrobe.multicast.fields import SUITES, Codec
from sipstrobe.multicast.settings import MulticastSettings, PageSource, problems
from sipstrobe.sdp import crypto
from sipstrobe.sdp.crypto import Crypto, Suite
from sipstrobe.sdp.description import MAX_BYTES, Format, Media, SessionDescription
from sipstrobe.sdp.formats import DYNAMIC, name_of
from sipstrobe.web import exchange
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json

PATH: Final = "/api/v1/multicast/sdp"
LABEL_MAX: Final = 31
_UNNAMED: Final = ("", "-", "no name")  # RFC 8866 §5.3 has "-" and " ", ffmpeg "No Name"
_BY_NUMBER: Final = (0, 8, 9)  # PCMU, PCMA and G.722 are known without a word: RFC 3551 §6
_SUITES: Final[Mapping[str, Suite]] = crypto.SUITES | {  # RFC 6188 §2
    name: Suite(name, 32, 14) for name in ("AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32")
}


class SourceMade(TypedDict):
    """The source, as the settings of pages have it; with its key, if the description has one."""

    source: PageSource


_ABOUT: Final = About(
    summary="A source of pages out of a session description",
    body=exchange.Media("application/sdp", "RFC 8866."),
    answer=SourceMade,
)


def routes() -> list[Route]:
    return [replace(act("POST", PATH, _read, _ABOUT), body_max_bytes=MAX_BYTES)]


def _read(request: Request) -> Response:
    """The source, as settings have it; nothing is stored."""
    try:
        return json({"source": revealed(source_of(request.body))})
    except RemoteProtocolError as error:
        raise HttpProblem(400, str(error)) from None
    except ConfigError as error:
        first = error.problems[0]
        field = first.path.removeprefix("/sources/0").split("/")[1]
        raise HttpProblem(400, f"{field}: {first.message}", field=field) from None


def source_of(data: bytes) -> PageSource:
    """The first audio of a description, as a source of pages.

    Raises RemoteProtocolError for what is no description, or nothing that can be received;
    ConfigError for what the settings do not take.
    """
    start = re.search(rb"^v=0", data[:MAX_BYTES], re.MULTILINE)  # some print a line before
    description = SessionDescription.parse(data[start.start() :] if start else data)
    media = _audio(description)
    group = description.connection_of(media)
    if not _is_group(group):
        raise RemoteProtocolError(f"{group:.60} is no multicast group")
    found, codec = _format(media)
    tree: dict[str, Any] = {
        "kind": "multicast",
        "label": _label(description, group),
        "address": group,
        "port": media.port,
        "senders": list(_senders(description, media, group)),
        **_key(media),
    }
    if found.payload_type not in _BY_NUMBER:
        tree |= {"codec": codec, "payload_type": found.payload_type}
    source = decode(PageSource, tree, {})
    wrong = problems(MulticastSettings(sources=(source,)))
    if wrong:
        raise ConfigError(wrong)
    return source


def _audio(description: SessionDescription) -> Media:
    for media in description.media:
        if media.kind == "audio" and media.port:
            if not re.fullmatch(r"RTP/S?AVPF?", media.protocol):
                raise RemoteProtocolError(f"{media.protocol:.30} is not supported, only RTP")
            return media
    raise RemoteProtocolError("there is no audio in it")


def _is_group(address: str) -> bool:
    try:
        return ip_address(address).is_multicast
    except ValueError:
        return False


def _format(media: Media) -> tuple[Format, str]:
    """The first format that we know, and our name of it."""
    formats = media.rtp_formats
    for found in formats:
        codec = name_of(found)
        dynamic = found.payload_type in DYNAMIC
        if codec in get_args(Codec) and (dynamic or found.payload_type in _BY_NUMBER):
            return found, str(codec)
    named = ", ".join(_shown(found) for found in formats) or "a payload type without a name"
    raise RemoteProtocolError(f"{named:.120} is not supported, only {', '.join(get_args(Codec))}")


def _shown(found: Format) -> str:
    channels = f"/{found.channels}" if found.channels > 1 else ""
    return f"{found.encoding:.30}/{found.clock_rate}{channels}"


def _label(description: SessionDescription, otherwise: str) -> str:
    said = description.value("s") or ""
    name = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", said).strip()[:LABEL_MAX].strip()
    return otherwise[:LABEL_MAX] if name.lower() in _UNNAMED else name


def _senders(description: SessionDescription, media: Media, group: str) -> Iterator[str]:
    """RFC 4570 §3: ``incl IN IP4 239.1.1.1 192.0.2.1 …``, of the medium or else of the session."""
    filters = list(media.attributes("source-filter")) or description.attributes("source-filter")
    for value in filters:
        mode, *rest = value.split()
        if len(rest) < 4 or rest[0] != "IN":
            raise RemoteProtocolError(f"source-filter:{value:.80} cannot be read")
        if rest[2] not in ("*", group):
            continue
        if mode != "incl":
            raise RemoteProtocolError("senders can be named, not shut out (source-filter: excl)")
        yield from rest[3:]


def _key(media: Media) -> dict[str, Any]:
    """RFC 4568: the first key that is understood; nothing where the sound is not encrypted."""
    refused = "there is no key in it (a=crypto)"
    for value in media.attributes("crypto"):
        try:
            found = Crypto.parse(value, _SUITES)
        except RemoteProtocolError as error:
            refused = str(error)
            continue
        key = base64.b64decode(found.key.reveal()).hex()
        cipher = next(c for c, sizes in SUITES.items() if sizes.get(len(key)) == found.suite)
        return {"srtp_key": key, "cipher": cipher}
    if "SAVP" in media.protocol or media.attribute("crypto") is not None:
        raise RemoteProtocolError(f"the sound is encrypted, and {refused}")
    return {}
