"""What an address counts as when sources are told apart."""

import pytest

from sipstrobe.sources import source_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:a:b:c:d", True),
        ("2001:db8::1", "2001:db8:0:0:1::", True),
        ("2001:db8::1:0:0:0:1", "2001:db8:0:1::1", True),
        ("::1", "::2", True),
        ("fe80::1%2", "fe80::2%3", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_a_network_is_found_however_it_is_shortened(one: str, other: str, same: bool) -> None:
    """RFC 5952 §4.2."""
    assert (source_of(one) == source_of(other)) is same
