"""`sipstrobe doctor`: what would not work on this machine, and why.

It must run where hardly anything else does, so what needs packages is imported on the way.
"""

import argparse
import errno
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sipstrobe.cli import add_state_argument, words_of
from sipstrobe.errors import ConfigError
from sipstrobe.io.doorway import barred
from sipstrobe.io.files import files_allowed

if TYPE_CHECKING:
    from sipstrobe.config.settings import Settings

RUNTIME = ("numpy", "msgspec", "aiohttp")  # without these nothing works
LATER = {  # modules that are loaded on first use -> (package, what does not work without it)
    "cryptography": ("cryptography", "HTTPS and encryption"),
    "OpenSSL": ("pyOpenSSL", "calls over TLS, and media with keys by DTLS"),
    "pylibsrtp": ("pylibsrtp", "encrypted media"),
    "dns": ("dnspython", "finding the servers of accounts"),
    "wsproto": ("wsproto", "calls from browsers"),
    "aioice": ("aioice", "calls with ICE"),
    "aiortc": ("aiortc", "talk from the page"),
    "async_upnp_client": ("async-upnp-client", "opening routers by UPnP"),
    "soxr": ("soxr", "clips, and `sipstrobe page`"),
    "asyncssh": ("asyncssh", "sending files by SFTP"),
    "smbprotocol": ("smbprotocol", "sending files to network shares"),
}
FEWEST_FILES = 1024
LEAST_ROOM = 64 * 2**20  # bytes
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)

Finding = tuple[bool, str]  # (works, words)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    fine = True
    for works, words in examine(options.state):
        print(f"{'ok ' if works else 'BAD'} {words}")
        fine = fine and works
    return 0 if fine else 1


def examine(state: Path) -> Iterator[Finding]:
    """Look at everything that the device needs; nothing is changed."""
    yield _python()
    missing = False
    for name in RUNTIME:
        there = importlib.util.find_spec(name) is not None
        missing = missing or not there
        yield there, f"the package {name} is {'there' if there else f'missing: pip install {name}'}"
    for module, (package, use) in LATER.items():
        if importlib.util.find_spec(module) is None:
            yield False, f"the package {package} is missing, so no {use}: pip install {package}"
    yield _folder(state)
    yield _files()
    if missing:
        yield from _cards()
        return
    yield from _codecs()
    yield _echo()
    yield _clips()
    yield from _settings(state)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)"


def _folder(state: Path) -> Finding:
    """Whether settings could be stored there."""
    there = next(folder for folder in (state, *state.absolute().parents) if _is_there(folder))
    if not there.is_dir():
        return False, f"{state} cannot be a folder: {there} is a file"
    if not os.access(there, os.W_OK | os.X_OK):
        return False, f"nothing can be stored in {state}: {there} is not for this user to write"
    room = shutil.disk_usage(there).free
    words = f"{state} can be written, and has room for {room >> 20} MB"
    return room >= LEAST_ROOM, words


