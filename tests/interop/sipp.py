"""SIPp, one scenario a run; the exit code is the verdict."""

import contextlib
import subprocess
from collections.abc import Generator
from pathlib import Path

from tests.support.ports import free_port

SCENARIOS = Path(__file__).parent.parent.parent / "sipp-scenarios"
MEDIA = 4  # ports that it takes for sound and pictures
REPETITIONS_COUNT = ("-nr",)
"""Have SIPp neither repeat anything itself nor pass over what the other side repeats."""


def sipp(
    scenario: str,
    port: int,
    folder: Path,
    *arguments: str,
    extension: str = "1001",
    transport: str = "u1",
    host: str = "127.0.0.1",
    calls: int = 1,
    limit: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Play the caller of `sipp-scenarios/<scenario>.xml`; raises AssertionError with its log."""
    with playing(
        scenario,
        f"{f'[{host}]' if ':' in host else host}:{port}",
        folder,
        *("-s", extension, "-m", str(calls), *arguments),
        transport=transport,
        host=host,
        limit=limit,
    ) as process:
        pass
    return subprocess.CompletedProcess(process.args, process.returncode)


@contextlib.contextmanager
def playing(
    scenario: str,
    target: str,
    folder: Path,
    *arguments: str,
    transport: str = "u1",
    host: str = "127.0.0.1",
    limit: float = 60.0,
) -> "Generator[subprocess.Popen[str]]":
    """Play a scenario meanwhile; it must have come to its good end when the block does."""
    process = start_sipp(
        scenario, target, folder, *arguments, transport=transport, host=host, limit=limit
    )
    try:
        yield process
        out, _ = process.communicate(timeout=limit + 10)
        assert process.returncode == 0, f"{scenario}: {out[-3000:]}\n{_errors(folder)}"
    finally:
        process.kill()
        process.communicate()


def start_sipp(
    scenario: str,
    target: str,
    folder: Path,
    *arguments: str,
    transport: str = "u1",
    host: str = "127.0.0.1",
    limit: float = 60.0,
) -> "subprocess.Popen[str]":
    """Start SIPp and let it run; target may be empty for a scenario that is called."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *("sipp", *([target] if target else [])),
        *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", host, "-t", transport),
        *("-nostdin", "-timeout", f"{limit:g}s", "-timeout_error", "-trace_err"),
        *("-error_file", str(folder / "sipp-errors.log")),
        # its own choice of ports may be that of another
        *([] if "-p" in arguments else ["-p", str(free_port())]),
        *("-mp", str(free_port(MEDIA))),
        *arguments,
    ]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _errors(folder: Path) -> str:
    log = folder / "sipp-errors.log"
    return log.read_text("utf-8", "replace")[-3000:] if log.is_file() else ""
