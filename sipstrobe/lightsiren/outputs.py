"""Where the light is shown, and how its four sides lie on real lamps (the light's outputs).

Each kind is a struct with what can be set about it. All of them can be written short as well, as
on the command line: `ddp:wled.local`, `e131:1@10.0.0.9`, `ws2812:/dev/spidev0.0` (`spec`).
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sipstrobe.lightsiren.colors import COLORS

MAX_OUTPUTS: Final = 8
MAX_PIXELS: Final = 2048  # of an output; a WS2812 strip takes 61 ms for so many
MAX_STRETCHES: Final = 64
MAX_LINES: Final = 16  # of a tower light
SLOTS: Final = 512  # of a DMX universe
DARK_STATE, LEAVE_STATE = "dark", "leave"

LightName = Literal["SignalingLED", "AudioLED"]
SideName = Literal["A", "B", "C", "D"]
Order = Literal["RGB", "RBG", "GRB", "GBR", "BRG", "BGR", "RGBW", "GRBW"]

_HOST = r"^[0-9A-Za-z.:_%-]{1,253}$(?!\n)"
_PATH = r"^[^\x00]{1,4095}$(?!\n)"

Light = Annotated[LightName, Meta(title="Light", description="Which light of the device it shows.")]
Host = Annotated[str, Meta(pattern=_HOST, title="Host", description="An address or a name.")]
Port = Annotated[int, Meta(ge=1, le=65535, title="Port", description="Of UDP.")]
FrameRate = Annotated[
    int,
    Meta(
        ge=1,
        le=60,
        title="Frame rate",
        description="Pictures a second at most; the newest is shown, and none without a change.",
    ),
]
SafeState = Annotated[
    str,
    Meta(
        title="Safe state",
        description="What is left when the device ends, or cannot go on: dark, leave (as it is),"
        " or the name of a colour.",
        extra_json_schema={"enum": [DARK_STATE, LEAVE_STATE, *COLORS]},
    ),
]
Channel = Annotated[
    int, Meta(ge=1, le=SLOTS, title="Channel", description="Where the first pixel begins.")
]


class Stretch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of pixels that shows one side."""

    side: Annotated[SideName, Meta(title="Side")]
    first: Annotated[
        int, Meta(ge=0, le=MAX_PIXELS - 1, title="First pixel", description="Counted from 0.")
    ]
    count: Annotated[int, Meta(ge=1, le=MAX_PIXELS, title="Pixels")]
    light: Annotated[
        LightName | None, Meta(title="Light", description="Empty: that of the output.")
    ] = None


class Virtual(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="virtual"
):
    """The live page, and nothing else."""


class Nowhere(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="none"
):
    """No light at all."""


class Log(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="log"
):
    """A file with one JSON line for each picture."""

    path: Annotated[str, Meta(pattern=_PATH, title="File")]


