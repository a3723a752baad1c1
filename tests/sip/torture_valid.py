"""RFC 4475 §3.1.1: unusual, but as the grammar allows it."""

from tests.sip.torture_case import SDP, Case, wire

SHORT_TORTUOUS_INVITE = wire(
    r"""
    INVITE sip:1001@strobe.example.org;oddparam SIP/2.0
    TO :
     sip:1001@strobe.example.org ;   colour    = red
    from   : "Quinn \\\""       <sip:quinn@example.org>
      ;
      tag = 55fq8
    mAx-foRWards: 0042
    Call-ID: tortuous.7@192.0.2.77
    Content-Length   : {length}
    cseq: 0011
      INVITE
    Via  : SIP  /   2.0
     /UDP
        192.0.2.77;branch=55old;rport
    s :
    WhoEverHeardOfIt:   a value
     and the rest of it
    ItsValueIsOnlySigns: ;;,,;;,;
    Content-Type: application/sdp
    Route:
     <sip:edge.example.org;lr;whatsthis=value;andthis>
    v:  SIP  / 2.0  / TCP     mill.example.org   ;
      branch  =   z9hG4bK55mill  ,
     SIP  /    2.0   / UDP  192.0.2.200   ; branch=
     z9hG4bK55far
    m:"Two \"\" quotes" <sip:quinn@example.org> ; fresh =
          paint ;
      flag ; q = 0.25
    """,
    SDP,
)

UNUSUAL_METHOD = wire(
    r"""
    !any-Token.0123456789_*+`%is'one~ sip:2_strange.USER~(or!not)&it's=1+$/or,/;;?:&it=so,very!*wo$rd_~.(it's-odd)@strobe.example.org SIP/2.0
    Via: SIP/2.0/TCP host7.example.org;branch=z9hG4bK-.!%66*_+`'~
    To: "\BELL:\ NIL:\ RUB:\" <sip:2_strange.USER~(or!not)&it's=1+$/or,/;;?:&it=so,very!*wo$rd_~.(it's-odd)@strobe.example.org>
    From: word1~` word2'+_ word3*%!.- <sip:plain@example.org>;anyParam''~+*_!.-%="Лампа светит";tag=_word~4'+`*%!-.
    Call-ID: oddly.word%XY-!.*_+'@word`~)(><:\/"][?}{
    CSeq: 7 !any-Token.0123456789_*+`%is'one~
    Max-Forwards: 255
    other-Header-!.%*+_`'~: 警報 ist laut
    Content-Length: 0
    """  # noqa: E501
).replace(b"\\BELL:\\ NIL:\\ RUB:\\", b"BELL:\\\x07 NIL:\\\x00 RUB:\\\x7f")

PERCENT_ESCAPES = wire(
    """
    INVITE sip:tel%3A1001%40example.org@strobe.example.org SIP/2.0
    To: sip:%31001@strobe.example.org
    From: <sip:I%20have%20spaces@example.org>;tag=pct1
    Max-Forwards: 70
    Call-ID: percent.1@192.0.2.77
    CSeq: 31 INVITE
    Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKpct1
    Contact:
      <sip:c%61ller@host5.example.org;%6C%72;p%61r=v%61l%3D>
    Content-Type: application/sdp
    Content-Length: {length}
    """,
    SDP,
)

ESCAPED_NULLS = wire(
    """
    REGISTER sip:example.org SIP/2.0
    To: sip:nil-%00-nil@example.org
    From: sip:nil-%00-nil@example.org;tag=nil9
    Max-Forwards: 70
    Call-ID: nil.9@192.0.2.77
    CSeq: 14398 REGISTER
    Via: SIP/2.0/UDP host5.example.org;branch=z9hG4bKnil9
    Contact: <sip:%00@host5.example.org>
    Contact: <sip:%00%00@host5.example.org>
    L:0
    """
)

PERCENT_THAT_IS_NO_ESCAPE = wire(
    """
    O%50TIO%4ES sip:strobe.example.org SIP/2.0
    To: "%Z%45%zz" <sip:1001@example.org>
    From: "%Z%45%zz" <sip:1001@example.org>;tag=f2%%6
    Call-ID: percent.2@192.0.2.77
    CSeq: 29344 O%50TIO%4ES
    Max-Forwards: 70
    Contact: <sip:a%41@host5.example.org;unique>;q=0.1
    Via: SIP/2.0/UDP host5.example.org;branch=z9hG4bKpct2%
    Content-Length: 0
    """
)

NAME_TOUCHES_BRACKET = wire(
    """
    OPTIONS sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    From: quinn<sip:quinn@example.org>;tag=323
    Max-Forwards: 70
    Call-ID: touches.1@192.0.2.77
    CSeq: 60 OPTIONS
    Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKtouch1
    l: 0
    """
)

LONG_VALUES = wire(
    f"""
    INVITE sip:1001@strobe.example.org SIP/2.0
    To: "A name of {"very " * 40}great length" <sip:1001{"0" * 300}@strobe.example.org:5060;long{"er" * 60}=value;yes{"yes" * 60}>
    F: sip:{"long" * 25}@example.org;tag=12{"98" * 100}42;param{"name" * 30}=param{"value" * 60};flag{"flag" * 40}
    Call-ID: long.one{"really" * 50}@192.0.2.77
    CSeq: 3882340 INVITE
    Unknown-{"Long" * 30}-Name: unknown-{"long" * 60}-value;unknown-{"long" * 20}-parameter = unknown-{"long" * 20}-value
    Via: SIP/2.0/TCP hop33.example.org;branch=z9hG4bK33
    v: SIP/2.0/TCP hop32.example.org;branch=z9hG4bK32
    {chr(10).join(f"    V: SIP/2.0/TCP hop{n}.example.org;branch=z9hG4bK{n}" for n in range(31, 5, -1)).strip()}
    Via: SIP/2.0/UDP host.example.org;received=192.0.2.5;branch=very{"long" * 80}branch
    Max-Forwards: 70
    Contact: <sip:{"amazing" * 25}@host5.example.org>
    Content-Type: application/sdp
    l: {{length}}
    """,  # noqa: E501
    SDP,
)

