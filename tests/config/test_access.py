"""Tokens and accounts as settings: what cannot be, and what older versions have stored."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from sipstrobe.config.access import BruteForce, Scope, Token
from sipstrobe.config.store import Store
from sipstrobe.config.users import NOTHING, Role, make_user
from sipstrobe.errors import ConfigError
from sipstrobe.secret import Secret

ADA = make_user("ada", Role.ADMINISTRATOR, "secret")
TOKEN = Token(
    id="0123456789ab",
    name="Door bell",
    owner="ada",
    scopes=(Scope.READ,),
    created=datetime(2030, 1, 1, tzinfo=UTC),
    sha256=Secret("ab"),
)


def said(**web: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Store.memory().change_now({"web": web})
    return [str(problem) for problem in caught.value.problems]


def test_tokens_have_an_account_a_number_and_a_value() -> None:
    lost, empty = replace(TOKEN, owner="eve"), replace(TOKEN, sha256=NOTHING)

    assert said(users=[ADA], tokens=[TOKEN, TOKEN]) == [
        "/web/tokens/1/id: there is a token 0123456789ab already"
    ]
    assert said(users=[ADA], tokens=[lost]) == ["/web/tokens/0/owner: there is no account 'eve'"]
    assert said(users=[ADA], tokens=[empty]) == ["/web/tokens/0: has no value"]


def test_an_account_has_both_digests_or_a_hash() -> None:
    user = {"name": "ada", "role": "administrator"}

    assert said(users=[user]) == ["/web/users/0: has no password"]
    assert said(users=[user | {"ha1_md5": "0"}]) == [
        "/web/users/0: has one digest of its password and not the other"
    ]
    hashed = make_user("ada", Role.ADMINISTRATOR, "secret", "scrypt:…", digest=False)
    assert (hashed.ha1_md5, hashed.digest) == (NOTHING, False)
    Store.memory().change_now({"web": {"users": [hashed]}})


def test_settings_of_before_are_loaded(tmp_path: Path) -> None:
    """There were accounts, and nothing else of the kind."""
    store = Store.open(tmp_path)
    store.change_now({"web": {"users": [ADA]}})
    store.close()
    path = tmp_path / "settings.json"
    file = json.loads(path.read_text())
    web = file["settings"]["web"]
    for new in ("tokens", "anonymous_viewing", "brute_force"):
        del web[new]
    del web["users"][0]["password"]
    path.write_text(json.dumps(file))

    web = Store.open(tmp_path).current.web

    assert web.users == (ADA,)
    assert web.users[0].proves("secret")
    assert (web.tokens, web.anonymous_viewing, web.brute_force) == ((), False, BruteForce())
