"""The way to a lamp in the network: names, new addresses, refusals, and what is told of them."""

import socket
from collections.abc import Generator

import pytest

from sipstrobe.io.lights.datagrams import HEALED, LOOK_AGAIN, PATIENCE, RETRY, Found, LightSocket
from tests.interop.device import wait_until
from tests.support.light_receivers import Ear
from tests.support.ports import free_port


class Directory:
    """A name server that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Found] = []

    def __call__(self, host: str, found: Found) -> None:
        assert host == "wled.example"
        self.asked.append(found)

    def answer(self, *addresses: str) -> None:
        self.asked.pop(0)(list(addresses))

    def refuse(self) -> None:
        self.asked.pop(0)(OSError(-2, "this name is not known"))


class Way:
    """A light socket on a clock that stands still."""

    def __init__(self, host: str, port: int, interface: str = "") -> None:
        self.time = 0.0
        self.names = Directory()
        self.ready = 0
        self.socket = LightSocket(
            host,
            port,
            now=lambda: self.time,
            resolve=self.names,
            ready=self._ready,
            interface=interface,
        )

    def send(self, datagram: bytes = b"x") -> str:
        """What it complains of afterwards."""
        self.socket.send(datagram)
        return self.complaint

    @property
    def complaint(self) -> str:
        try:
            self.socket.complain()
        except OSError as error:
            return str(error)
        return ""

    def _ready(self) -> None:
        self.ready += 1


@pytest.fixture
def ear() -> Generator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


def test_nothing_waits_for_a_name_and_what_is_shown_then_is_said(ear: Ear) -> None:
    way = Way("wled.example", ear.port)
    assert way.send(b"too early") == ""
    assert way.ready == 0

    way.names.answer("127.0.0.1")
    assert way.ready == 1
    way.send(b"now")

    assert ear.next() == b"now"
    way.socket.close()


def test_a_name_that_nobody_knows_is_a_problem_and_asked_for_again(ear: Ear) -> None:
    way = Way("wled.example", ear.port)

    way.names.refuse()
    assert "this name is not known" in way.send()
    way.time += RETRY
    way.send()
    way.names.answer("127.0.0.1")
    way.send(b"found")

    assert ear.next() == b"found"
    way.time += HEALED
    assert way.send() == ""
    way.socket.close()


def test_name_servers_that_never_answer_are_told_and_asked_by_one_thread_only() -> None:
    way = Way("wled.example", 9)

    for _ in range(100):
        way.time += PATIENCE
        way.send()

    assert way.complaint == "wled.example: no name server answers"
    assert len(way.names.asked) == 1
    way.socket.close()


def test_a_lamp_with_a_new_address_is_found_there(ear: Ear) -> None:
    """As after a new lease of DHCP."""
    way = Way("wled.example", ear.port)
    way.names.answer("127.0.0.9")
    way.send(b"to nobody")

    way.time += LOOK_AGAIN
    way.send()
    way.names.answer("127.0.0.1")
    way.send(b"moved")

    assert ear.next() == b"moved"
    assert way.ready == 2
    way.socket.close()


def test_the_address_stays_while_it_is_one_of_several_or_nobody_knows_better(ear: Ear) -> None:
    way = Way("wled.example", ear.port)
    way.names.answer("127.0.0.1", "127.0.0.9")

    way.time += LOOK_AGAIN
    way.send(b"1")
    way.names.answer("127.0.0.9", "127.0.0.1")
    way.time += LOOK_AGAIN
    way.send(b"2")
    way.names.refuse()
    complaint = way.send(b"3")

    assert [ear.next() for _ in range(3)] == [b"1", b"2", b"3"]
    assert way.ready == 1
    assert complaint == ""
    way.socket.close()


def test_a_refusal_is_told_and_every_other_datagram_does_not_hide_it() -> None:
    """ICMP port unreachable: the kernel tells of it with the next datagram only."""
    port = free_port()
    way = Way("127.0.0.1", port)

    wait_until(lambda: way.send() == f"127.0.0.1 port {port}: nobody listens there")
    for _ in range(5):
        assert "nobody listens" in way.send()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lamp:
        lamp.bind(("127.0.0.1", port))
        for _ in range(3):
            assert "nobody listens" in way.send(), "of late"
        way.time += HEALED
        way.send()
        way.time += HEALED
        wait_until(lambda: way.send() == "")
    way.socket.close()


def test_a_check_hears_of_a_refusal_without_sending() -> None:
    port = free_port()
    way = Way("127.0.0.1", port)
    way.socket.send(b"x")

    def refused() -> bool:
        with pytest.raises(OSError, match="nobody listens there"):
            way.socket.check()
        return True

    def heard() -> bool:
        try:
            way.socket.check()
        except OSError:
            return True
        return False

    wait_until(heard)
    assert refused()
    way.socket.close()


def test_an_address_without_a_way_is_a_problem_and_tried_again() -> None:
    way = Way("239.255.0.1", 5568, interface="192.0.2.77")

    assert way.complaint.startswith("239.255.0.1 port 5568: ")
    way.time += RETRY
    assert way.send() != ""
    way.socket.close()


def test_an_answer_that_comes_after_the_end_is_for_nobody() -> None:
    way = Way("wled.example", 9)

    way.socket.close()
    way.names.answer("127.0.0.1")

    assert way.ready == 0