TRAILING_OCTETS = wire(
    """
    REGISTER sip:example.org SIP/2.0
    To: sip:quinn@example.org
    From: sip:quinn@example.org;tag=43250
    Max-Forwards: 8
    Contact: sip:quinn@host5.example.org
    Call-ID: twice.1@192.0.2.77
    CSeq: 8 REGISTER
    Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKtwice1
    Content-Length: 0
    """
) + wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    From: sip:quinn@example.org;tag=141331
    Max-Forwards: 8
    Call-ID: twice.2@192.0.2.77
    CSeq: 8 INVITE
    Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKtwice2
    Content-Type: application/sdp
    Content-Length: {length}
    """,
    SDP,
)

SEMICOLON_IN_USER = wire(
    """
    OPTIONS sip:quinn;day=mon%40example.net@strobe.example.org SIP/2.0
    To: sip:quinn@strobe.example.org
    From: sip:caller@example.org;tag=33242
    Max-Forwards: 3
    Call-ID: semicolon.1@192.0.2.77
    CSeq: 8 OPTIONS
    Accept: application/sdp, application/pkcs7-mime,
            multipart/mixed, multipart/signed,
            message/sip, message/sipfrag
    Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKsemi1
    l: 0
    """
)

VARIED_TRANSPORTS = wire(
    """
    OPTIONS sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    From: <sip:caller@example.org>;tag=323
    Max-Forwards: 70
    Call-ID: transports.1@192.0.2.77
    Accept: application/sdp
    CSeq: 60 OPTIONS
    Via: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKvaried1
    Via: SIP/2.0/SCTP 192.0.2.77;branch=z9hG4bKvaried2
    Via: SIP/2.0/TLS 192.0.2.77;branch=z9hG4bKvaried3
    Via: SIP/2.0/PIGEON 192.0.2.77;branch=z9hG4bKvaried4
    Via: SIP/2.0/TCP 192.0.2.77;branch=z9hG4bKvaried5
    l: 0
    """
)

MULTIPART = wire(
    """
    MESSAGE sip:1001@strobe.example.org SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bK-parts-1-;rport
    Max-Forwards: 70
    To: sip:1001@strobe.example.org
    From: sip:caller@example.org;tag=2fb0dcc9
    Call-ID: parts.1@192.0.2.77
    CSeq: 1 MESSAGE
    Content-Transfer-Encoding: binary
    Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
    MIME-Version: 1.0
    Contact: <sip:caller@192.0.2.77:5070>
    Content-Length: {length}
    """,
    b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nThe lamp\r\n"
    b"--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n"
    b"\x00\r\n\r\nINVITE\xff\xfe\x80\r\n--7a9cbec02ceef655--",
)

UNUSUAL_REASON = wire(
    """
    SIP/2.0 200 = 5**2 * 2**3, а не двести один
    Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKreason1
    Call-ID: reason.1@192.0.2.77
    CSeq: 35 INVITE
    From: sip:caller@example.org;tag=11141343
    To: sip:1001@strobe.example.org;tag=2229
    Content-Length: {length}
    Content-Type: application/sdp
    Contact: <sip:1001@host198.example.org>
    """,
    SDP,
)

EMPTY_REASON = wire(
    """
    SIP/2.0 100\x20
    Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bKreason2
    Call-ID: reason.2@192.0.2.77
    CSeq: 35 INVITE
    From: sip:caller@example.org;tag=39294
    To: sip:1001@strobe.example.org;tag=902332
    Contact: <sip:1001@host105.example.org>
    Content-Length: 0
    """
)

VALID = [
    Case("wsinv", "3.1.1.1", SHORT_TORTUOUS_INVITE, "accept", by_message=False),
    Case("intmeth", "3.1.1.2", UNUSUAL_METHOD, 501, by_message=False),
    Case("esc01", "3.1.1.3", PERCENT_ESCAPES, "accept", by_message=False),
    Case("escnull", "3.1.1.4", ESCAPED_NULLS, 405, by_message=False),
    Case("esc02", "3.1.1.5", PERCENT_THAT_IS_NO_ESCAPE, 501, by_message=False),
    Case("lwsdisp", "3.1.1.6", NAME_TOUCHES_BRACKET, 200, by_message=False),
    Case("longreq", "3.1.1.7", LONG_VALUES, "accept", by_message=False),
    Case("dblreq", "3.1.1.8", TRAILING_OCTETS, 405, by_message=False),
    Case("semiuri", "3.1.1.9", SEMICOLON_IN_USER, 200, by_message=False),
    Case("transports", "3.1.1.10", VARIED_TRANSPORTS, 200, by_message=False),
    Case("mpart01", "3.1.1.11", MULTIPART, 415, by_message=False),
    Case("unreason", "3.1.1.12", UNUSUAL_REASON, "accept", by_message=False),
    Case("noreason", "3.1.1.13", EMPTY_REASON, "accept", by_message=False),
]