class Pixels(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all lamps of single pixels have in common."""

    light: Light = "SignalingLED"
    pixels: Annotated[int, Meta(ge=1, le=MAX_PIXELS, title="Pixels")] = 60
    stretches: Annotated[
        tuple[Stretch, ...],
        Meta(
            max_length=MAX_STRETCHES,
            title="Stretches",
            description="Which pixels show which side; the others stay dark. A side may have"
            " several, as where it is mirrored. Empty: A, B, C and D share them equally.",
        ),
    ] = ()
    order: Annotated[
        Order, Meta(title="Colour order", description="In which a pixel takes its values.")
    ] = "RGB"
    gamma: Annotated[
        float,
        Meta(
            ge=1.0,
            le=3.0,
            title="Gamma",
            description="How the lightness that is seen becomes power; 1: the lamp does it itself.",
        ),
    ] = 2.2
    brightness: Annotated[
        int, Meta(ge=1, le=100, title="Brightness", description="Of full power, in percent.")
    ] = 100
    current_limit_ma: Annotated[
        int,
        Meta(
            ge=0,
            le=100_000,
            title="Current limit",
            description="In mA, reckoned with 20 mA a colour and 1 mA a pixel; brighter pictures"
            " are dimmed. 0: none.",
        ),
    ] = 0
    frame_rate: FrameRate = 40
    safe_state: SafeState = DARK_STATE


class Ddp(
    Pixels, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="ddp"
):
    """Pixels behind a controller that speaks DDP, such as WLED."""

    host: Host
    port: Port = 4048


class E131(
    Pixels, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="e131"
):
    """DMX512 over the network as ANSI E1.31 has it (sACN)."""

    universe: Annotated[
        int,
        Meta(
            ge=1,
            le=63_999,
            title="Universe",
            description="The first; pixels that it has no room for go into the next.",
        ),
    ] = 1
    channel: Channel = 1
    host: Annotated[
        str,
        Meta(
            pattern=_HOST.replace("{1,", "{0,"),
            title="Host",
            description="Empty: multicast, to whoever listens to the universe.",
        ),
    ] = ""
    port: Port = 5568
    interface: Annotated[
        str,
        Meta(
            pattern=r"^[0-9.]{0,15}$(?!\n)",
            title="Interface",
            description="Our address in the network that multicast goes to; empty: as routed.",
        ),
    ] = ""
    priority: Annotated[
        int,
        Meta(ge=0, le=200, title="Priority", description="The highest of all sources is shown."),
    ] = 100
    source_name: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{1,63}$(?!\n)",
            title="Source name",
            description="As controllers show it; at most 63 bytes in UTF-8.",
        ),
    ] = "sipstrobe"


class ArtNet(
    Pixels, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="artnet"
):
    """DMX512 over the network as Art-Net 4 has it."""

    host: Host
    port: Port = 6454
    net: Annotated[int, Meta(ge=0, le=127, title="Net")] = 0
    subnet: Annotated[int, Meta(ge=0, le=15, title="Sub-net")] = 0
    universe: Annotated[
        int,
        Meta(
            ge=0,
            le=15,
            title="Universe",
            description="The first; pixels that it has no room for go into the next.",
        ),
    ] = 0
    channel: Channel = 1

    @property
    def port_address(self) -> int:
        """The 15 bits that name a universe in all of Art-Net."""
        return self.net << 8 | self.subnet << 4 | self.universe


class Ws2812(
    Pixels, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="ws2812"
):
    """A strip of WS2812 or SK6812 at an SPI port of this machine."""

    order: Annotated[
        Order, Meta(title="Colour order", description="GRB for WS2812, GRBW for SK6812 RGBW.")
    ] = "GRB"
    device: Annotated[str, Meta(pattern=_PATH, title="Port")] = "/dev/spidev0.0"
    spi_bits: Annotated[
        Literal[3, 4],
        Meta(
            title="SPI bits",
            description="For one bit of the strip: 4 (at 3.0 MHz) keep its timing best, 3 (at"
            " 2.4 MHz) let a third more pixels into one transfer.",
        ),
    ] = 4


class TowerLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One lamp of a tower light."""

    line: Annotated[int, Meta(ge=0, le=1023, title="Line", description="Of the GPIO chip.")]
    side: Annotated[
        SideName | None, Meta(title="Side", description="Whose light it follows; empty: of any.")
    ] = None
    colors: Annotated[
        tuple[Annotated[str, Meta(extra_json_schema={"enum": list(COLORS)})], ...],
        Meta(max_length=len(COLORS), title="Colours", description="That light it; empty: any."),
    ] = ()


class Tower(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="gpio"
):
    """Lamps that are switched on and off by GPIO lines of this machine."""

    light: Light = "SignalingLED"
    chip: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z_.-]{1,64}$(?!\n)",
            title="GPIO chip",
            description="As gpiodetect names it.",
        ),
    ] = "gpiochip0"
    lines: Annotated[tuple[TowerLine, ...], Meta(min_length=1, max_length=MAX_LINES, title="Lines")]
    active_low: Annotated[
        bool, Meta(title="Active low", description="The lamps are on while their line is low.")
    ] = False
    threshold: Annotated[
        float,
        Meta(
            ge=0.01,
            le=1.0,
            title="Threshold",
            description="The lightness from which on a lamp is on.",
        ),
    ] = 0.1
    frame_rate: FrameRate = 20
    safe_state: SafeState = DARK_STATE


Strip = Ddp | E131 | ArtNet | Ws2812
"""Lamps of single pixels."""
Output = Virtual | Nowhere | Log | Strip | Tower
