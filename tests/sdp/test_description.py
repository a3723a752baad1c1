"""Session descriptions: RFC 8866, byte-faithful and tolerant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.description import (
    MAX_BYTES,
    MAX_FORMATS,
    MAX_LINES,
    MAX_MEDIA,
    Direction,
    Format,
    SessionDescription,
)

PHONE = b"""v=0\r
o=alice 2890844526 2890844527 IN IP4 host.atlanta.example.com\r
s=-\r
c=IN IP4 192.0.2.1\r
t=0 0\r
a=sendonly\r
m=audio 49170 RTP/AVP 96 8 0 101\r
a=rtpmap:96 L16/16000/2\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=rtcp:53020 IN IP4 126.16.64.4\r
a=ptime:30\r
a=maxptime:40\r
m=video 51372/2 RTP/AVP 31\r
c=IN IP6 ff15::101/3\r
a=recvonly\r
x=unknown \r
"""


def test_what_a_phone_says_is_understood() -> None:
    description = SessionDescription.parse(PHONE)
    audio, video = description.media

    assert description.origin.session_version == "2890844527"
    assert description.connection_of(audio) == "192.0.2.1"
    assert description.direction_of(audio) is Direction.SENDONLY
    assert list(audio.rtp_formats) == [
        Format(96, "L16", 16000, 2),
        Format(8, "PCMA", 8000),
        Format(0, "PCMU", 8000),
        Format(101, "telephone-event", 8000),
    ]
    assert audio.rtcp_port == 53020  # RFC 3605
    assert (audio.ptime_ms, audio.maxptime_ms) == (30, 40)
    assert (video.kind, video.port, video.rtcp_port) == ("video", 51372, 51373)
    assert description.connection_of(video) == "ff15::101"
    assert description.direction_of(video) is Direction.RECVONLY


@pytest.mark.parametrize(
    "data",
    [
        PHONE,
        PHONE.replace(b"\r\n", b"\n"),
        PHONE.replace(b"\r\n", b"\n", 3),
        PHONE.rstrip(),
        PHONE + b"\r\n\r\n",
        b"v=0\n",
        PHONE.replace(b"s=-", b"s=caf\xc3\xa9 \xff\x00"),
    ],
)
def test_bytes_come_out_as_they_came_in(data: bytes) -> None:
    assert bytes(SessionDescription.parse(data)) == data


@pytest.mark.parametrize(
    ("attribute", "ptime"),
    [
        ("ptime:20", 20),
        ("ptime:20.5", 20),
        ("ptime:", None),
        ("ptime:nan", None),
        ("ptime:1e999", None),
    ],
)
def test_nonsense_in_ptime_counts_as_nothing_said(attribute: str, ptime: int | None) -> None:
    data = f"v=0\r\nm=audio 4000 RTP/AVP 0\r\na={attribute}\r\n".encode()

    assert SessionDescription.parse(data).media[0].ptime_ms == ptime


def test_formats_that_cannot_be_read_are_left_out() -> None:
    data = (
        b"v=0\r\nm=audio 4000 RTP/AVP 97 98 99 200 abc 8\r\n"
        b"a=rtpmap:97 \r\na=rtpmap:98 X/0\r\na=rtpmap:99 opus/48000/2\r\na=rtpmap:8\r\n"
    )

    assert list(SessionDescription.parse(data).media[0].rtp_formats) == [
        Format(99, "opus", 48000, 2),
        Format(8, "PCMA", 8000),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"m=audio 4000 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio\r\n",
        b"v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio -1 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio \xd9\xa3 RTP/AVP 0\r\n",
    ],
)
def test_what_is_no_sdp_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        SessionDescription.parse(data)


@pytest.mark.parametrize(
    "data",
    [
        b"v=0\r\ns=" + b"x" * MAX_BYTES,
        b"v=0\r\n" + b"a=\n" * MAX_LINES,
        b"v=0\r\n" + b"m=audio 1 RTP/AVP 0\n" * (MAX_MEDIA + 1),
        b"v=0\r\nm=audio 1 RTP/AVP" + b" 0" * (MAX_FORMATS + 1) + b"\r\n",
    ],
)
def test_more_than_anybody_needs_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        SessionDescription.parse(data)


@pytest.mark.parametrize("line", ["c=IN IP4", "c=ATM NSAP 1", "c="])
def test_a_connection_that_cannot_be_read_is_refused(line: str) -> None:
    data = f"v=0\r\n{line}\r\nm=audio 4000 RTP/AVP 0\r\n".encode()
    description = SessionDescription.parse(data)

    with pytest.raises(RemoteProtocolError):
        description.connection_of(description.media[0])


lines = st.sampled_from(PHONE.split(b"\r\n")) | st.binary(max_size=30)
texts = st.lists(lines, max_size=20).map(lambda found: b"v=0\r\n" + b"\r\n".join(found))


@given(st.binary(max_size=200) | texts)
@settings(max_examples=300, deadline=None)
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    try:
        description = SessionDescription.parse(data)
        assert bytes(description) == data
        for media in description.media:
            assert len(media.rtp_formats) <= len(media.formats)
            description.direction_of(media)
            assert media.ptime_ms != 0
            assert 0 <= media.rtcp_port <= 65535
            description.connection_of(media)
        assert description.origin
    except RemoteProtocolError:
        pass
