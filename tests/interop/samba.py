"""A real file server (smbd) with one user and one share, in a folder of its own."""

import contextlib
import getpass
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.device import listens, wait_until
from tests.support.ports import free_port

PASSWORD = "open sesame"
_CONF = """
[global]
    server role = standalone server
    interfaces = 127.0.0.1
    bind interfaces only = yes
    smb ports = {port}
    disable netbios = yes
    private dir = {folder}
    lock directory = {folder}
    state directory = {folder}
    cache directory = {folder}
    pid directory = {folder}
    ncalrpc dir = {folder}/ncalrpc
    passdb backend = tdbsam:{folder}/users.tdb
    log file = {folder}/smbd.log
    load printers = no
[inbox]
    path = {share}
    read only = no
[shut]
    path = {share}
    read only = yes
"""


@dataclass(frozen=True)
class Samba:
    port: int
    share: Path  # the folder behind the share "inbox"; "shut" is the same for reading alone
    user: str


@contextlib.contextmanager
def samba(folder: Path) -> Generator[Samba]:
    """Start it and wait until it takes connections; the test is left out where there is none."""
    if shutil.which("smbd") is None or shutil.which("smbpasswd") is None:
        pytest.skip("there is no smbd")
    share = folder / "share"
    (share / "alarms").mkdir(parents=True)
    made = Samba(free_port(), share, getpass.getuser())
    conf = folder / "smb.conf"
    conf.write_text(_CONF.format(port=made.port, folder=folder, share=share))
    subprocess.run(
        ["smbpasswd", "-c", str(conf), "-s", "-a", made.user],
        input=f"{PASSWORD}\n{PASSWORD}\n",
        text=True,
        capture_output=True,
        check=True,
        timeout=30,
    )
    command = ["smbd", "--foreground", "--no-process-group", "-s", str(conf)]
    process = subprocess.Popen(  # in a session of its own: it ends its whole group with itself
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until(lambda: listens(made.port), words="smbd listens")
        yield made
    finally:
        process.terminate()
        process.wait(10)
