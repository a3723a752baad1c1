"""Passwords are proven beside the loop, and no flood of them holds up anybody else."""

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import count

import pytest

from sipstrobe.config.passwords import Cost, advice, hash_password, proves
from sipstrobe.config.users import Role, User, make_user
from sipstrobe.web.prover import (
    REMEMBERED_MAX,
    RETRY_AFTER,
    WAITING_MAX,
    WAITING_PER_ADDRESS,
    Busy,
    Prover,
)
from tests.support.web import CHEAP, PASSWORDS, USERS

OLGA = USERS[1]


@pytest.fixture
async def prover() -> AsyncIterator[Prover]:
    prover = Prover(os.urandom, CHEAP)
    yield prover
    prover.close()


def with_password(password: str) -> User:
    return make_user("olga", Role.OPERATOR, password, hash_password(password, b"salt", CHEAP))


def test_a_hash_proves_its_password_and_no_other() -> None:
    """RFC 7914 §12, the third vector but for its length."""
    hashed = hash_password("pleaseletmein", b"SodiumChloride", Cost(14, 8, 1))

    assert hashed.startswith("scrypt:14:8:1:U29kaXVtQ2hsb3JpZGU=:cCO9yzr9c0hGHAbNgf04")
    assert proves("pleaseletmein", hashed)
    assert not proves("pleaseletmeinn", hashed)
    key = hashed.rpartition(":")[2]
    for start in ("scrypt:99:8:1", "scrypt:40:8:1", "scrypt:1:-8:1", "bcrypt:14:8:1", "scrypt:x"):
        assert not proves("pleaseletmein", f"{start}:U29kaXVtQ2hsb3JpZGU=:{key}")
    for broken in ("", "a:b", "scrypt:14:8:1:AA==:AA==", "bcrypt:1:8:1:AA==:"):
        assert not proves("", broken)


def test_what_is_weak_is_said() -> None:
    assert "short" in advice("correct")
    assert "few" in advice("abababababababab")
    assert "name" in advice("Olga's own sesame", "olga")
    assert "first" in advice("MyPassword2026")
    assert not advice("correct horse battery", "olga")


async def test_an_unknown_name_is_computed_like_a_known_one(prover: Prover) -> None:
    right, made = await prover.check(None, "guess", "192.0.2.1")
    assert not right
    assert proves("guess", made), "for as long as it takes"
    assert (await prover.check(OLGA, PASSWORDS["olga"], "192.0.2.1"))[0]
    assert not (await prover.check(OLGA, "guess", "192.0.2.1"))[0]


async def test_an_address_waits_with_few_and_all_together_with_not_many(prover: Prover) -> None:
    """A flood from one address leaves room for others."""

    def attempts(address: str, number: int) -> list[asyncio.Task[str]]:
        return [asyncio.create_task(prover.hashed("x", address)) for _ in range(number)]

    flood = attempts("192.0.2.1", 10)
    addresses = (f"192.0.2.{n}" for n in count(2))
    others = [task for _ in range(5) for task in attempts(next(addresses), WAITING_PER_ADDRESS)]
    results = await asyncio.gather(*flood, *others, return_exceptions=True)

    refused = [isinstance(result, Busy) for result in results]
    assert refused[:10] == [False] * WAITING_PER_ADDRESS + [True] * (10 - WAITING_PER_ADDRESS)
    assert refused.count(False) == WAITING_MAX
    busy = Busy().response()
    assert (busy.status, dict(busy.headers)["Retry-After"]) == (503, str(RETRY_AFTER))
    assert not prover._waiting, "who has gone"  # pyright: ignore[reportPrivateUsage]
    again = await asyncio.gather(*attempts("192.0.2.1", 5), return_exceptions=True)
    assert [isinstance(result, Busy) for result in again] == [False] * WAITING_PER_ADDRESS + [True]


async def test_strangers_keep_nobody_waiting_outside_who_has_known_a_password() -> None:
    prover = Prover(os.urandom, CHEAP, lambda address: address == "192.0.2.200")
    strangers = [
        asyncio.create_task(prover.hashed("x", f"192.0.2.{n // WAITING_PER_ADDRESS}"))
        for n in range(WAITING_MAX)
    ]
    late = asyncio.create_task(prover.hashed("x", "192.0.2.100"))
    known = asyncio.create_task(prover.hashed("x", "192.0.2.200"))

    await asyncio.gather(*strangers, known)
    with pytest.raises(Busy):
        await late
    prover.close()


async def test_what_was_proven_is_remembered_until_the_password_changes(prover: Prover) -> None:
    before, after = with_password("old"), with_password("new")
    prover.remember(before, "old")

    assert prover.remembers(before, "old")
    assert not prover.remembers(before, "new")
    assert not prover.remembers(after, "old")
    assert not prover.remembers(before, "old"), "forgotten with the change"


async def test_what_is_remembered_is_bounded(prover: Prover) -> None:
    prover.remember(OLGA, "first")
    prover.remember(OLGA, "second")
    assert prover.remembers(OLGA, "first"), "used last"
    for n in range(REMEMBERED_MAX - 1):
        prover.remember(OLGA, f"other {n}")

    assert prover.remembers(OLGA, "first")
    assert not prover.remembers(OLGA, "second")
