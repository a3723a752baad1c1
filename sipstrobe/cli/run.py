"""`sipstrobe run`: the device itself."""

import argparse
import asyncio
import logging
import os
import sys
import time

from sipstrobe import __version__
from sipstrobe.app import Started, run
from sipstrobe.cli import add_state_argument, json_or_text
from sipstrobe.cli.state import default_state
from sipstrobe.config.first_start import FIRST_ACCOUNT
from sipstrobe.config.settings import Settings
from sipstrobe.io.udp import local_address_for
from sipstrobe.lightsiren.output_specs import SHORT, output_of
from sipstrobe.options import Options
from sipstrobe.rules.actions import RunProfile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument(
        "--demo",
        action="store_true",
        help="fill a fresh state with four extensions 1001–1004 and switch SIP on",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=pointer_and_value,
        metavar="/PATH=VALUE",
        help="change a setting before starting, as in --set /sip/port=5070",
    )
    parser.add_argument(
        "--http",
        type=host_and_port,
        metavar="HOST:PORT",
        help="where to serve the page in this run, and nowhere else; with --https at both",
    )
    parser.add_argument(
        "--https", type=host_and_port, metavar="HOST:PORT", help="the same, encrypted"
    )
    parser.add_argument(
        "--sound", metavar="auto|null|wav:PATH|NAME", help="where the sound goes in this run"
    )
    parser.add_argument(
        "--light",
        type=light,
        metavar="SPEC",
        help=f"where the light is shown in this run: {SHORT}",
    )
    parser.add_argument(
        "--no-microphone",
        action="store_false",
        dest="microphone",
        help="nothing of the room is heard in this run, whatever is set or ordered",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    _log_to_stderr()
    wanted = Options(
        state=options.state,
        demo=options.demo,
        put=tuple(options.set),
        http=options.http,
        https=options.https,
        sound=options.sound,
        light=options.light,
        microphone=options.microphone,
    )
    state = "" if options.state == default_state() else f"--state {options.state} "
    again = asyncio.run(
        run(wanted, lambda started: print("\n".join(describe(started, state)), flush=True))
    )
    if again:
        _begin_anew()
    return 0


def _begin_anew() -> None:
    """The same process, with the same command line (OPS-01)."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # None of these is shown, and asking for them costs time with each line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # pyright: ignore[reportPrivateUsage]


class LogLines(logging.Formatter):
    """One line a record; the calendar is asked once a second."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
        self._second = (0, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        second = int(record.created)
        if self._second[0] != second:
            self._second = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._second[1]}.{record.msecs:03.0f}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Words of a peer may hold what a terminal would obey."""
        line = super().formatMessage(record)
        if line.isprintable():
            return line
        return "".join([c if c.isprintable() else ascii(c)[1:-1] for c in line])


def pointer_and_value(text: str) -> tuple[str, object]:
    """``/sip/port=5070``: a JSON pointer, and a value as JSON or, if it is none, as text."""
    pointer, separator, value = text.partition("=")
    if not pointer.startswith("/") or not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not /PATH=VALUE")
    return pointer, json_or_text(value)


def light(text: str) -> str:
    try:
        output_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104


def describe(started: Started, state: str = "") -> list[str]:
    """What the owner wants to know at the start, a line each.

    state: how commands have to name its folder.
    """
    settings = started.settings
    lines = [f"sipstrobe {__version__} · {settings.device.name}"]
    if settings.maintenance.active:
        lines.append("  maintenance mode is on: the siren is silent, the light pulses white")
    if not settings.sip.enabled:
        lines.append(f"  SIP is off: sipstrobe settings set {state}/sip/enabled true")
    lines += [f"  listen  {words}" for words in started.listening]
    if settings.sip.enabled and settings.sip.allow_incoming:
        lines += _extensions(settings, _reachable_address())
    served = (("https", started.secure_page), ("http", started.page))
    for scheme, addresses in served:
        lines += [f"  page    {scheme}://{_shown_host(host)}:{port}/" for host, port in addresses]
    if started.fingerprint:
        lines.append(f"  shows   SHA-256 {started.fingerprint}")
    if started.password:
        lines.append(f"  account {FIRST_ACCOUNT}, password {started.password} (shown only now)")
    elif not settings.web.users:
        lines.append("  account none yet: the first visit of the page makes the administrator")
    lines.append(f"  sound   {started.sound or 'none'}")
    lines += [f"  light   {name}" for name in started.lights]
    lines += [f"  PROBLEM {words}" for words in started.problems]
    return lines


def _extensions(settings: Settings, address: str) -> list[str]:
    port = "" if settings.sip.port == 5060 else f":{settings.sip.port}"
    profiles = {profile.name: profile for profile in settings.profiles}
    lines: list[str] = []
    for rule in settings.rules:
        wanted = [c.match["extension"] for c in rule.conditions if "extension" in c.match]
        if isinstance(rule.action, RunProfile) and rule.enabled and wanted:
            profile = profiles[rule.action.profile]
            part = profile.light or profile.siren
            rank = f"priority {part.priority}" if part is not None else ""
            uri = f"sip:{wanted[0]}@{address}{port}"
            lines.append(f"  dial    {uri:<28} {profile.name:<12} {rank}")
    return lines


def _reachable_address() -> str:
    """The address on the way out of this machine; nothing is sent."""
    try:
        return local_address_for("192.0.2.1")
    except OSError:
        return "127.0.0.1"


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = _reachable_address()
    return f"[{host}]" if ":" in host else host
