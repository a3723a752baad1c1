"""Accounts, tokens and the audit trail of a device that runs, and that is killed."""

import subprocess
from pathlib import Path

import pytest

from sipstrobe.services.audit_chain import AuditFiles
from tests.interop.device import Device, device, sipstrobe, wait_until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]


def curl(running: Device, token: str, *arguments: str) -> str:
    """What curl prints of an answer's status."""
    command = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "30")
    url = f"http://127.0.0.1:{running.http}/api/v1"
    who = ("-H", f"Authorization: Bearer {token}")
    *options, path = arguments
    done = subprocess.run(
        [*command, *who, *options, url + path],
        capture_output=True,
        text=True,
        check=True,
        timeout=40,
    )
    return done.stdout


def test_a_program_with_a_token_is_held_to_it_and_its_orders_outlive_a_kill(
    tmp_path: Path,
) -> None:
    with device(tmp_path) as running:
        scopes, role = ["commands"], "operator"
        made = running.api("POST", "tokens", name="Door bell", scopes=scopes, role=role)
        order = ("-d", '{"seconds":1}', "/commands/locate-device")
        assert curl(running, made["token"], *order) == "200"
        assert curl(running, made["token"], "/status") == "403"
        assert curl(running, made["token"] + "x", *order) == "401"
        trail = AuditFiles(tmp_path / "state")
        wait_until(lambda: any(entry.way == "nobody" for entry in trail.newest(50)))
        running.kill()

    proven = sipstrobe("audit", "verify", "--state", tmp_path / "state")
    shown = sipstrobe("audit", "show", "--state", tmp_path / "state").stdout

    assert (proven.returncode, proven.stdout.splitlines()[-1]) == (0, "sound")
    assert f"admin (token {made['id']}) from 127.0.0.1: POST /api/v1/commands/locate" in shown
    assert "admin (account) from 127.0.0.1: settings /web/tokens: changed" in shown
    assert "somebody as (token) from 127.0.0.1: sign in: refused" in shown
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert not any(made["token"].encode() in path.read_bytes() for path in kept)
