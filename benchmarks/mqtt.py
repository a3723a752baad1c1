"""How fast a message at an MQTT broker becomes light, and what MQTT costs the loop.

python -m benchmarks.mqtt [--load]

The first figures are of a real device and mosquitto: from the write of the message by another
client to the frame in the light's log, whose instants are of the same clock. The last are within
this process: the longest time for which one connection holds up the loop, from DNS to the first
subscription, and what it takes to publish an event. `--load` keeps every core busy meanwhile.
"""

import argparse
import asyncio
import json
import logging
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.events import VirtualInputChanged
from sipstrobe.mqtt.packets import Connect, Message, publish
from sipstrobe.mqtt.settings import Condition, MqttSettings, MqttTls, Publications, Subscription
from sipstrobe.secret import Secret
from sipstrobe.services.broker import Broker
from sipstrobe.services.mqtt import Mqtt
from tests.interop.device import Device, device, wait_until
from tests.interop.mosquitto import PASSWORD, USER, Mosquitto, mosquitto
from tests.support.authority import Authority

TIMES = 300
PAUSE = 0.02  # seconds from one message to the next
RULE = {
    "name": "Alarm",
    "conditions": [{"event": "mqtt/state", "match": {"filter": "alarm", "active": "true"}}],
    "action": {"do": "run_profile", "profile": "Warning"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--load", action="store_true")
    load = parser.parse_args().load
    logging.disable()
    hogs = [multiprocessing.Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    for hog in hogs if load else ():
        hog.start()
    print(f"{'what':<66}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    try:
        authority = Authority()
        with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder), authority) as broker:
            for protocol in ("tcp", "wss"):
                seconds = _to_light(Path(folder) / protocol, broker, protocol)
                _row(f"message by another client to light frame, {protocol}", seconds)
            for protocol in ("tcp", "ssl", "wss"):
                held = asyncio.run(_held(broker, protocol))
                _row(f"a connection by {protocol}: what it holds up the loop", held)
        _row("an event in its vendor's form, one condition", asyncio.run(_published()))
    finally:
        for hog in hogs if load else ():
            hog.terminate()


def _row(words: str, seconds: list[float]) -> None:
    cuts = quantiles(seconds, n=100, method="inclusive")
    figures = (cuts[49], cuts[98], max(seconds))
    print(f"{words:<66}" + "".join(f"{1000 * figure:>9.3f}" for figure in figures))


def _burn() -> None:
    while True:
        pass


def _settings(broker: Mosquitto, protocol: Any) -> MqttSettings:
    assert broker.authority is not None
    shown = broker.authority.sign("us.example", common_name="us")
    tls = MqttTls(
        authorities=broker.authority.certificate,
        certificate=shown.certificate,
        private_key=Secret(shown.key),
    )
    return MqttSettings(
        active=True,
        host="127.0.0.1",
        port=broker.ports[protocol],
        protocol=protocol,
        user=USER,
        password=Secret(PASSWORD),
        tls=tls,
        subscriptions=(Subscription(filter="alarm", kind="stateful"),),
    )


# --- from a message to light --------------------------------------------------------------------


def _to_light(folder: Path, broker: Mosquitto, protocol: str) -> list[float]:
    wanted = _settings(broker, protocol)
    told = {
        "active": True,
        "host": wanted.host,
        "port": wanted.port,
        "protocol": protocol,
        "user": USER,
        "password": PASSWORD,
        "tls": {
            "authorities": wanted.tls.authorities,
            "certificate": wanted.tls.certificate,
            "private_key": wanted.tls.private_key.reveal(),
        },
        "subscriptions": [{"filter": "alarm", "kind": "stateful"}],
    }
    arguments = ("--set", f"/rules={json.dumps([RULE])}", "--set", f"/mqtt={json.dumps(told)}")
    with device(folder, *arguments, sound="null") as running:
        wait_until(lambda: running.status()["mqtt"]["connected"])
        sent: list[float] = []
        with _client(broker.port) as say:
            for _ in range(TIMES):
                time.sleep(PAUSE)
                sent.append(time.monotonic())
                say(b"On")
                time.sleep(PAUSE)
                say(b"Off")
        wait_until(lambda: len(_lit(running)) >= TIMES, words="all lights")
        lit = _lit(running)
    return [at - begun for begun, at in zip(sent, lit, strict=True)]


@contextmanager
def _client(port: int) -> Iterator[Callable[[bytes], None]]:
    """Another client, which says one topic only."""
    hello = Connect(
        version="3.1.1", client_id="w", clean=True, keep_alive=0, user=USER, password=PASSWORD
    )
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(bytes(hello))
        assert line.recv(4) == b"\x20\x02\x00\x00"
        yield lambda payload: line.sendall(publish("3.1.1", Message("alarm", payload), 0))


def _lit(running: Device) -> list[float]:
    """The instants at which the light of each message was first shown."""
    found: list[float] = []
    profile = ""
    for frame in running.frames:
        if frame["function"] == "SignalingLED":
            if frame["profile"] and not profile:
                found.append(frame["at"])
            profile = frame["profile"]
    return found


# --- what it costs ------------------------------------------------------------------------------


async def _held(broker: Mosquitto, protocol: str) -> list[float]:
    """Seconds of the longest turn of the loop in each of some connections, the first included."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    line = Broker(context)
    mqtt = Mqtt(context, line, "00005E005301", list)
    wanted = _settings(broker, protocol)
    up = asyncio.Event()
    line.on_connected(up.set)
    longest: list[float] = []
    for _ in range(20):
        with _turns() as turns:
            mqtt.apply(wanted)
            await up.wait()
            await asyncio.sleep(0.02)
        longest.append(max(turns))
        line.stop(None)
        up.clear()
        await asyncio.sleep(0.02)
    await mqtt.aclose()
    return longest


@contextmanager
def _turns() -> Iterator[list[float]]:
    """How long each callback of the loop has worked, whatever else the machine did meanwhile."""
    taken: list[float] = []
    run: Any = asyncio.Handle._run  # pyright: ignore[reportPrivateUsage]

    def measured(handle: Any) -> None:
        begun = time.thread_time()
        run(handle)
        taken.append(time.thread_time() - begun)

    asyncio.Handle._run = measured  # pyright: ignore
    try:
        yield taken
    finally:
        asyncio.Handle._run = run  # pyright: ignore


async def _published() -> list[float]:
    """Seconds for an event on the bus that is published, without a broker."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    mqtt = Mqtt(context, Broker(context), "00005E005301", list)
    conditions = (Condition(topic_filter="onvif:Device//.", retain="property", qos=1),)
    publications = Publications(conditions=conditions)
    mqtt.apply(MqttSettings(active=True, host="127.0.0.1", port=1, publications=publications))
    taken: list[float] = []
    for turn in range(10 * TIMES):
        event = VirtualInputChanged(input=turn % 64 + 1, active=turn % 128 < 64)
        begun = time.perf_counter()
        context.bus.publish(event)
        taken.append(time.perf_counter() - begun)
    await mqtt.aclose()
    return taken


if __name__ == "__main__":
    main()
