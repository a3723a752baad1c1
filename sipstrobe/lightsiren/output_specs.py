"""Light outputs as short texts, and what is wrong with several of them together.

    virtual   none   log:PATH   ddp:HOST[:PORT]   e131:UNIVERSE[@HOST]   artnet:HOST[/UNIVERSE]
    ws2812:DEVICE   gpio:CHIP/LINE[,LINE…]

An Art-Net universe is its 15-bit Port-Address. One GPIO line is a lamp that any side lights; of
several, each is a side, from A on. An IPv6 address with a port stands in brackets.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from typing import Any, Final

import msgspec

from sipstrobe.errors import Problem
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.frame import SIDES
from sipstrobe.lightsiren.outputs import (
    DARK_STATE,
    E131,
    LEAVE_STATE,
    SLOTS,
    ArtNet,
    Ddp,
    Log,
    Nowhere,
    Output,
    Pixels,
    Tower,
    Virtual,
    Ws2812,
)

SHORT: Final = (
    "virtual, none, log:PATH, ddp:HOST[:PORT], e131:UNIVERSE[@HOST], artnet:HOST[/UNIVERSE],"
    " ws2812:DEVICE or gpio:CHIP/LINE[,LINE…]"
)
_KIND: Final[dict[type[Output], str]] = {
    Virtual: "virtual",
    Nowhere: "none",
    Log: "log",
    Ddp: "ddp",
    E131: "e131",
    ArtNet: "artnet",
    Ws2812: "ws2812",
    Tower: "gpio",
}
_DDP = re.compile(
    r"(?P<bracketed>\[[^\]]+\]|[^\[\]:]+)(?::(?P<port>\d{1,5}))?|(?P<bare>[^\[\]]*:[^\[\]]*:[^\[\]]*)"
)
_PORT_DDP, _PORT_ARTNET = 4048, 6454


def output_of(spec: str) -> Output:
    """The output that a short text means. Raises ValueError, with words for people."""
    kind, colon, rest = spec.partition(":")
    fields = _fields(kind, rest)
    if fields is None or bool(colon) is not bool(rest):
        raise ValueError(f"{spec!r} is no light: {SHORT}")
    try:
        return msgspec.convert({"kind": kind} | fields, Output)
    except msgspec.ValidationError:
        raise ValueError(f"{spec!r} is no light: {SHORT}") from None


def _fields(kind: str, rest: str) -> dict[str, Any] | None:
    """What the text after the colon says; None where it says nothing that is known."""
    match kind:
        case "virtual" | "none":
            return None if rest else {}
        case "log":
            return {"path": rest} if rest else None
        case "ddp":
            return _host_and_port(rest)
        case "e131":
            universe, at, host = rest.partition("@")
            return (
                {"universe": int(universe), "host": host} if _number(universe, at, host) else None
            )
        case "artnet":
            host, slash, address = rest.partition("/")
            return (
                {"host": host, **_port_address(int(address or 0))}
                if (_number(address or "0", slash, address))
                else None
            )
        case "ws2812":
            return {"device": rest} if rest else None
        case "gpio":
            return _tower(rest)
        case _:
            return None


def _number(text: str, separator: str, after: str) -> bool:
    """Whether it is a number, with something behind the separator if there is one."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and bool(separator) is bool(after)


def _host_and_port(text: str) -> dict[str, Any] | None:
    found = _DDP.fullmatch(text)
    if found is None:
        return None
    if found["bare"]:
        return {"host": found["bare"]}
    host = {"host": found["bracketed"].strip("[]")}
    return host | ({"port": int(found["port"])} if found["port"] else {})


def _port_address(number: int) -> dict[str, Any]:
    return {"net": number >> 8, "subnet": number >> 4 & 15, "universe": number & 15}


def _tower(rest: str) -> dict[str, Any] | None:
    chip, _, listed = rest.rpartition("/")
    lines = listed.split(",")
    if not chip or len(lines) > len(SIDES) or not all(_number(line, "", "") for line in lines):
        return None
    sides = SIDES if len(lines) > 1 else (None,)
    return {
        "chip": chip,
        "lines": [{"line": int(n), "side": s} for n, s in zip(lines, sides, strict=False)],
    }


