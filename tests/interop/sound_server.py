"""A sound card that is none: PulseAudio, whose speaker is a pipe that runs by the clock.

ALSA sees it as a card, so that PortAudio plays to it as to any other.
"""

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.interop.device import RATE, wait_until
from tests.interop.witness import STALL
from tests.support.hear import Samples

CARD = "Loudspeaker"
LOOK = 0.05  # seconds between two looks whether it is over
BLOCK = 4096 / (2 * RATE)  # seconds that it writes at a time
_PULSE = """\
load-module module-native-protocol-unix socket={0}/socket auth-anonymous=1
load-module module-pipe-sink file={0}/speaker format=s16le rate={1} channels=1 \
use_system_clock_for_timing=yes
"""
_ALSA = f"""\
pcm.{CARD} {{ type pulse hint {{ show on description "{CARD}" }} }}
pcm.!default {{ type pulse }}
ctl.!default {{ type pulse }}
"""


@dataclass
class SoundServer:
    """environment: with it a process finds the card."""

    environment: dict[str, str]
    late: int = 0  # times that it wrote nothing for longer than it should
    _played: bytearray = field(default_factory=bytearray, repr=False)

    @property
    def seconds(self) -> float:
        """How much has come out of the speaker so far; read it before and after to cut."""
        return len(self._played) / (2 * RATE)

    def heard(self, since: float, until: float) -> Samples:
        """What came out of it between two of these moments."""
        first, last = (round(at * RATE) * 2 for at in (since, until))
        return np.frombuffer(bytes(self._played[first:last]), "<i2").astype(np.float64) / 32768

    def listen(self, pipe: int, over: threading.Event) -> None:
        """Take what comes out until it is over."""
        before = time.monotonic()
        while not over.is_set():
            if select.select([pipe], [], [], LOOK)[0]:
                data = os.read(pipe, 65536)
                now = time.monotonic()
                self.late += now - before > BLOCK + STALL
                before = now
                self._played += data
                if not data:  # nobody writes, or not yet
                    over.wait(LOOK)


@contextlib.contextmanager
def sound_server(folder: Path) -> Generator[SoundServer]:
    """Run one for nobody else: its sockets, its memory and its pipe are in this folder."""
    folder.mkdir(mode=0o700)
    (folder / "asound.conf").write_text(_ALSA)
    (folder / "start.pa").write_text(_PULSE.format(folder, RATE))
    environment = {
        "ALSA_CONFIG_PATH": str(folder / "asound.conf"),
        "PULSE_SERVER": f"unix:{folder}/socket",
        "PULSE_COOKIE": str(folder / "cookie"),
        "XDG_RUNTIME_DIR": str(folder),
        "HOME": str(folder),
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    }
    command = [
        *("pulseaudio", "-n", "-F", str(folder / "start.pa"), "--daemonize=no"),
        *("--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--log-target=stderr"),
        # a thread of real-time priority is killed where it is held up
        *("--high-priority=yes", "--realtime=no"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, env=os.environ | environment)
    try:
        ready = (folder / "speaker", folder / "socket")

        def is_ready() -> bool:
            assert process.poll() is None, f"it has ended: {(folder / 'log').read_text()}"
            return all(path.exists() for path in ready)

        wait_until(is_ready, words="PulseAudio")
        server, over = SoundServer(environment), threading.Event()
        pipe = os.open(folder / "speaker", os.O_RDONLY | os.O_NONBLOCK)
        listener = threading.Thread(target=server.listen, args=(pipe, over))
        listener.start()
        try:
            wait_until(lambda: server.seconds > 0.0, words="what PulseAudio plays")
            yield server
            assert process.poll() is None, f"it has ended: {(folder / 'log').read_text()}"
        finally:
            over.set()
            listener.join()
            os.close(pipe)
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
