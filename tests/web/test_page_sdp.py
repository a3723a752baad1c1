"""Session descriptions of senders become sources of pages: RFC 8866, 4570, 4568."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware
from hypothesis import example, given
from hypothesis import strategies as st

from sipstrobe.errors import ConfigError, RemoteProtocolError
from sipstrobe.multicast.settings import PageSource
from sipstrobe.secret import Secret
from sipstrobe.web.page_sdp import PATH, source_of
from tests.support.web import PASSWORDS, Device

FFMPEG = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=No Name
c=IN IP4 239.255.1.1/16
t=0 0
a=tool:libavformat LIBAVFORMAT_VERSION
m=audio 5004 RTP/AVP 97
b=AS:768
a=rtpmap:97 {format}
"""
STUDIO = """v=0\r
o=- 1311738121 1311738121 IN IP4 192.168.1.1\r
s=Stage left (I/O)\r
t=0 0\r
a=recvonly\r
m=audio 5004 RTP/AVP 98\r
c=IN IP4 239.69.22.33/32\r
a=source-filter: incl IN IP4 239.69.22.33 192.168.1.1\r
a=rtpmap:98 L16/48000\r
a=ptime:1\r
a=ts-refclk:ptp=IEEE1588-2008:39-A7-94-FF-FE-07-CB-D0:37\r
a=mediaclk:direct=963214424\r
"""
VLC = """v=0
o=- 16890352103 16890352103 IN IP4 speaker
s=-
i=N/A
c=IN IP4 239.255.12.42/255
t=0 0
a=tool:vlc 3.0.20
a=recvonly
a=type:broadcast
m=audio 5004 RTP/AVP 0
b=RR:0
a=rtpmap:0 PCMU/8000
m=video 5006 RTP/AVP 96
a=rtpmap:96 H264/90000
"""
SIXTH = """v=0
o=- 0 0 IN IP6 ::1
s=No Name
c=IN IP6 ff15::1
t=0 0
m=audio 5004 RTP/AVP 9
"""


def read(text: str) -> PageSource:
    return source_of(text.encode())


def refusal(text: str) -> str:
    with pytest.raises((RemoteProtocolError, ConfigError)) as caught:
        read(text)
    return str(caught.value)


def test_what_ffmpeg_writes_is_a_source() -> None:
    source = read(FFMPEG.format(format="opus/48000/2"))

    assert source == PageSource(
        label="239.255.1.1", address="239.255.1.1", port=5004, codec="opus", payload_type=97
    )
    assert read("SDP:\n" + FFMPEG.format(format="opus/48000/2")) == source, "as it prints it"


def test_a_stage_box_names_its_sender() -> None:
    """RFC 4570: a source filter is source-specific multicast."""
    assert read(STUDIO) == PageSource(
        label="Stage left (I/O)",
        address="239.69.22.33",
        port=5004,
        senders=("192.168.1.1",),
        codec="L16/48000",
        payload_type=98,
    )
    other = STUDIO.replace("IN IP4 239.69.22.33 192", "IN IP4 239.1.1.1 192")
    assert read(other).senders == ()
    whole = STUDIO.replace("IN IP4 239.69.22.33 192.168.1.1", "IN IP4 * 192.168.1.1 192.168.1.2")
    assert read(whole).senders == ("192.168.1.1", "192.168.1.2")
    session = STUDIO.replace("a=recvonly", "a=source-filter: incl IN IP4 * 192.168.1.7")
    assert read(session.replace("a=source-filter: incl IN IP4 239", "a=x: 239")).senders == (
        "192.168.1.7",
    )


def test_static_payload_types_need_no_codec() -> None:
    """RFC 3551 §6."""
    assert read(VLC) == PageSource(label="239.255.12.42", address="239.255.12.42", port=5004)
    assert read(SIXTH) == PageSource(label="ff15::1", address="ff15::1", port=5004)


def test_of_several_formats_the_first_that_is_known_counts() -> None:
    several = FFMPEG.format(format="L24/48000").replace("AVP 97", "AVP 97 98 101")
    several += "a=rtpmap:98 L16/16000\na=rtpmap:101 telephone-event/8000\n"

    assert (read(several).codec, read(several).payload_type) == ("L16/16000", 98)


