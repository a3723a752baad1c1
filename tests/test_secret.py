"""A secret has no way into a log, a repr or another format."""

import copy
import logging
import pickle

import msgspec
import pytest

from sipstrobe.secret import Secret


def test_a_secret_is_not_seen(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret("hunter2")

    logging.getLogger("test").warning("%s %r", secret, [secret])

    assert "hunter2" not in f"{secret} {secret!r} {caplog.text}"
    assert secret.reveal() == "hunter2"


def test_a_secret_is_not_copied_into_other_formats() -> None:
    secret = Secret("hunter2")

    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_secrets_are_equal_by_value() -> None:
    assert Secret("a", id="1") == Secret("a", id="2")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")
