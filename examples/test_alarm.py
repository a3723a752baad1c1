"""A device for your own tests: pytest examples/test_alarm.py (pip install pytest)

It is a real one on this machine: it is called over SIP, and writes down what it shows and plays.
"""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.client import Client
from sipstrobe.commands import StartProfile, StopProfile

SIPSTROBE = (sys.executable, "-m", "sipstrobe")


@dataclass
class Strobe:
    page: str
    password: str
    sip_port: int
    light: Path
    sound: Path

    def call(self, extension: str, *options: str) -> None:
        uri = f"sip:{extension}@127.0.0.1:{self.sip_port}"
        subprocess.run([*SIPSTROBE, "dial", uri, *options], check=True, timeout=30)

    def pictures(self) -> list[dict[str, Any]]:
        """What the light has shown so far, one entry for each change."""
        return [json.loads(line) for line in self.light.read_text().splitlines()]

    def client(self) -> Client:
        return Client(self.page, user="admin", password=self.password)


@pytest.fixture(scope="session")
def strobe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strobe]:
    folder = tmp_path_factory.mktemp("strobe")
    light, sound = folder / "light.log", folder / "heard.wav"
    sip_port, tls_port, http_port = free_port(), free_port(), free_port()
    options = ["--state", folder / "state", "--sound", f"wav:{sound}", "--light", f"log:{light}"]
    ports = [f"--set=/sip/port={sip_port}", f"--set=/sip/tls_port={tls_port}"]
    command = [*SIPSTROBE, "run", "--demo", f"--http=127.0.0.1:{http_port}", *ports, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:  # the last is about the light, when calls are answered
            said += line
            if line.startswith("  light"):
                break
        password = re.search(r"password (\S+)", said)
        assert password is not None, said
        wait_until(lambda: answers(http_port))
        page = f"http://127.0.0.1:{http_port}"
        yield Strobe(page, password[1], sip_port, light, sound)
        process.terminate()


def answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_call_lights_the_lamp_and_sounds_the_siren(strobe: Strobe) -> None:
    strobe.call("1004", "--seconds", "1")

    shown = [picture for picture in strobe.pictures() if picture["profile"] == "Evacuate"]
    assert {side["color"] for picture in shown for side in picture["sides"].values()} >= {"red"}
    wait_until(lambda: strobe.pictures()[-1]["profile"] == "")  # dark again
    with wave.open(str(strobe.sound)) as heard:
        assert max(heard.readframes(heard.getnframes())) > 0


async def switched_on_and_off(client: Client) -> list[str]:
    async with client as device:
        await device.execute(StartProfile(profile="Warning"))
        status = await device.status()
        await device.execute(StopProfile(profile="Warning"))
    light = status["functions"][0]
    return [operation["profile"] for operation in light["operations"]]


def test_a_program_does_the_same_over_http(strobe: Strobe) -> None:
    assert asyncio.run(switched_on_and_off(strobe.client())) == ["Warning"]
