"""Who encrypts with whom: SDES (RFC 4568), DTLS-SRTP (RFC 5763), offers that need not be taken
(RFC 8643), RTCP beside RTP (RFC 5761)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.crypto import make_keys
from sipstrobe.sdp.description import NotAcceptable, SessionDescription
from sipstrobe.sdp.fingerprint import Fingerprint
from sipstrobe.sdp.negotiate import MediaParameters, Offerable, accept_answer, answer, offer
from sipstrobe.sdp.security import DtlsKeys, Encryption, KeyExchange, SdesKeys, Security

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
OTHER = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
PRINT, OTHER_PRINT = (str(Fingerprint("sha-256", bytes([n]) * 32)) for n in (1, 2))
CRYPTO = f"a=crypto:5 {CM} inline:{KEY}"
DTLS = f"a=fingerprint:{PRINT}\na=setup:actpass\na=rtcp-mux"
NONE, BEST_EFFORT, MANDATORY = Encryption


def able(
    encryption: Encryption,
    offered: KeyExchange = KeyExchange.SDES,
    *,
    seed: int = 7,
    clear: bool = False,
) -> Offerable:
    """One side of a call. seed: makes its keys its own."""
    security = Security(
        encryption=encryption,
        offered=offered,
        keys=make_keys(lambda size: bytes([seed]) * size),
        clear=clear,
        fingerprint=Fingerprint("sha-256", bytes([seed]) * 32),
        tls_id=f"{seed:032d}",
    )
    host = f"192.0.2.{seed}"
    return Offerable(host=host, rtp_port=4000, session_id=seed, security=security)


def theirs(*media: str, session: str = "") -> SessionDescription:
    lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    lines += session.split("\n") if session else []
    lines += [line for m in media for line in m.split("\n")]
    return SessionDescription.parse("\r\n".join([*lines, ""]).encode())


def sent_again(description: SessionDescription) -> SessionDescription:
    """As the other side reads it."""
    return SessionDescription.parse(bytes(description))


def attributes(description: SessionDescription, *names: str) -> list[str]:
    lines = description.media[0].lines
    return [line for line in lines if line.startswith(tuple(f"a={name}" for name in names))]


# --- offers -------------------------------------------------------------------------------------


def test_without_encryption_nothing_is_said_of_it() -> None:
    made = offer(able(NONE))

    assert made.media[0].protocol == "RTP/AVP"
    assert not attributes(made, "crypto", "fingerprint", "setup", "tls-id", "rtcp-mux")


@pytest.mark.parametrize(
    ("encryption", "profile"), [(BEST_EFFORT, "RTP/AVP"), (MANDATORY, "RTP/SAVP")]
)
def test_keys_are_offered_for_every_suite(encryption: Encryption, profile: str) -> None:
    """RFC 4568 §5.1.1, the preferred first; RFC 8643 §3: in RTP/AVP nobody has to take them."""
    made = offer(able(encryption))

    assert made.media[0].protocol == profile
    assert [line.split()[0:2] for line in attributes(made, "crypto")] == [
        ["a=crypto:1", "AEAD_AES_256_GCM"],
        ["a=crypto:2", "AEAD_AES_128_GCM"],
        ["a=crypto:3", "AES_CM_128_HMAC_SHA1_80"],
        ["a=crypto:4", "AES_CM_128_HMAC_SHA1_32"],
    ]


@pytest.mark.parametrize(
    ("encryption", "profile"), [(BEST_EFFORT, "RTP/AVP"), (MANDATORY, "UDP/TLS/RTP/SAVP")]
)
def test_a_handshake_is_offered(encryption: Encryption, profile: str) -> None:
    """RFC 5763 §5, RFC 8842 §5.2; one port, for the handshake is of a port."""
    ours = able(encryption, KeyExchange.DTLS)

    made = offer(ours)

    assert made.media[0].protocol == profile
    assert attributes(made, "crypto", "fingerprint", "setup", "tls-id", "rtcp-mux") == [
        f"a=fingerprint:{ours.security.fingerprint}",
        "a=setup:actpass",
        f"a=tls-id:{ours.security.tls_id}",
        "a=rtcp-mux",
    ]


def test_keys_are_not_offered_where_anybody_can_read_them() -> None:
    """GAP-28: encryption needs encrypted signalling; a handshake does not."""
    plain = offer(able(BEST_EFFORT, clear=True))

    assert not attributes(plain, "crypto")
    with pytest.raises(NotAcceptable, match="signalling that is not encrypted"):
        offer(able(MANDATORY, clear=True))
    assert attributes(offer(able(MANDATORY, KeyExchange.DTLS, clear=True)), "fingerprint")


# --- answers ------------------------------------------------------------------------------------


def test_the_first_suite_that_both_know_is_taken_with_its_tag() -> None:
    """RFC 4568 §5.1.2."""
    offered = theirs(
        "m=audio 5000 RTP/SAVP 0\n"
        f"a=crypto:1 F8_128_HMAC_SHA1_80 inline:{OTHER}\n"
        f"a=crypto:2 {CM} inline:{OTHER}|2^20|1:4\n"
        f"{CRYPTO}\n"
        f"a=crypto:6 AES_CM_128_HMAC_SHA1_32 inline:{OTHER}"
    )
    ours = able(BEST_EFFORT)

    made = answer(offered, ours)

    keying = made.parameters.keying
    assert isinstance(keying, SdesKeys)
    assert (keying.tag, keying.suite, keying.theirs.reveal()) == (5, CM, KEY)
    assert keying.ours == ours.security.keys[CM]
    assert attributes(made.description, "crypto") == [
        f"a=crypto:5 {CM} inline:{keying.ours.reveal()}"
    ]
    assert made.description.media[0].protocol == "RTP/SAVP"


TWO = "m=audio 5000 RTP/AVP 0", f"m=audio 5002 RTP/SAVP 0\n{CRYPTO}"


@pytest.mark.parametrize(
    ("encryption", "media", "port", "encrypted"),
    [
        (NONE, ["m=audio 5000 RTP/AVP 0"], 5000, False),
        (NONE, [f"m=audio 5000 RTP/AVP 0\n{CRYPTO}"], 5000, False),
        (NONE, TWO, 5000, False),
        (BEST_EFFORT, ["m=audio 5000 RTP/AVP 0"], 5000, False),
        (BEST_EFFORT, [f"m=audio 5000 RTP/AVP 0\n{CRYPTO}"], 5000, True),
        (BEST_EFFORT, [f"m=audio 5000 RTP/AVPF 0\n{CRYPTO}"], 5000, True),
        (BEST_EFFORT, [f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}"], 5000, True),
        (BEST_EFFORT, [f"m=audio 5000 RTP/AVP 0\n{DTLS}"], 5000, True),
        (BEST_EFFORT, ["m=audio 5000 RTP/AVP 0\na=crypto:1 X inline:Y"], 5000, False),
        (BEST_EFFORT, [f"m=audio 5000 RTP/AVP 0\n{DTLS}x".replace("actpass", "x")], 5000, False),
        (BEST_EFFORT, TWO, 5002, True),
        (BEST_EFFORT, [*TWO[:1], "m=audio 5002 RTP/SAVP 0"], 5000, False),
        (MANDATORY, [f"m=audio 5000 RTP/AVP 0\n{CRYPTO}"], 5000, True),
        (MANDATORY, [f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}"], 5000, True),
        (MANDATORY, [f"m=audio 5000 RTP/SAVPF 0\n{DTLS}"], 5000, True),
        (MANDATORY, [f"m=audio 5000 UDP/TLS/RTP/SAVPF 0\n{DTLS}"], 5000, True),
        (MANDATORY, TWO, 5002, True),
    ],
)
def test_what_is_taken_of_an_offer(
    encryption: Encryption, media: list[str], port: int, encrypted: bool
) -> None:
    made = answer(theirs(*media), able(encryption))

    assert made.parameters.rtp_port == port
    assert (made.parameters.keying is not None) is encrypted
    said = [m for m in made.description.media if m.port]
    assert [m.protocol for m in said] == [made.parameters.profile]
    assert any(line.startswith(("a=crypto", "a=fing")) for line in said[0].lines) is encrypted


@pytest.mark.parametrize(
    ("encryption", "media", "reason"),
    [
        (NONE, f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}", "only encrypted media are offered"),
        (NONE, f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{DTLS}", "only encrypted media are offered"),
        (BEST_EFFORT, "m=audio 5000 RTP/SAVP 0", "without keys"),
        (BEST_EFFORT, "m=audio 5000 RTP/SAVP 0\na=crypto:1 X inline:Y", "suite X is not supported"),
        (BEST_EFFORT, f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{CRYPTO}", "without keys"),
        (BEST_EFFORT, "m=audio 5000 UDP/TLS/RTP/SAVP 0\na=fingerprint:md5 00", "no fingerprint"),
        (BEST_EFFORT, "m=audio 5000 TCP/TLS/RTP/SAVP 0", "TCP/TLS/RTP/SAVP is not supported"),
        (MANDATORY, "m=audio 5000 RTP/AVP 0", "encryption is mandatory"),
        (MANDATORY, "m=audio 5000 RTP/AVP 0\na=crypto:1 X inline:Y", "suite X is not supported"),
    ],
)
def test_what_is_refused_with_488_and_a_reason(
    encryption: Encryption, media: str, reason: str
) -> None:
    with pytest.raises(NotAcceptable, match=reason) as refusal:
        answer(theirs(media), able(encryption))

    assert refusal.value.status == 488


@pytest.mark.parametrize(
    ("offered", "role", "active"),
    [("actpass", "active", True), ("passive", "active", True), ("active", "passive", False)],
)
def test_roles_of_the_handshake(offered: str, role: str, active: bool) -> None:
    """RFC 5763 §5: whoever answers is the client if it may."""
    media = f"m=audio 5000 UDP/TLS/RTP/SAVP 0\na=setup:{offered}"

    made = answer(theirs(media, session=f"a=fingerprint:{PRINT}"), able(MANDATORY))

    keying = made.parameters.keying
    assert isinstance(keying, DtlsKeys)
    assert keying.active is active
    assert attributes(made.description, "setup") == [f"a=setup:{role}"]


@pytest.mark.parametrize("exchange", KeyExchange)
def test_who_is_offered_both_takes_what_it_would_have_offered(exchange: KeyExchange) -> None:
    made = answer(theirs(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}\n{DTLS}"), able(MANDATORY, exchange))

    assert isinstance(
        made.parameters.keying, SdesKeys if exchange is KeyExchange.SDES else DtlsKeys
    )


# --- what the answer to us settles --------------------------------------------------------------


@pytest.mark.parametrize("exchange", KeyExchange)
@pytest.mark.parametrize("encryption", [BEST_EFFORT, MANDATORY])
def test_two_of_us_agree_on_the_same(encryption: Encryption, exchange: KeyExchange) -> None:
    one, other = able(encryption, exchange, seed=7), able(BEST_EFFORT, seed=8)

    sent = offer(one)
    made = answer(sent_again(sent), other)
    settled = accept_answer(sent, sent_again(made.description), one)

    here, there = settled.keying, made.parameters.keying
    assert settled.rtcp_mux is made.parameters.rtcp_mux is (exchange is KeyExchange.DTLS)
    if isinstance(here, SdesKeys) and isinstance(there, SdesKeys):
        assert here.suite == there.suite == GCM
        assert (here.ours, here.theirs) == (there.theirs, there.ours)
        assert here.ours != here.theirs
    else:
        assert isinstance(here, DtlsKeys)
        assert isinstance(there, DtlsKeys)
        assert here.active is not there.active
        assert here.fingerprints == (other.security.fingerprint,)
        assert there.fingerprints == (one.security.fingerprint,)
        assert here.tls_id == there.our_tls_id
        assert there.tls_id == here.our_tls_id


@pytest.mark.parametrize("exchange", KeyExchange)
def test_a_peer_that_encrypts_nothing(exchange: KeyExchange) -> None:
    """RFC 8643: then the best was no more; who insists hangs up."""
    plain = theirs("m=audio 5000 RTP/AVP 0")
    trying, insisting = able(BEST_EFFORT, exchange), able(MANDATORY, exchange)

    assert accept_answer(offer(trying), plain, trying).keying is None
    with pytest.raises(NotAcceptable, match="no keys"):
        accept_answer(offer(insisting), plain, insisting)


def test_an_answer_in_another_profile_is_judged_by_its_keys() -> None:
    """Some answer RTP/AVP to RTP/SAVP, and the other way round; encrypted is encrypted."""
    ours = able(MANDATORY)

    settled = accept_answer(offer(ours), theirs(f"m=audio 5000 RTP/AVP 0\n{CRYPTO}"), ours)

    assert isinstance(settled.keying, SdesKeys)
    assert settled.keying.ours == ours.security.keys[CM]


def test_an_answer_without_keys_in_an_encrypted_profile_is_none() -> None:
    ours = able(BEST_EFFORT)

    with pytest.raises(NotAcceptable):
        accept_answer(offer(ours), theirs("m=audio 5000 RTP/SAVP 0"), ours)


def test_an_answer_with_keys_that_nobody_has_offered_is_none() -> None:
    """RFC 4568 §5.1.3."""
    asked = able(MANDATORY)
    weak = replace(asked, security=replace(asked.security, keys={GCM: asked.security.keys[GCM]}))

    with pytest.raises(NotAcceptable):
        accept_answer(offer(weak), theirs(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}"), weak)


# --- within a call ------------------------------------------------------------------------------


def called(*media: str, ours: Offerable) -> tuple[SessionDescription, MediaParameters]:
    made = answer(theirs(*media), ours)
    return made.description, made.parameters


def test_an_offer_within_a_call_goes_on_with_its_keys() -> None:
    """RFC 4568 §7.1.4: the same suite, tag and key; nothing begins anew."""
    ours = able(BEST_EFFORT)
    sent, agreed = called(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}", ours=ours)

    again = offer(ours, sent, agreed)

    assert again.media[0].protocol == "RTP/SAVP"
    assert attributes(again, "crypto") == attributes(sent, "crypto")
    settled = accept_answer(again, theirs(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}"), ours, agreed)
    assert settled.keying == agreed.keying


def test_an_offer_within_an_unencrypted_call_stays_so() -> None:
    ours = able(BEST_EFFORT)
    sent, agreed = called("m=audio 5000 RTP/AVP 0", ours=ours)

    assert not attributes(offer(ours, sent, agreed), "crypto")


def test_a_new_key_of_the_peer_leaves_ours_as_it_is() -> None:
    ours = able(BEST_EFFORT)
    sent, agreed = called(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO}", ours=ours)

    again = answer(
        theirs(f"m=audio 5000 RTP/SAVP 0\n{CRYPTO.replace(KEY, OTHER)}"), ours, sent, agreed
    )

    before, now = agreed.keying, again.parameters.keying
    assert isinstance(before, SdesKeys)
    assert isinstance(now, SdesKeys)
    assert now.ours == before.ours
    assert now.theirs.reveal() == OTHER


def test_a_key_that_was_given_up_does_not_come_back() -> None:
    """RFC 3711 §9.1: it would make the same keystream again."""
    security = able(BEST_EFFORT).security

    renewed = security.renewed(CM, lambda size: bytes([99]) * size)

    assert renewed.keys[CM] != security.keys[CM]
    assert list(renewed.keys) == list(security.keys)
    assert renewed.keys[GCM] == security.keys[GCM]


def test_a_handshake_that_was_made_is_made_once() -> None:
    """RFC 8842 §5.5: the same fingerprints and identity are the same association; roles stay."""
    ours = able(MANDATORY)
    media = f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{DTLS.replace('actpass', 'active')}\n"
    media += "a=tls-id:" + "x" * 20
    sent, agreed = called(media, ours=ours)

    again = answer(theirs(media.replace("setup:active", "setup:actpass")), ours, sent, agreed)
    reoffered = offer(ours, sent, agreed)

    assert again.parameters.keying is agreed.keying
    assert attributes(again.description, "setup", "tls-id") == attributes(sent, "setup", "tls-id")
    assert attributes(reoffered, "setup") == ["a=setup:actpass"]
    assert attributes(reoffered, "tls-id") == attributes(sent, "tls-id")
    assert attributes(reoffered, "rtcp-mux")


@pytest.mark.parametrize(
    ("before", "after"), [(PRINT, OTHER_PRINT), ("a=tls-id:" + "x" * 20, "a=tls-id:" + "y" * 20)]
)
def test_another_fingerprint_or_identity_asks_for_another_handshake(
    before: str, after: str
) -> None:
    ours = able(MANDATORY)
    media = f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{DTLS}\na=tls-id:" + "x" * 20
    sent, agreed = called(media, ours=ours)

    again = answer(theirs(media.replace(before, after)), ours, sent, agreed)

    assert isinstance(agreed.keying, DtlsKeys)
    assert not agreed.keying.same_association(again.parameters.keying)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("", "", True),
        ("setup:passive", "setup:actpass", True),
        ("setup:passive", "setup:active", False),  # both cannot be
        ("m=audio 5000", "m=audio 5002", False),
        ("IN IP4 192.0.2.1\nt", "IN IP4 192.0.2.9\nt", False),
        ("IN IP4 192.0.2.1\nt", "IN IP4 0.0.0.0\nt", True),  # hold
    ],
)
@pytest.mark.parametrize("asking", [True, False])
def test_without_a_tls_id_place_and_roles_say_whether_the_handshake_was_made(
    before: str, after: str, same: bool, asking: bool
) -> None:
    """RFC 5763 §6.6: the same fingerprints and transport parameters, and the same roles."""
    ours = able(MANDATORY)
    media = f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{DTLS.replace('actpass', 'passive')}"
    text = bytes(theirs(media)).replace(b"\r", b"").decode()
    first = SessionDescription.parse(text.encode())
    made = answer(first, ours)
    again = SessionDescription.parse(text.replace(before, after).encode())

    if asking:
        sent = offer(ours, made.description, made.parameters)
        now = accept_answer(sent, again, ours, made.parameters)
    else:
        now = answer(again, ours, made.description, made.parameters).parameters

    keying = made.parameters.keying
    assert isinstance(keying, DtlsKeys)
    assert keying.same_association(now.keying) is same


def test_with_ice_the_place_says_nothing() -> None:
    """RFC 8445 §12: media move from pair to pair."""
    ours = able(MANDATORY)
    media = f"m=audio 5000 UDP/TLS/RTP/SAVP 0\n{DTLS}\na=ice-ufrag:abcd"
    sent, agreed = called(media, ours=ours)

    again = answer(theirs(media.replace("5000", "5002")), ours, sent, agreed)

    assert again.parameters.keying is agreed.keying


@pytest.mark.parametrize(
    ("exchange", "lines", "reason"),
    [
        (KeyExchange.SDES, f"a=crypto:1 {CM} inline:{KEY[:-4]}", "wrong length"),
        (KeyExchange.SDES, "a=crypto:1 F8_128_HMAC_SHA1_80 inline:Y", "not supported"),
        (KeyExchange.DTLS, "a=fingerprint:md5 00", "no fingerprint"),
    ],
)
def test_who_answers_with_keys_that_cannot_be_used_is_not_spoken_to_in_clear(
    exchange: KeyExchange, lines: str, reason: str
) -> None:
    """RFC 8643 §3.4: it encrypts, and would hear nothing of what does not."""
    ours = able(BEST_EFFORT, exchange)

    with pytest.raises(NotAcceptable, match=reason):
        accept_answer(offer(ours), theirs(f"m=audio 5000 RTP/AVP 0\n{lines}"), ours)


# --- RTCP beside RTP ----------------------------------------------------------------------------


@pytest.mark.parametrize(("theirs_too", "port"), [(True, 5000), (False, 5001)])
def test_rtcp_on_the_port_of_rtp_where_both_want_it(theirs_too: bool, port: int) -> None:
    """RFC 5761 §5.1.1."""
    ours = replace(able(NONE), rtcp_mux=True)
    media = "m=audio 5000 RTP/AVP 0" + ("\na=rtcp-mux" if theirs_too else "")

    answered = answer(theirs(media), able(NONE))
    settled = accept_answer(offer(ours), theirs(media), ours)
    unasked = accept_answer(offer(able(NONE)), theirs(media), able(NONE))

    for agreed in (answered.parameters, settled):
        assert (agreed.rtcp_mux, agreed.rtcp_port) == (theirs_too, port)
    assert ("a=rtcp-mux" in answered.description.media[0].lines) is theirs_too
    assert not unasked.rtcp_mux


pieces = st.sampled_from(
    [
        "m=audio 5000 RTP/AVP 0",
        "m=audio 5000 RTP/SAVP 0",
        "m=audio 5002 UDP/TLS/RTP/SAVPF 0",
        CRYPTO,
        f"a=crypto:1 {GCM} inline:{KEY}",
        "a=crypto:",
        f"a=fingerprint:{PRINT}",
        "a=fingerprint:sha-256",
        "a=setup:actpass",
        "a=setup:",
        "a=tls-id:" + "x" * 20,
        "a=tls-id:",
        "a=rtcp-mux",
        "c=IN IP4 192.0.2.1",
    ]
)


@given(
    st.lists(pieces | st.text(max_size=12), max_size=14),
    st.sampled_from(Encryption),
    st.sampled_from(KeyExchange),
)
@settings(max_examples=200, deadline=None)
def test_no_offer_and_no_answer_does_more_than_be_refused(
    lines: list[str], encryption: Encryption, exchange: KeyExchange
) -> None:
    ours = able(encryption, exchange)
    text = "\r\n".join(["v=0", "c=IN IP4 192.0.2.1", *lines]).encode()
    try:
        description = SessionDescription.parse(text)
    except RemoteProtocolError:
        return
    try:
        made = answer(description, ours)
        assert encryption is not MANDATORY or made.parameters.keying is not None
        assert SessionDescription.parse(bytes(made.description)) == made.description
    except RemoteProtocolError:
        pass
    try:
        settled = accept_answer(offer(ours), description, ours)
        assert encryption is not MANDATORY or settled.keying is not None
    except RemoteProtocolError:
        pass