def name_of(output: Output) -> str:
    """What it is called: the short text of where it is; no two outputs have the same."""
    kind = _KIND[type(output)]
    match output:
        case Virtual() | Nowhere():
            return kind
        case Log(path=path):
            return f"{kind}:{path}"
        case Ddp(host=host, port=port):
            return f"{kind}:{_at(host, port, _PORT_DDP)}"
        case E131(universe=universe, host=host):
            return f"{kind}:{universe}" + (f"@{host}" if host else "")
        case ArtNet(host=host, port=port):
            return f"{kind}:{_at(host, port, _PORT_ARTNET)}/{output.port_address}"
        case Ws2812(device=device):
            return f"{kind}:{device}"
        case Tower(chip=chip, lines=lines):
            return f"{kind}:{chip}/" + ",".join(str(line.line) for line in lines)


def _at(host: str, port: int, usual: int) -> str:
    if port == usual:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def output_problems(outputs: Iterable[str | Output], path: str = "/outputs") -> Iterator[Problem]:
    """What single fields cannot say; paths are relative to the section of the lights."""
    taken: dict[str, Output] = {}
    for i, given in enumerate(outputs):
        at = f"{path}/{i}"
        try:
            output = output_of(given) if isinstance(given, str) else given
        except ValueError as error:
            yield Problem(at, str(error))
            continue
        own = list(_own_problems(output, at))
        yield from own
        if own:
            continue
        for place in _places(output):
            if taken.setdefault(place, output) != output:
                yield Problem(at, f"{place} is another output's already")
                break


def _places(output: Output) -> Iterator[str]:
    """What only one output can have, each as the short text of it alone."""
    replace = msgspec.structs.replace
    match output:
        case E131():
            for i in range(1 + _further(output)):
                yield name_of(replace(output, universe=output.universe + i))
        case ArtNet():
            for i in range(1 + _further(output)):
                address = _port_address(output.port_address + i)
                yield name_of(replace(output, **address))
        case Tower(lines=lines):
            for line in lines:
                yield name_of(replace(output, lines=(line,)))
        case _:
            yield name_of(output)


def _own_problems(output: Output, at: str) -> Iterator[Problem]:
    if isinstance(output, (Pixels, Tower)):
        states = (DARK_STATE, LEAVE_STATE, *COLORS)
        if output.safe_state not in states:
            yield Problem(f"{at}/safe_state", "must be one of " + ", ".join(states))
    if isinstance(output, Pixels):
        yield from _stretch_problems(output, at)
    match output:
        case E131(source_name=name) if len(name.encode()) > 63:
            yield Problem(f"{at}/source_name", "must be at most 63 bytes in UTF-8")
        case E131(interface=interface) if interface and not _is_ipv4(interface):
            yield Problem(f"{at}/interface", "must be an IPv4 address of this machine")
        case E131() | ArtNet():
            yield from _universe_problems(output, at)
        case Tower(lines=lines):
            numbers = [line.line for line in lines]
            for i, line in enumerate(lines):
                if line.line in numbers[:i]:
                    yield Problem(f"{at}/lines/{i}/line", f"line {line.line} is named twice")
                if not set(line.colors) <= COLORS.keys():
                    yield Problem(f"{at}/lines/{i}/colors", "must be of " + ", ".join(COLORS))
        case _:
            pass


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _universe_problems(output: E131 | ArtNet, at: str) -> Iterator[Problem]:
    if output.channel + len(output.order) - 1 > SLOTS:
        yield Problem(f"{at}/channel", f"leaves no room for a pixel before channel {SLOTS}")
        return
    number, highest = (
        (output.port_address, 32_767) if isinstance(output, ArtNet) else (output.universe, 63_999)
    )
    if number + _further(output) > highest:
        yield Problem(f"{at}/universe", f"there is no room for so many pixels up to {highest}")


def _further(output: E131 | ArtNet) -> int:
    """How many universes it needs besides the first."""
    width = len(output.order)
    rest = output.pixels - (SLOTS + 1 - output.channel) // width
    return max(0, -(-rest // (SLOTS // width)))


def _stretch_problems(output: Pixels, at: str) -> Iterator[Problem]:
    taken: list[tuple[int, int]] = []
    for i, stretch in enumerate(output.stretches):
        end = stretch.first + stretch.count
        if end > output.pixels:
            words = f"ends at pixel {end - 1}, but there are pixels 0 to {output.pixels - 1}"
            yield Problem(f"{at}/stretches/{i}/count", words)
        if any(first < end and stretch.first < other for first, other in taken):
            yield Problem(f"{at}/stretches/{i}/first", "these pixels show another side already")
        taken.append((stretch.first, end))