def _is_there(path: Path) -> bool:
    """Also if it is not for us to see."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _sound(output: str) -> Iterator[Finding]:
    if output == "null" or output.startswith("wav:"):
        yield True, f"the sound goes to {output}, so no sound card is needed"
    else:
        yield from _cards()


def _cards() -> Iterator[Finding]:
    try:
        sounddevice = import_module("sounddevice")
    except (ImportError, OSError) as error:
        yield False, f"no sound card can be used: {error} (Debian: apt-get install libportaudio2)"
        return
    names = [str(d["name"]) for d in sounddevice.query_devices() if d["max_output_channels"] > 0]
    if names:
        yield True, f"sound cards: {', '.join(names)}"
    else:
        yield False, "PortAudio finds no sound card: the device will play into nothing"


def _codecs() -> Iterator[Finding]:
    """Those that need a library are not offered without it."""
    from sipstrobe.codecs.library import PACKAGES, find
    from sipstrobe.codecs.registry import CODECS

    for library, package in PACKAGES.items():
        names = ", ".join(codec.name for codec in CODECS.values() if codec.library == library)
        if find(library) is not None:
            yield True, f"calls can use {names} ({library} is there)"
        else:
            yield (
                False,
                f"calls cannot use {names}: no {library} (Debian: apt-get install {package})",
            )


def _clips() -> Finding:
    """Without it no clips can be added; those of every device are there."""
    try:
        soundfile = import_module("soundfile")
    except (ImportError, OSError) as error:
        words = f"no clips can be added: {error} (Debian: apt-get install libsndfile1)"
        return False, words
    return True, f"clips can be added (libsndfile {soundfile.__libsndfile_version__})"


def _echo() -> Finding:
    """Two-way talk goes on without it, half duplex."""
    from sipstrobe.io.speexdsp import LIBRARY, PACKAGE, library

    if library() is not None:
        return True, f"the microphone can have its echo cancelled ({LIBRARY} is there)"
    return False, (
        "echo cannot be cancelled, so the microphone is softer while the speaker plays: no"
        f" {LIBRARY} (Debian: apt-get install {PACKAGE})"
    )


def _files() -> Finding:
    allowed = files_allowed()
    calls = (allowed - 64) // 2
    return allowed >= FEWEST_FILES, f"{allowed} files may be open: enough for {calls} calls at once"


def _settings(state: Path) -> Iterator[Finding]:
    """Whether they can be read, and what they ask for can be had."""
    from sipstrobe.config.reading import SETTINGS
    from sipstrobe.config.settings import Settings
    from sipstrobe.control import is_running

    settings = Settings()
    if not _is_there(state / SETTINGS):
        yield True, f"{state} holds no settings yet: the device will begin as a new one"
    else:
        try:
            settings = _read(state)
            yield True, f"the settings in {state} can be read"
        except ConfigError as error:
            words = "; ".join(p.message if not p.path else str(p) for p in error.problems)
            yield False, f"the settings in {state} cannot be read: {words}"
            return  # what they ask for is not known
        except OSError as error:
            yield False, f"the settings in {state} cannot be read: {words_of(error)}"
            return
    yield from _sound(settings.audio.output)
    yield from _hardware(settings)
    if is_running(state):
        yield True, "a device runs on these settings, so its ports are taken by itself"
    else:
        yield from _ports(settings)


def _read(state: Path) -> "Settings":
    """Of the settings, where the device listens, and what hardware they name."""
    from msgspec import convert

    from sipstrobe.audio.settings import AudioSettings
    from sipstrobe.config.settings import Settings, WebSettings
    from sipstrobe.control import call
    from sipstrobe.lightsiren.settings import LightsSettings
    from sipstrobe.ports.settings import PortsSettings
    from sipstrobe.sip.settings import SipSettings

    sections = ("/sip", "/web", "/lights", "/ports", "/audio/output")
    sip, web, lights, ports, output = (
        call(state, {"do": "get", "pointer": name}) for name in sections
    )
    names = ("port", "tls_port", "websocket_port", "secure_websocket_port")
    return Settings(
        sip=SipSettings(**{name: sip[name] for name in names}),
        audio=AudioSettings(output=output),
        web=WebSettings(host=web["host"], **{n: web[n] for n in ("mode", "port", "https_port")}),
        lights=convert(lights, LightsSettings),
        ports=convert(ports, PortsSettings),
    )


def _hardware(settings: "Settings") -> Iterator[Finding]:
    """The lines and strips at this machine that the settings name."""
    from sipstrobe.lightsiren.output_specs import output_of
    from sipstrobe.lightsiren.outputs import Tower, Ws2812
    from sipstrobe.ports.settings import GPIO

    drivers = [port.driver for port in settings.ports.both.values()]
    chips = {name.removeprefix(GPIO).partition("/")[0] for name in drivers if GPIO in name}
    strips: set[str] = set()
    for wanted in settings.lights.outputs:
        match output_of(wanted) if isinstance(wanted, str) else wanted:
            case Tower(chip=chip):
                chips.add(chip)
            case Ws2812(device=device):
                strips.add(device)
            case _:
                pass  # nothing of this machine
    if chips:
        yield _gpio()
    for path in sorted({f"/dev/{chip}" for chip in chips} | strips):
        yield _device(path)


def _gpio() -> Finding:
    from sipstrobe.io.lines.gpio import gpiod

    try:
        library = gpiod()
    except OSError as error:
        return False, f"no GPIO line can be used: {error}"
    return True, f"GPIO lines can be used (gpiod {library.__version__})"


def _device(path: str) -> Finding:
    if not os.path.exists(path):
        return False, f"there is no {path}"
    if not os.access(path, os.R_OK | os.W_OK):
        return False, f"{path} is not for this user: he must be in its group (ls -l {path})"
    return True, f"{path} can be opened"


def _ports(settings: "Settings") -> Iterator[Finding]:
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
            yield _port(family, kind, host, settings.sip.port, f"SIP, {name}")
    sip = settings.sip
    others = ((sip.tls_port, "TLS"), (sip.websocket_port, "WS"), (sip.secure_websocket_port, "WSS"))
    for port, name in others:
        if port is not None:
            yield _port(socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0", port, f"SIP, {name}")  # noqa: S104
    host = settings.web.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    yield _port(family, socket.SOCK_STREAM, host, settings.web.port, "page, TCP")
    if settings.web.mode != "http":
        port = settings.web.https_port
        yield _port(family, socket.SOCK_STREAM, host, port, "page over HTTPS, TCP")


def _port(family: int, kind: int, host: str, port: int, words: str) -> Finding:
    try:
        with socket.socket(family, kind) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if host == "::" and error.errno in _NO_SUCH_FAMILY:
            return True, f"this machine has no IPv6, so none is used ({words})"
        return False, f"port {port} on {host} ({words}): {barred(error, port)}"
    return True, f"port {port} on {host} ({words}) is free"
