"""SIP over TLS with programs that nobody here wrote: baresip, and OpenSSL's own tools.

Whom the device believes and who believes it; what is said when somebody is not believed.
"""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sipstrobe import control
from sipstrobe.io.tls_client import client_context
from tests.interop.baresip import Baresip, baresip
from tests.interop.caller import Dialogue, Line, status
from tests.interop.device import LATE, Device, device, listens, sipstrobe, wait_until
from tests.interop.tones import TONE_DB
from tests.support.authority import Authority, Signed
from tests.support.hear import tone_db
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

HALF_OPEN = 300  # handshakes that somebody begins and never finishes
HEARD = pytest.approx(TONE_DB, abs=0.5)  # after G.711


@dataclass
class Secured:
    """A device that shows what our authority has signed for 127.0.0.1, and trusts it."""

    device: Device
    port: int
    authority: Authority
    folder: Path

    def uri(self, extension: str = "1099") -> str:
        """For a phone whose account says that it is to be TLS."""
        return f"sip:{extension}@127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def having(self, setting: str, value: object) -> Generator[None]:
        """Have a setting of TLS so for a while."""
        before = self._put(f"/sip/tls/{setting}", value)
        try:
            yield
        finally:
            self._put(f"/sip/tls/{setting}", before)

    def _put(self, pointer: str, value: object) -> object:
        """By the door that the command line uses; what it was before."""
        state = self.device.folder / "state"
        before = control.call(state, {"do": "get", "pointer": pointer})
        control.call(state, {"do": "put", "pointer": pointer, "value": value})
        return before

    def dial(self, uri: str) -> str:
        """Call somebody in vain; why, in the words of the history."""
        before = len(self._past())
        self.device.command("dial", uri=uri)
        wait_until(lambda: len(self._past()) > before, words="the end of the call")
        return str(self._past()[0]["words"])

    def _past(self) -> list[dict[str, object]]:
        return self.device.api("GET", "history/calls?limit=100")["calls"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder, authority, port = tmp_path_factory.mktemp("secured"), Authority(), free_port()
    ours = authority.sign("127.0.0.1")
    tls = {
        "authorities": authority.certificate,
        "certificate": ours.certificate,
        "private_key": ours.key,
    }
    settings = [f"/sip/tls={json.dumps(tls)}", f"/sip/tls_port={port}"]
    with device(folder / "device", *(w for one in settings for w in ("--set", one))) as running:
        yield Secured(running, port, authority, folder)
        running.wait_idle()


@contextlib.contextmanager
def phone(folder: Path, source: Path, shown: Signed, trusts: Authority) -> Generator[Baresip]:
    """A baresip with this certificate, for which only that authority counts."""
    _, _, own = shown.write(folder)
    (folder / "trusted.pem").write_text(trusts.certificate)
    config = (f"sip_certificate {own}", f"sip_cafile {folder / 'trusted.pem'}")
    with baresip(folder, source=source, transport="tls", config=config) as running:
        yield running


def tls_uri(running: Baresip) -> str:
    """baresip listens for TLS one port further up."""
    return f"sip:tester@127.0.0.1:{running.port + 1};transport=tls"


# --- others call --------------------------------------------------------------------------------


def test_baresip_calls_over_tls_and_is_heard(
    secured: Secured, kilohertz: Path, tmp_path: Path
) -> None:
    shown = secured.authority.sign("127.0.0.1")
    with phone(tmp_path, kilohertz, shown, secured.authority) as caller:
        caller.dial(secured.uri())
        heard = time.monotonic() + 0.5
        sound = secured.device.heard(heard, heard + 0.3)
        assert secured.device.calls[0]["transport"] == "TLS"
        caller.hang_up()

    assert tone_db(sound, 1000.0) == HEARD
    secured.device.wait_idle()


def test_openssl_believes_the_device_for_what_it_shows(secured: Secured) -> None:
    """Its authority and its address; nobody else is told anything."""
    assert asked(secured, "-verify_ip", "127.0.0.1")
    assert not asked(secured, "-verify_ip", "127.0.0.2")
    assert not asked(secured, "-verify_ip", "127.0.0.1", trusts=Authority())


@pytest.mark.parametrize(
    ("allowed", "spoken"),
    [("1.2", ["-tls1_2"]), ("1.3", ["-tls1_3"]), ("automatic", ["-tls1_2", "-tls1_3"])],
)
def test_openssl_speaks_the_versions_that_are_set_and_no_others(
    secured: Secured, allowed: str, spoken: list[str]
) -> None:
    with secured.having("versions", allowed):
        able = [version for version in ("-tls1_1", "-tls1_2", "-tls1_3") if asked(secured, version)]
    assert able == spoken


def asked(secured: Secured, *how: str, trusts: Authority | None = None) -> bool:
    """Whether an OPTIONS of OpenSSL's client is answered; it trusts ours unless told otherwise."""
    trusted = secured.folder / "trusted.pem"
    trusted.write_text((trusts or secured.authority).certificate)
    options = Dialogue(secured.port, 9, transport="TLS").options()
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{secured.port}", "-quiet"]
    done = subprocess.run(
        [*client, "-CAfile", str(trusted), "-verify_return_error", "-ign_eof", *how],
        input=options + b"\r\n\r\nBYE\r\n\r\n",  # which ends the connection
        capture_output=True,
        timeout=60,
        check=False,
    )
    return b"SIP/2.0 200 OK" in done.stdout


# --- the device calls ---------------------------------------------------------------------------


@pytest.mark.parametrize("versions", ["1.2", "1.3"])
def test_the_device_calls_baresip_over_tls(
    secured: Secured, silence: Path, tmp_path: Path, versions: str
) -> None:
    shown = secured.authority.sign("127.0.0.1")
    with (
        secured.having("versions", versions),
        phone(tmp_path, silence, shown, secured.authority) as called,
    ):
        secured.device.command("dial", uri=tls_uri(called))
        called.wait_for("CALL_ESTABLISHED")
        assert secured.device.calls[0]["transport"] == "TLS"
        secured.device.command("hang-up")
        called.wait_for("CALL_CLOSED")
    secured.device.wait_idle()


def test_the_command_line_phone_calls_the_device_over_tls(secured: Secured) -> None:
    """And says why it does not, if it is not told whom to trust."""
    trusted = secured.folder / "trusted.pem"
    trusted.write_text(secured.authority.certificate)
    dial = ("dial", secured.uri(), "--transport", "tls", "--seconds", "0.2")

    assert sipstrobe(*dial, "--authorities", trusted).returncode == 0
    done = sipstrobe(*dial)
    assert done.returncode == 1
    words = "its certificate is signed by an authority that is not trusted: Test Authority"
    assert done.stdout.splitlines()[-1] == f"ended: failed: {words}"
    secured.device.wait_idle()


@pytest.mark.parametrize("fault", ["untrusted", "expired", "of another name"])
def test_whom_the_device_does_not_believe_it_does_not_call(
    secured: Secured, silence: Path, tmp_path: Path, fault: str
) -> None:
    """With words that a person understands, and at once."""
    ours = secured.authority
    shown, words = {
        "untrusted": (
            Authority("Somebody Else").sign("127.0.0.1"),
            "its certificate is signed by an authority that is not trusted: Somebody Else",
        ),
        "expired": (
            ours.sign("127.0.0.1", first_day=-9, last_day=-2),
            "its certificate expired on 20",
        ),
        "of another name": (
            ours.sign("pbx.example"),
            "its certificate is for pbx.example, not for 127.0.0.1",
        ),
    }[fault]
    with phone(tmp_path, silence, shown, ours) as called:
        began = time.monotonic()
        assert secured.dial(tls_uri(called)).startswith(words)
        assert time.monotonic() - began < LATE
        with secured.having("verify", False):
            secured.device.command("dial", uri=tls_uri(called))
            called.wait_for("CALL_ESTABLISHED")
            secured.device.command("hang-up")
    secured.device.wait_idle()


def test_a_server_without_the_version_that_is_wanted(secured: Secured, tmp_path: Path) -> None:
    certificate, key, _ = secured.authority.sign("127.0.0.1").write(tmp_path)
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-tls1_2", "-quiet"]
    with subprocess.Popen(
        [*command, "-cert", str(certificate), "-key", str(key)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        wait_until(lambda: listens(port))
        with secured.having("versions", "1.3"):
            words = secured.dial(f"sip:a@127.0.0.1:{port};transport=tls")
        server.kill()

    assert words == "it speaks no TLS 1.3"


# --- hard times ---------------------------------------------------------------------------------


class SecuredLine(Line):
    """The same over TLS."""

    def __init__(self, secured: Secured) -> None:
        super().__init__(secured.port)
        trusting = client_context(secured.authority.certificate)
        self._socket = trusting.wrap_socket(self._socket, server_hostname="127.0.0.1")


def call(secured: Secured) -> float:
    """A call of somebody else from beginning to end; seconds from its first byte to the 200."""
    began = time.monotonic()
    line = SecuredLine(secured)
    dialogue = Dialogue(secured.port, line.own, transport="TLS")
    line.send(dialogue.invite())
    assert dialogue.take(line.final()) == 200
    seconds = time.monotonic() - began
    line.send(dialogue.ack() + dialogue.bye())
    assert status(line.final()) == 200
    line.close()
    return seconds


def test_half_open_handshakes_do_not_keep_a_call_from_being_answered(
    secured: Secured, figures: dict[str, str]
) -> None:
    """Some say nothing, some begin a handshake and stop in its middle, all from one address."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)
    with contextlib.ExitStack() as stack:
        for n in range(HALF_OPEN):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", secured.port), 5))
            if n % 2:
                line.send(hello)
        seconds = sorted(call(secured) for _ in range(5))

    figures[f"handshake and INVITE to 200 with {HALF_OPEN} half-open"] = (
        f"median {1000 * float(np.median(seconds)):.0f} ms, worst {1000 * seconds[-1]:.0f} ms"
    )
    assert seconds[-1] < LATE
    secured.device.wait_idle()


@pytest.mark.parametrize("where", ["in the middle of a record", "in the middle of a message"])
def test_a_connection_that_is_cut_harms_nobody_else(secured: Secured, where: str) -> None:
    for share in (0.1, 0.5, 0.9):
        line = SecuredLine(secured)
        invite = Dialogue(secured.port, line.own, transport="TLS").invite()
        if where.endswith("message"):
            line.send(invite[: round(len(invite) * share)])
        else:
            raw = socket.socket(fileno=line._socket.detach())  # pyright: ignore[reportPrivateUsage]
            raw.send(b"\x17\x03\x03\x04\x00" + bytes(round(1024 * share)))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
        line.close()
    call(secured)
    secured.device.wait_idle()


@pytest.mark.parametrize("first", [b"INVITE sip:1001@h SIP/2.0\r\n\r\n", bytes(range(256)) * 8])
def test_what_is_no_tls_is_closed(secured: Secured, first: bytes) -> None:
    with socket.create_connection(("127.0.0.1", secured.port), 5) as line:
        line.send(first)
        with contextlib.suppress(ConnectionResetError):
            while line.recv(4096):
                pass
    call(secured)


def test_nonsense_within_tls_is_closed(secured: Secured) -> None:
    line = SecuredLine(secured)
    line.send(b"\x00\x01nonsense\r\n\r\n" * 4)
    with pytest.raises(AssertionError, match="closed the connection"):
        line.receive()
    line.close()
    call(secured)
