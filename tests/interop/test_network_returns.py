"""A network that goes and comes back, and a device that registers as soon as it is there."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.device import LATE, wait_until
from tests.interop.kamailio import kamailio, registered_until
from tests.interop.test_registered import account, registered
from tests.support.netns import Namespace, namespace

pytestmark = pytest.mark.interop

REGISTERED_AGAIN = 0.2  # seconds that are promised
HERE, MOVED, THERE = "10.99.0.1", "10.99.0.7", "10.99.0.2"


def took(what: Callable[[], bool], words: str) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    wait_until(what, words=words)
    return time.monotonic() - began


def plug(here: Namespace, there: Namespace) -> None:
    """Join two networks by a cable."""
    here.ip(f"link add eth0 type veth peer name eth0 netns {there.name}")
    for side, address in ((here, HERE), (there, THERE)):
        side.ip(f"address add {address}/24 dev eth0")
        side.ip("link set eth0 up")


def test_it_registers_again_when_the_link_is_back_and_when_its_address_changes(
    tmp_path: Path, figures: dict[str, str]
) -> None:
    with namespace() as here, namespace() as there:
        plug(here, there)
        with (
            there.inside(),
            kamailio(tmp_path / "pbx", host=THERE) as pbx,
            here.inside(),
            registered(tmp_path / "device", account(pbx)),
        ):
            registered_until(pbx, "u1")
            [before] = pbx.contacts("u1")
            assert HERE in before
            number = pbx.last_request("u1")

            there.ip("link set eth0 down")
            time.sleep(1.2)  # the kernel tells of a link no more often than once a second
            there.ip("link set eth0 up")
            seconds = took(lambda: pbx.last_request("u1") > number, "registered again")
            figures["link up until registered again"] = f"{seconds * 1e3:.0f} ms"
            assert seconds < REGISTERED_AGAIN + LATE

            here.ip(f"address del {HERE}/24 dev eth0")
            here.ip(f"address add {MOVED}/24 dev eth0")
            moved = before.replace(HERE, MOVED)
            seconds = took(lambda: moved in pbx.contacts("u1"), "registered by a new address")
            figures["new address until registered by it"] = f"{seconds * 1e3:.0f} ms"
            assert seconds < REGISTERED_AGAIN + LATE
            assert pbx.contacts("u1") == [moved]
