"""RFC 4733 payloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.dtmf.event import TelephoneEvent
from sipstrobe.errors import RemoteProtocolError


def test_the_layout_is_that_of_the_rfc() -> None:
    """RFC 4733 §2.3: event, E R volume, duration."""
    event = TelephoneEvent(event=11, end=True, volume=10, duration=800)

    assert bytes(event) == b"\x0b\x8a\x03\x20"
    assert event.digit == "#"


@given(st.binary(max_size=12))
def test_any_four_octets_are_an_event_and_fewer_are_refused(payload: bytes) -> None:
    if len(payload) < 4:
        with pytest.raises(RemoteProtocolError):
            TelephoneEvent.parse(payload)
        return
    event = TelephoneEvent.parse(payload)
    assert TelephoneEvent.parse(bytes(event)) == event
    assert (event.digit is not None) == (event.event < 16)
