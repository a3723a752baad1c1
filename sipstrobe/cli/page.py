"""`sipstrobe page`: say a sound to all speakers of a multicast group, or to desk phones."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from ipaddress import ip_address
from itertools import chain
from pathlib import Path
from time import monotonic, sleep, time
from typing import Final, Protocol

import numpy as np

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.registry import CODECS
from sipstrobe.errors import MediaError
from sipstrobe.io.multicast import Group, open_group
from sipstrobe.io.multicast_sender import LINK_ONLY, MulticastSender
from sipstrobe.io.soundfiles import open_sound
from sipstrobe.io.udp import MAX_DATAGRAM
from sipstrobe.io.wavfile import stream_wav
from sipstrobe.multicast import group_paging
from sipstrobe.multicast.group_paging import ALERTS, CALLER_ID_BYTES, ENDS, INTERVAL, MAX_CHANNEL
from sipstrobe.rtp.group_srtp import GroupSrtp, key_problem
from sipstrobe.rtp.session import NTP_EPOCH
from sipstrobe.rtp.srtp_ciphers import SUITES
from sipstrobe.sdp.formats import SOUNDS
from sipstrobe.secret import Secret
from sipstrobe.services.desk_talker import DeskTalker
from sipstrobe.services.talker import Talker

LATE: Final = 0.2  # seconds that are caught up with; more is a pause in what is said
LAST_PORT: Final = 65534
STDIN: Final = "-"
CALLER_ID: Final = "sipstrobe"
LOOKS: Final = 64  # datagrams that are read between two alerts


class Speaker(Protocol):
    """What `pace` asks of who speaks."""

    frame_seconds: float

    def say(self, samples: Samples, *, now: float) -> None: ...

    def pause(self, frames: int) -> None: ...

    def end(self, *, now: float) -> None: ...


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        help=f"wav, au, mp3, opus, vorbis or flac; {STDIN} is a WAV that comes over standard input",
    )
    parser.add_argument(
        "--to",
        type=_group,
        required=True,
        metavar="GROUP:PORT",
        help="such as 239.1.2.3:5004 or [ff15::1234]:5004",
    )
    parser.add_argument("--codec", choices=tuple(SOUNDS), default="PCMU")
    parser.add_argument(
        "--srtp-key",
        type=_key,
        metavar="HEX|@FILE",
        help="encrypt: 60 or 92 hexadecimal characters for AES-CM with keys of 128 or 256 bits, 56"
        " or 88 for AES-GCM; @FILE has them in a file, where no list of processes shows them",
    )
    parser.add_argument(
        "--ttl",
        type=_ttl,
        default=LINK_ONLY,
        metavar="N",
        help="how many networks it may cross (default: 1, no router lets it pass)",
    )
    parser.add_argument(
        "--interface", default="", metavar="NAME", help="such as eth0 (default: the system's)"
    )
    parser.add_argument(
        "--channel",
        type=_channel,
        metavar="N",
        help="to desk phones that page each other, as a rule at 224.0.1.116:5001: 1 to 25 are"
        " push to talk, 26 to 50 the paging groups 1 to 25; the codec is PCMU or G722",
    )
    parser.add_argument(
        "--caller-id",
        type=_caller_id,
        metavar="TEXT",
        help=f"what desk phones show, {CALLER_ID_BYTES} characters at most (default: {CALLER_ID})",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    codec = CODECS[options.codec]
    if not codec.usable:
        raise MediaError(f"{codec.name} needs {codec.library}, which is not installed")
    if options.channel is None and options.caller_id is not None:
        raise MediaError("--caller-id is for desk phones, which --channel is needed for")
    if options.channel is not None and codec.name not in group_paging.CODECS.values():
        raise MediaError(f"desk phones do not know {codec.name}, only PCMU and G722")
    if options.channel is not None and options.srtp_key is not None:
        raise MediaError("what is said to desk phones cannot be encrypted")
    group, port = options.to
    with (
        closing(MulticastSender(group, port, ttl=options.ttl, interface=options.interface)) as out,
        _ended_by_sigterm(),
        _sound(options.file) as (sample_rate, blocks),
    ):
        talker = _talker(options, codec.name, out)
        frames = in_frames(blocks, sample_rate, talker.sample_rate, talker.frame_samples)
        if isinstance(talker, DeskTalker):
            with closing(_ear(Group(group, port, options.interface))) as ear:
                page_phones(talker, frames, monotonic, sleep, partial(_rival, talker, ear))
        else:
            pace(talker, frames, monotonic, sleep)
    print(f"paged: {talker.packets * talker.frame_seconds:.1f} s")
    return 0


def _talker(options: argparse.Namespace, codec: str, out: MulticastSender) -> Talker | DeskTalker:
    if options.channel is not None:
        serial_number = int.from_bytes(os.urandom(4))
        caller_id = options.caller_id or CALLER_ID
        return DeskTalker(out.send, codec, options.channel, caller_id, serial_number)
    began = monotonic()
    offset = time() + NTP_EPOCH - began
    return Talker(out, codec, options.srtp_key, os.urandom, ntp_offset=offset, now=began)


def page_phones(
    talker: DeskTalker,
    frames: Iterator[Samples],
    now: Callable[[], float],
    wait: Callable[[float], None],
    rival: Callable[[], str],
) -> None:
    """Alert as soon as there is something to say, say it, and end it, also when it breaks off; all
    of it at the pace of the phones. rival: who has the channel before us, if anybody has; then we
    say no more, and MediaError is raised."""
    first = next(frames, None)
    if first is None:
        return
    at, other = now(), ""
    try:
        for _ in range(ALERTS):
            talker.alert()
            at += INTERVAL
            if (early := at - now()) > 0.0:
                wait(early)
            if other := rival():
                raise MediaError(f"{other} is paging on this channel")
        pace(talker, chain((first,), frames), now, wait)
    finally:
        at = now()
        for _ in range(talker.ends, 0 if other else ENDS):
            at += INTERVAL
            if (early := at - now()) > 0.0:
                wait(early)
            talker.end(now=at)


def _ear(group: Group) -> socket.socket:
    try:
        return open_group(group)
    except OSError as error:
        raise MediaError(f"{group.address} cannot be heard: {error.strerror}") from error


def _rival(talker: DeskTalker, ear: socket.socket) -> str:
    """Who of those that have been heard has the channel before us."""
    for _ in range(LOOKS):
        try:
            data, (host, *_) = ear.recvfrom(MAX_DATAGRAM)
        except OSError:
            break
        if packet := talker.rival(data):
            return f"{packet.caller_id or 'a phone'} ({host})"
    return ""


def pace(
    talker: Speaker,
    frames: Iterator[Samples],
    now: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Say frame after frame, each exactly one frame after the one before, however long it takes to
    have them; then BYE, also when the sound breaks off."""
    at: float | None = None
    try:
        for frame in frames:  # is made while the one before sounds
            if at is None:
                at = now()
            if (early := at - now()) > 0.0:
                wait(early)
            elif early < -LATE:  # held up, or whoever speaks has made a pause
                missed = round(-early / talker.frame_seconds)
                talker.pause(missed)
                at += missed * talker.frame_seconds
            talker.say(frame, now=at)
            at += talker.frame_seconds
        if at is not None and (early := at - now()) > 0.0:
            wait(early)
    finally:
        talker.end(now=now() if at is None else at)


