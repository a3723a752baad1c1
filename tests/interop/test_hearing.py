"""Never deaf: a switch that snoops, with and without a querier, as it is in many a building."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.device import LATE, Device, device, wait_until
from tests.support.membership import igmp_query, put
from tests.support.netns import Namespace, namespace

pytestmark = pytest.mark.interop

HERE, THERE = "192.0.2.1", "192.0.2.2"
FIRE, UNWATCHED, PORT = "239.1.1.1", "239.1.1.9", 5004
SOURCE = {"kind": "multicast", "label": "Fire", "address": FIRE, "port": PORT}
QUIET = "/profiles/0/siren=null"


@dataclass
class Building:
    """A switch (Linux's bridge, which snoops), a device on one port, and whoever speaks."""

    here: Namespace
    switch: Namespace
    there: Namespace
    device: Device

    @property
    def state(self) -> str:
        return str(self.device.status()["multicast"]["hearing"]["state"])

    @property
    def words(self) -> str:
        return str(self.device.status()["multicast"]["hearing"]["words"])

    @property
    def fire(self) -> dict[str, Any]:
        found: dict[str, Any] = self.device.status()["multicast"]["told"][0]
        return found

    def remembers(self, seconds: float) -> None:
        """For so long after a report the switch delivers a group, while it knows a querier."""
        hundredths = round(100 * seconds)
        self.switch.ip(f"link set br0 type bridge mcast_membership_interval {hundredths}")

    def ask(self, *, interval: int) -> None:
        """As a querier that has so many seconds between its queries."""
        with self.there.inside():
            put("eth0", igmp_query(THERE, response=1, interval=interval))

    def delivers(self, group: str) -> bool:
        """Whether the switch does, to the device."""
        command = ["bridge", "-n", self.switch.name, "mdb", "show"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        return re.search(rf"port device grp {re.escape(group)} ", shown.stdout) is not None

    def forget(self, group: str) -> None:
        """As a switch does that has been restarted."""
        command = ["bridge", "-n", self.switch.name, "mdb", "del", "dev", "br0"]
        subprocess.run([*command, "port", "device", "grp", group], check=True, timeout=10)

    def speak(self, seconds: float) -> "subprocess.Popen[bytes]":
        """ffmpeg says a tone to the group."""
        with self.there.inside():
            return subprocess.Popen(
                [
                    *("ffmpeg", "-v", "error", "-f", "lavfi"),
                    *("-i", f"sine=frequency=500:duration={seconds},arealtime"),
                    *("-ac", "1", "-ar", "8000"),
                    *("-c:a", "pcm_mulaw", "-packetsize", "172", "-rtpflags", "send_bye"),
                    *("-f", "rtp", f"rtp://{FIRE}:{PORT}?localaddr={THERE}"),
                ]
            )


def plug(switch: Namespace, port: str, side: Namespace, address: str) -> None:
    switch.ip(f"link add {port} type veth peer name eth0 netns {side.name}")
    switch.ip(f"link set {port} addrgenmode none")
    switch.ip(f"link set {port} master br0 up")
    side.ip("link set eth0 addrgenmode none")
    side.ip(f"addr add {address}/24 dev eth0")
    side.ip("link set eth0 up")
    side.ip("route add 224.0.0.0/4 dev eth0")


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    settings = f'/multicast={{"enabled": true, "sources": [{json.dumps(SOURCE)}]}}'
    with ExitStack() as stack:
        here, switch, there = (stack.enter_context(namespace()) for _ in range(3))
        switch.ip("link add br0 type bridge mcast_snooping 1")
        switch.ip("link set br0 addrgenmode none up")
        plug(switch, "device", here, HERE)
        plug(switch, "speaker", there, THERE)
        folder = tmp_path_factory.mktemp("speaker")
        with here.inside(), device(folder, "--set", QUIET, "--set", settings) as running:
            yield Building(here, switch, there, running)


def test_a_switch_that_would_forget_is_reminded_when_nobody_asks(building: Building) -> None:
    """RFC 4541; the death after 260 s (RFC 3376 §8.4) in 2 s: by the querier's own intervals."""
    building.remembers(2.5)
    with building.here.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unwatched:
        wanted = socket.inet_aton(UNWATCHED) + socket.inet_aton(HERE)
        unwatched.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, wanted)

        building.ask(interval=1)
        wait_until(lambda: building.state == "hearing")
        assert f"{THERE} asks on eth0" in building.words
        assert building.delivers(UNWATCHED)
        wait_until(lambda: building.state == "no querier")
        assert f"no IGMP querier); {THERE} did." in building.words
        wait_until(lambda: not building.delivers(UNWATCHED))

    wait_until(lambda: building.delivers(FIRE))
    before = building.fire["packets"]
    assert building.speak(0.3).wait(LATE) == 0
    wait_until(lambda: building.fire["packets"] > before)


def test_a_page_that_a_switch_cuts_off_comes_back(building: Building) -> None:
    """A switch that was restarted knows nobody, and the querier asks only every two minutes."""
    building.remembers(260.0)
    building.ask(interval=125)
    wait_until(lambda: building.state == "hearing")
    assert "cut off" not in building.words
    wait_until(lambda: building.delivers(FIRE))

    for _ in range(3):  # a machine that is late breaks pages off itself
        page, before = building.speak(2.0), building.fire["packets"]
        wait_until(lambda before=before: building.fire["packets"] > before + 10)
        building.forget(FIRE)
        assert page.wait(LATE) == 0
        if "cut off" in building.words:
            break

    assert f"{FIRE} was cut off until it was joined anew" in building.words
    assert building.state == "hearing"
    assert building.delivers(FIRE)
    wait_until(lambda: building.fire["state"] == "idle")
