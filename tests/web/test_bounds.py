"""What others can make grow: forms."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.multipart import PARTS_MAX, Part, parse_form

FORM = "multipart/form-data; boundary=XX"


def test_a_form_has_parts_with_names_and_files() -> None:
    """RFC 7578 §4; what stands before and after the parts does not count (RFC 2046 §5.1.1)."""
    body = (
        b"a preamble\r\n--XX\r\n"
        b'Content-Disposition: form-data; name="request"\r\n\r\n{}\r\n'
        b"--XX  \r\n"
        b'content-disposition: form-data; filename="p.json"; name=file\r\n'
        b"Content-Type: application/json\r\n\r\n[\r\n]\r\n"
        b"--XX--\r\nan epilogue"
    )

    assert parse_form(FORM, body) == [
        Part("request", "", b"{}"),
        Part("file", "p.json", b"[\r\n]"),
    ]
    assert parse_form('multipart/form-data; charset=utf-8; boundary="XX"', body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        (FORM, b""),
        (FORM, b"--XX\r\n"),
        (FORM, b"--XX\r\nno blank line\r\n--XX--"),
        (FORM, b"--XX\r\nContent-Type: a/b\r\n\r\n\r\n--XX--"),
        (FORM, b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end'),
        (
            FORM,
            b'--XX\r\nContent-Disposition: f; name="a"\r\n\r\n\r\n' * (PARTS_MAX + 1) + b"--XX--",
        ),
    ],
)
def test_a_form_that_is_none_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_form(content_type, body)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_only_the_protocol_error_escapes_from_a_form(content_type: str, body: bytes) -> None:
    for kind in (content_type, FORM, FORM + content_type):
        for content in (body, b"--XX\r\n" + body + b"\r\n--XX--"):
            with contextlib.suppress(RemoteProtocolError):
                parse_form(kind, content)
