"""Callers that ask to be answered at once: RFC 5373, and what phones say instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.sip.auto_answer import MAX_DELAY, AnswerWish, answer_wish
from tests.sip.scene import Fields, Scene

AT_ONCE = AnswerWish(0.0)


def wish(*fields: tuple[str, str]) -> AnswerWish | None:
    given_: Fields = fields
    return answer_wish(Scene().draft("INVITE", fields=given_))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("Answer-Mode", "Auto", AT_ONCE),
        ("Answer-Mode", "auto ; require", AnswerWish(0.0, required=True)),
        ("Priv-Answer-Mode", "Auto", AT_ONCE),
        ("Answer-Mode", "Manual", AnswerWish(None)),
        ("Answer-Mode", "Manual;require", AnswerWish(None, required=True)),
        ("Alert-Info", "info=alert-autoanswer", AT_ONCE),
        ("Alert-Info", "<http://127.0.0.1>;info=alert-autoanswer;delay=0", AT_ONCE),
        ("Alert-Info", "http://x.example;info=alert-autoanswer;delay=2", AnswerWish(2.0)),
        ("Alert-Info", '<sip:x@y>;info="Auto Answer"', AT_ONCE),
        ("Alert-Info", "<sip:ring@y>, <sip:x@y>;info=intercom", AT_ONCE),
        ("Call-Info", "<sip:pbx.example>;answer-after=0", AT_ONCE),
        ("Call-Info", "<sip:pbx.example>; answer-after=5", AnswerWish(5.0)),
        ("Call-Info", "answer-after=1", AnswerWish(1.0)),
    ],
)
def test_what_is_sent_in_practice(name: str, value: str, wanted: AnswerWish) -> None:
    assert wish((name, value)) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Answer-Mode", "Perhaps"),
        ("Answer-Mode", "Auto;;"),
        ("Alert-Info", "<urn:alert:source:external>"),
        ("Alert-Info", "<http://pbx.example/ring.wav>;info=external"),
        ("Alert-Info", "Bellcore-dr2"),
        ("Call-Info", "<http://example.com/photo.jpg>;purpose=icon"),
    ],
)
def test_what_is_no_such_wish(name: str, value: str) -> None:
    assert wish((name, value)) is None


@pytest.mark.parametrize("delay", ["-1", "soon", "", "61", "99999999999999"])
def test_who_wants_to_wait_too_long_is_not_answered_by_itself(delay: str) -> None:
    assert MAX_DELAY == 60
    assert wish(("Call-Info", f"<sip:x>;answer-after={delay}")) == AnswerWish(None)


def test_the_standard_counts_more_than_custom() -> None:
    assert wish(("Call-Info", "<x>;answer-after=0"), ("Answer-Mode", "Manual")) == AnswerWish(None)


def test_most_calls_wish_nothing() -> None:
    assert wish() is None


@given(
    st.sampled_from(["Answer-Mode", "Alert-Info", "Call-Info"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60),
)
def test_any_text_is_a_wish_or_none(name: str, value: str) -> None:
    found = wish((name, value))
    assert found is None or found.after is None or 0.0 <= found.after <= MAX_DELAY
