"""Why a call is not heard: from what is known of its media to a word, the cause, and a remedy."""

import ipaddress
from enum import StrEnum
from typing import Final

from msgspec import Struct

GRACE: Final = 2.0  # seconds that the first packet may take
DEAF_REPORTS: Final = 2  # reports of the other side, one after another, that know nothing of ours
DEAF_SECONDS: Final = 2.0  # over which they must be spread
SILENCE: Final = 4.0  # seconds of nothing but digital silence that are worth a word
SILENCE_DB: Final = -70.0  # at and below it, a microphone would have to be switched off
POOR_MOS: Final = 3.0  # G.107 annex B: below it, many are dissatisfied
POOR_REMOTE_LOSS: Final = 0.15  # of what we send
COMFORT_NOISE: Final = 13  # payload type; RFC 3389: said in pauses, with any codec
_PRIVATE: Final = tuple(  # RFC 1918, 6598, 3927, 4193, 4291
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
)


_BAD_NETWORK: Final = "The network is not fit for sound: look for a slow or busy link, often Wi-Fi."


class Verdict(StrEnum):
    """Whether a call is heard, or what keeps it from that."""

    OK = "ok"
    NOT_YET = "not_yet"  # too early to say
    ON_HOLD = "on_hold"
    NO_RTP_IN = "no_rtp_in"
    NONE_OUT = "none_out"
    ONE_WAY = "one_way"  # we hear the other side, and it does not hear us
    PRIVATE_ADDRESS = "private_address"
    CODEC_MISMATCH = "codec_mismatch"
    BLOCKED_PORT = "blocked_port"
    ENCRYPTION_MISMATCH = "encryption_mismatch"
    SILENT = "silent"
    POOR = "poor"


FINE: Final = frozenset({Verdict.OK, Verdict.NOT_YET, Verdict.ON_HOLD})