@pytest.mark.parametrize(
    ("suite", "size", "cipher"),
    [
        ("AES_CM_128_HMAC_SHA1_80", 30, "AES_CM_HMAC_SHA1_80"),
        ("AES_CM_128_HMAC_SHA1_32", 30, "AES_CM_HMAC_SHA1_32"),
        ("AES_256_CM_HMAC_SHA1_80", 46, "AES_CM_HMAC_SHA1_80"),
        ("AEAD_AES_128_GCM", 28, "AES_GCM"),
        ("AEAD_AES_256_GCM", 44, "AES_GCM"),
    ],
)
def test_a_key_in_it_is_taken(suite: str, size: int, cipher: str) -> None:
    """RFC 4568, 6188, 7714: base64 there, hexadecimal here."""
    key = bytes(range(size))
    line = f"a=crypto:1 {suite} inline:{base64.b64encode(key).decode()}|2^31\n"

    source = read(FFMPEG.format(format="opus/48000/2").replace("RTP/AVP", "RTP/SAVP") + line)

    assert (source.srtp_key, source.cipher) == (Secret(key.hex()), cipher)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin with v="),
        ("hello", "does not begin with v="),
        (VLC.replace("m=audio", "m=video"), "there is no audio in it"),
        (VLC.replace("audio 5004", "audio 0"), "there is no audio in it"),
        (VLC.replace("RTP/AVP 0", "TCP/RTP/AVP 0"), "TCP/RTP/AVP is not supported, only RTP"),
        (VLC.replace("c=IN", "x=IN"), "without c="),
        (VLC.replace("239.255.12.42/255", "192.0.2.1"), "192.0.2.1 is no multicast group"),
        (VLC.replace("239.255.12.42/255", "stage.example"), "is no multicast group"),
        (VLC.replace("audio 5004", "audio 80"), "from 1024 to 65534"),
        (FFMPEG.format(format="L24/48000"), "L24/48000 is not supported, only opus, G722, PCMU"),
        (FFMPEG.format(format="L16/48000/2"), "L16/48000/2 is not supported"),
        (VLC.replace("AVP 0", "AVP 10"), "L16/44100/2 is not supported"),
        (VLC.replace("AVP 0", "AVP 99"), "a payload type without a name is not supported"),
        (STUDIO.replace("incl", "excl"), "not shut out"),
        (STUDIO.replace("incl IN IP4 239.69.22.33", "incl"), "cannot be read"),
        (STUDIO.replace("33 192.168.1.1", "33 stage.example"), "must be a text that matches"),
        (STUDIO.replace("33 192.168.1.1", "33" + " 192.168.1.1" * 11), "at most 10 entries"),
        (VLC.replace("RTP/AVP 0", "RTP/SAVP 0"), "encrypted, and there is no key in it"),
        (VLC.replace("b=RR:0", "a=crypto:1 F8_128_HMAC_SHA1_80 inline:x"), "F8_128"),
        (VLC.replace("b=RR:0", "a=crypto:1 AEAD_AES_128_GCM inline:AAAA"), "wrong length"),
    ],
)
def test_what_cannot_be_heard_is_refused_in_words(text: str, words: str) -> None:
    assert words in refusal(text)


@given(st.text(max_size=300) | st.lists(st.sampled_from(STUDIO.split("\r\n"))).map("\n".join))
@example("v=0\ns=\ud800\nc=IN IP4 239.1.1.1\nm=audio 5004 RTP/AVP 0")
@example("v=0\ns=\x7f\nc=IN IP4 239.1.1.1/1\nm=audio 5004 RTP/AVP 0 0 0")
def test_any_text_is_a_source_or_an_error_in_words(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        label = source_of(data).label
    except (RemoteProtocolError, ConfigError) as error:
        label = str(error)[:31]

    assert 1 <= len(label) <= 31


@pytest.fixture
async def olga(url: str) -> AsyncIterator[ClientSession]:
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(digest,)) as session:
        yield session


async def test_programs_read_a_description_and_store_what_comes_of_it(
    olga: ClientSession, device: Device
) -> None:
    key = base64.b64encode(bytes(30)).decode()
    text = VLC.replace("b=RR:0", f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}")

    async with olga.post(PATH, data=text.encode()) as response:
        assert response.status == 200
        source: dict[str, Any] = (await response.json())["source"]
    assert device.store.current.multicast.sources == (), "nothing is stored unasked"
    patch = {"sources": [source | {"label": "Evac"}]}
    async with olga.patch("/api/v1/settings/multicast", json=patch) as response:
        assert response.status == 200

    (stored,) = device.store.current.multicast.sources
    assert isinstance(stored, PageSource)
    assert (stored.label, stored.srtp_key) == ("Evac", Secret("00" * 30))


async def test_what_is_wrong_with_a_description_names_the_field(olga: ClientSession) -> None:
    async def fault(text: str) -> tuple[int, dict[str, Any]]:
        async with olga.post(PATH, data=text.encode()) as response:
            return response.status, await response.json()

    status, told = await fault(VLC.replace("audio 5004", "audio 80"))
    assert (status, told["field"]) == (400, "port")
    assert told["detail"] == "port: must be a whole number from 1024 to 65534"
    status, told = await fault("v=0\n" * 600)
    assert (status, told["detail"]) == (400, "SDP with too many lines")
    assert (await fault(VLC + "a=x\n" * 5000))[0] == 413
