"""An account whose callers have to know a password, and phones of others that know it or not."""

import time
from pathlib import Path

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import device, wait_until
from tests.interop.witness import await_profile, seen

pytestmark = pytest.mark.interop

CALLERS = [{"user": "alice", "password": "open-sesame"}]
ASKING = {"default": True, "callers": CALLERS}


def test_only_who_knows_the_password_comes_in(tmp_path: Path, silence: Path) -> None:
    """RFC 3261 §22.2: baresip is asked, answers, and its call lights the light, or nothing does."""
    with device(tmp_path / "device", sound="null") as running:
        running.set("/sip/accounts/0", ASKING)
        account = ";auth_user=alice;auth_pass=open-sesame"
        with baresip(tmp_path / "phone", source=silence, account=account) as phone:
            began = time.monotonic()
            phone.dial(running.uri("1001"))
            await_profile(running, "Notice", began)
            phone.hang_up()
            await_profile(running, "", began)
        account = ";auth_user=alice;auth_pass=guessed"
        with baresip(tmp_path / "stranger", source=silence, account=account) as phone:
            began = time.monotonic()
            phone.command("dial", running.uri("1001"))
            phone.wait_for("CALL_CLOSED")
        wait_until(lambda: "is refused with a wrong password" in running.log)
        assert seen(running.frames, began) == []
        assert "sesame" not in running.log


def test_another_device_of_ours_answers_in_the_best_way_there_is(tmp_path: Path) -> None:
    """RFC 8760 §2.4: of SHA-512-256, SHA-256 and MD5 the first that it knows."""
    known = {"user_id": "alice", "password": "open-sesame", "default": True}
    with (
        device(tmp_path / "called", sound="null") as called,
        device(tmp_path / "calling", sound="null") as calling,
    ):
        called.set("/sip/accounts/0", ASKING | {"callers_sha2": True})
        calling.set("/sip/accounts/0", known)
        began = time.monotonic()
        calling.command("dial", uri=called.uri("1001"))
        await_profile(called, "Notice", began)
        calling.command("hang-up")
        await_profile(called, "", began)
