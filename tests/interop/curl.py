"""curl, as scripts and control programs use it: many requests of one process at once."""

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PARALLEL = ("--parallel", "--parallel-max", "8", "--no-progress-meter")
LIMIT = 60.0  # seconds for one request, on a machine with no time


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def curl(folder: Path, requests: Iterable[Sequence[str]]) -> list[Answer]:
    """Ask all of it, eight at a time, each with its options and its URL; folder: for the answers.

    A request that gets no answer has the status 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = list[Path]()
    config = list[str]()
    for number, options in enumerate(requests):
        files.append(folder / str(number))
        files[-1].unlink(missing_ok=True)  # of an answer that was asked for before
        config += [f"output = {_quoted(str(files[-1]))}", f"max-time = {LIMIT:g}"]
        config += [r'write-out = "%{filename_effective} %{http_code}\n"', *options, "next"]
    done = subprocess.run(
        ["curl", "-s", *PARALLEL, "--config", "-"],
        input="\n".join(config[:-1]),
        stdout=subprocess.PIPE,
        text=True,
        timeout=4 * LIMIT,
        check=False,
    )
    status = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    return [
        Answer(int(status.get(str(file), 0)), file.read_bytes() if file.exists() else b"")
        for file in files
    ]


def option(name: str, value: str = "") -> str:
    """A line of a configuration file."""
    return f"{name} = {_quoted(value)}" if value else name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