def in_frames(
    blocks: Iterator[Samples], sample_rate: int, wanted: int, size: int
) -> Iterator[Samples]:
    """Sound at another rate, in frames of this size; the last is filled up with silence."""
    rest = np.zeros(0, np.float32)
    for block in _resampled(blocks, sample_rate, wanted):
        rest = np.concatenate((rest, block))
        whole = rest.size // size * size
        yield from rest[:whole].reshape(-1, size)
        rest = rest[whole:]
    if rest.size:
        yield np.pad(rest, (0, size - rest.size))


def _resampled(blocks: Iterator[Samples], sample_rate: int, wanted: int) -> Iterator[Samples]:
    if sample_rate == wanted:
        yield from blocks
        return
    from soxr import ResampleStream  # pyright: ignore[reportMissingTypeStubs]

    stream = ResampleStream(sample_rate, wanted, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


@contextmanager
def _sound(file: str) -> Generator[tuple[int, Iterator[Samples]]]:
    """The sample rate and the sound of a file, or of standard input as it comes."""
    if file == STDIN:
        yield stream_wav(sys.stdin.buffer)
        return
    with open_sound(Path(file)) as (form, blocks):
        yield form.sample_rate, blocks


@contextmanager
def _ended_by_sigterm() -> Generator[None]:
    """SIGTERM is taken for Ctrl-C, so that BYE is said."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _group(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        multicast = ip_address(host).is_multicast
    except ValueError:
        multicast = False
    if not multicast:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not GROUP:PORT with a multicast address, 224.0.0.0 to 239.255.255.255 or"
            " one that begins with [ff"
        )
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"the port must be 1 to {LAST_PORT}; RTCP has the next")
    return host, int(port)


def _key(text: str) -> GroupSrtp:
    try:
        key = Path(text[1:]).read_text("ascii").strip() if text.startswith("@") else text
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(f"{text[1:]} cannot be read") from None
    for suite in SUITES:  # of two that have equal keys, the one with longer tags
        if not key_problem(suite, key):
            return GroupSrtp(suite, Secret(key))
    raise argparse.ArgumentTypeError("must be 56, 60, 88 or 92 hexadecimal characters")


def _ttl(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 255:
        raise argparse.ArgumentTypeError("must be 1 to 255")
    return int(text)


def _channel(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_CHANNEL:
        raise argparse.ArgumentTypeError(f"must be 1 to {MAX_CHANNEL}")
    return int(text)


def _caller_id(text: str) -> str:
    if not (0 < len(text) <= CALLER_ID_BYTES and text.isascii() and text.isprintable()):
        raise argparse.ArgumentTypeError(
            f"must be 1 to {CALLER_ID_BYTES} letters, digits and signs of ASCII"
        )
    return text
