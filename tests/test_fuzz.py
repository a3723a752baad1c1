"""A taste of the fuzzer; ``python -m tests.fuzz`` is the meal."""

from itertools import islice

import pytest

from tests.fuzz import TARGETS, run
from tests.support.mutate import MAX_BYTES, Mutator

QUICK = {"sip": 10_000, "payload": 1000, "group-srtp": 500, "mqtt": 1000}  # messages; others 3000


@pytest.mark.no_cover
@pytest.mark.parametrize("name", TARGETS)
def test_spoilt_messages_meet_nothing_but_the_protocol_error(name: str) -> None:
    result = run(name, QUICK.get(name, 3_000))

    assert result.accepted > 0
    assert result.refused > 0


def test_the_same_seed_spoils_alike() -> None:
    corpus = [b"INVITE sip:a SIP/2.0\r\nVia: b\r\n\r\nbody", b""]

    first, again, other = (list(islice(Mutator(corpus, seed), 500)) for seed in (1, 1, 2))

    assert first == again != other
    assert max(map(len, first)) <= MAX_BYTES
