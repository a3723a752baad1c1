"""`sipstrobe doctor`: what would not work on this machine, and why."""

import argparse
import importlib.util
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from sipstrobe.cli import add_state_argument
from sipstrobe.config.settings import Settings
from sipstrobe.control import SOCKET, call
from sipstrobe.errors import ConfigError

RUNTIME = ("numpy", "msgspec", "aiohttp")

Finding = tuple[bool, str]  # (works, words)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    findings = list(examine(options.state))
    for works, words in findings:
        print(f"{'ok ' if works else 'BAD'} {words}")
    return 0 if all(works for works, _ in findings) else 1


def examine(state: Path) -> Iterator[Finding]:
    """Look at everything that the device needs; nothing is changed."""
    yield _python()
    yield from _packages()
    yield from _sound()
    settings = Settings()
    running = (state / SOCKET).exists()
    if not state.exists():
        yield True, f"{state} does not exist yet: the device will begin as a new one"
    else:
        try:
            port = int(call(state, {"do": "get", "pointer": "/sip/port"}))
            settings = _with_port(settings, port)
            yield True, f"the settings in {state} can be read"
        except ConfigError as error:
            yield False, f"the settings in {state}: {error}"
    if running:
        yield True, "a device runs on these settings, so its ports are taken by itself"
    else:
        yield from _ports(settings)
    yield _files()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)"


def _packages() -> Iterator[Finding]:
    for name in RUNTIME:
        found = importlib.util.find_spec(name) is not None
        yield found, f"the package {name} is {'there' if found else 'missing: pip install ' + name}"


def _sound() -> Iterator[Finding]:
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


def _with_port(settings: Settings, port: int) -> Settings:
    import msgspec

    sip = msgspec.structs.replace(settings.sip, port=port)
    return msgspec.structs.replace(settings, sip=sip)


def _ports(settings: Settings) -> Iterator[Finding]:
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
            yield _port(family, kind, host, settings.sip.port, f"SIP, {name}")
    host = settings.web.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    yield _port(family, socket.SOCK_STREAM, host, settings.web.port, "page, TCP")


def _port(family: int, kind: int, host: str, port: int, words: str) -> Finding:
    try:
        with socket.socket(family, kind) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return False, f"port {port} on {host} ({words}): {error.strerror}"
    return True, f"port {port} on {host} ({words}) is free"


def _files() -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    calls = (soft - 64) // 2
    return soft >= 1024, f"{soft} open files are allowed: enough for {calls} calls at once"