class Opinion(Struct, frozen=True, kw_only=True):
    """A verdict for a person: what is so, and what may help; both empty when there is no need."""

    verdict: Verdict
    words: str
    advice: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of the media of one call. Counts are of the last few seconds."""

    seconds: float = 0.0  # since media may flow
    sends: bool = True  # as has been agreed
    receives: bool = True
    on_hold: bool = False  # the other side does not want to hear us
    codec: str = ""
    trouble: str = ""  # why there are no keys though it is to be encrypted, for a person
    local_host: str = ""  # of ours, as our SDP names it
    peer_host: str = ""  # where its signalling comes from
    media_host: str = ""  # where it wants its media, by its SDP
    media_port: int = 0
    checks: bool = False  # the way of the media is found by ICE, whatever SDP says
    way_found: bool = True
    way_trouble: str = ""  # what keeps it from being found, for a person

    received: int = 0  # packets of the stream
    quiet: float | None = None  # seconds since the last one; None: there was none
    strangers: int = 0  # packets from elsewhere
    stranger: str = ""  # the last of them: address and port
    foreign: int = 0  # packets of a payload type that was not agreed on
    foreign_type: int = 0  # the last of them
    undecipherable: int = 0  # packets that did not stand the test of their encryption
    silence: float = 0.0  # seconds for which there was nothing in the packets but zeros

    sent: int = 0
    undelivered: int = 0  # packets that could not even be sent
    unreachable: int = 0  # times that the network said that ours did not arrive
    unreachable_before: int = (
        0  # the same up to the look before: who hangs up closes his socket first
    )
    deaf_reports: int = 0  # reports of the other side in a row that know nothing of our packets
    deaf_seconds: float = 0.0  # over which they are spread
    remote_loss: float = 0.0  # share of ours that it misses

    loss: float = 0.0  # share of packets that never came
    discard: float = 0.0  # share of those that came too late
    mos: float | None = None  # listening: what is wrong with the sound, and not with the delay


def judge(facts: Facts) -> Opinion:
    """The first thing that is wrong, the ear before the mouth; OK if nothing is."""
    if facts.seconds <= 0.0:
        return Opinion(verdict=Verdict.NOT_YET, words="No media is agreed on yet.")
    if facts.on_hold and not facts.received:
        return Opinion(verdict=Verdict.ON_HOLD, words="The other side holds the call.")
    if facts.receives and not facts.received:
        if facts.seconds < GRACE:
            return Opinion(verdict=Verdict.NOT_YET, words="The first packet is awaited.")
        return _unheard(facts)
    if facts.receives and facts.undecipherable > facts.received:
        return _undeciphered(facts)
    return _unspoken(facts) or _understood(facts)


def _unheard(facts: Facts) -> Opinion:
    """Nothing that we could play has come."""
    if facts.undecipherable or facts.trouble:
        return _undeciphered(facts)
    if facts.foreign and facts.foreign_type != COMFORT_NOISE:
        return Opinion(
            verdict=Verdict.CODEC_MISMATCH,
            words=f"The other side sends payload type {facts.foreign_type}, and agreed on"
            f" {facts.codec}.",
            advice=f"Allow only {facts.codec} for this device on the other side or its PBX.",
        )
    if not facts.way_found:
        return Opinion(
            verdict=Verdict.NO_RTP_IN,
            words=facts.way_trouble or "No way to the other side has been found yet.",
            advice="Add a TURN server, which helps where nothing else does.",
        )
    if not facts.checks and (private := _private(facts)) is not None:
        return private
    if facts.unreachable:
        return _blocked(facts)
    if facts.strangers:
        return Opinion(
            verdict=Verdict.NO_RTP_IN,
            words=f"Sound comes only from {facts.stranger}, which is not part of this call.",
            advice="Let the PBX name the address that it sends from, or switch on ICE.",
        )
    if facts.sends and not facts.sent:
        return _unsent(facts, "Nothing is received, and nothing can be sent")
    since = "has come" if facts.quiet is None else f"has come for {facts.quiet:.0f} s"
    return Opinion(
        verdict=Verdict.NO_RTP_IN,
        words=f"No sound {since} from {facts.media_host or facts.peer_host}.",
        advice="See whether the other side is muted, and whether a firewall lets UDP to our media"
        " ports through.",
    )


def _unspoken(facts: Facts) -> Opinion | None:
    """What keeps the other side from hearing us."""
    if not facts.sends or facts.on_hold or facts.seconds < GRACE:
        return None
    if not facts.sent or facts.undelivered >= facts.sent:
        return _unsent(facts, "Nothing can be sent")
    if facts.unreachable_before:
        return _blocked(facts)
    if facts.deaf_reports >= DEAF_REPORTS and facts.deaf_seconds >= DEAF_SECONDS:
        return Opinion(
            verdict=Verdict.ONE_WAY,
            words="We hear the other side, and by its reports it receives nothing from us.",
            advice="A firewall or NAT on the way keeps our media out; try ICE or TURN.",
        )
    return None


def _understood(facts: Facts) -> Opinion:
    """Packets come and go: can anything be understood?"""
    if facts.receives and facts.silence >= SILENCE:
        return Opinion(
            verdict=Verdict.SILENT,
            words=f"The other side has sent nothing but silence for {facts.silence:.0f} s.",
            advice="See whether its microphone is muted or not connected.",
        )
    if facts.receives and facts.mos is not None and facts.mos < POOR_MOS:
        return Opinion(
            verdict=Verdict.POOR,
            words=f"{100 * facts.loss:.0f} % of the sound is lost on the way, and"
            f" {100 * facts.discard:.0f} % comes too late.",
            advice=_BAD_NETWORK,
        )
    if facts.remote_loss >= POOR_REMOTE_LOSS:
        return Opinion(
            verdict=Verdict.POOR,
            words=f"By its reports, the other side misses {100 * facts.remote_loss:.0f} % of what"
            " we send.",
            advice=_BAD_NETWORK,
        )
    return Opinion(verdict=Verdict.OK, words="")


def _undeciphered(facts: Facts) -> Opinion:
    return Opinion(
        verdict=Verdict.ENCRYPTION_MISMATCH,
        words=facts.trouble or "What comes is not encrypted with the keys that were agreed on.",
        advice="Use the same media encryption on both sides, and a proxy that does not change SDP.",
    )


def _private(facts: Facts) -> Opinion | None:
    """One side has named an address that means nothing to the other."""
    if facts.media_host != facts.peer_host and _is_private(facts.media_host):
        return Opinion(
            verdict=Verdict.PRIVATE_ADDRESS,
            words=f"The other side wants its sound at {facts.media_host}, a private address, and"
            f" calls from {facts.peer_host}.",
            advice="It is behind a NAT that changes only the signalling: switch on STUN or ICE"
            " there, or media relaying at its PBX.",
        )
    if _is_private(facts.local_host) and _is_public(facts.peer_host):
        return Opinion(
            verdict=Verdict.PRIVATE_ADDRESS,
            words=f"We have named {facts.local_host}, a private address, to {facts.peer_host}.",
            advice="We are behind a NAT: switch on STUN or ICE in the settings of this device.",
        )
    return None


def _blocked(facts: Facts) -> Opinion:
    return Opinion(
        verdict=Verdict.BLOCKED_PORT,
        words=f"The network says that nothing takes our sound at {facts.media_host} port"
        f" {facts.media_port}.",
        advice="The other side listens elsewhere, or a firewall in front of it refuses the port.",
    )


def _unsent(facts: Facts, words: str) -> Opinion:
    to = facts.media_host or "nowhere"
    return Opinion(
        verdict=Verdict.NONE_OUT,
        words=f"{words}: the other side wants its sound at {to}.",
        advice="There is no way from here to that address: see to the network of this device.",
    )


def _is_private(host: str) -> bool:
    """Of no meaning outside of one network, or of one machine."""
    address = _address(host)
    return address is not None and (
        address.is_loopback or any(address in network for network in _PRIVATE)
    )


def _is_public(host: str) -> bool:
    return _address(host) is not None and not _is_private(host)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
