"""What can be set about the ports: their direction, their normal state, and what drives them."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sipstrobe.commands import MAX_STEP_MS
from sipstrobe.errors import Problem

GPIO: Final = "gpio:"  # how the driver of a line of this machine begins

_Text = Annotated[str, Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Circuit = Literal["open", "closed"]


class Port(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One port; it is active while its circuit is not in its normal state (IOP-01)."""

    name: Annotated[_Text, Meta(title="Name")] = ""
    usage: Annotated[_Text, Meta(title="Usage", description="What it is for.")] = ""
    direction: Annotated[
        Literal["input", "output"],
        Meta(title="Direction", description="Input: it is watched. Output: it is switched."),
    ] = "input"
    normal_state: Annotated[
        Circuit,
        Meta(
            title="Normal state",
            description="Of its circuit; the port is active while it is not so. A port with"
            " nothing connected is open.",
        ),
    ] = "open"
    supervised: Annotated[
        bool,
        Meta(
            title="Supervised",
            description="An input whose line is told to be shorted or cut, besides open and"
            " closed. By the driver none only, where somebody else tells.",
        ),
    ] = False
    driver: Annotated[
        str,
        Meta(
            pattern=r"^(none|gpio:[0-9A-Za-z_.-]{1,64}/[0-9]{1,4})$(?!\n)",
            title="Driver",
            description="none: a port without a connector, whose input is told by others."
            " gpio:CHIP/LINE: a line of this machine, like gpio:gpiochip0/17, closed when low.",
        ),
    ] = "none"
    mode: Annotated[
        Literal["bistable", "monostable"],
        Meta(
            title="Mode",
            description="Of an output. Bistable: active until switched off. Monostable: active for"
            " its pulse time.",
        ),
    ] = "bistable"
    pulse_ms: Annotated[
        int,
        Meta(ge=0, le=MAX_STEP_MS, title="Pulse time", description="Of a monostable output."),
    ] = 0


InputNumber = Annotated[str, Meta(pattern=r"^([1-9]|[1-5][0-9]|6[0-4])$(?!\n)")]


class PortsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The two ports, and what the virtual inputs are called."""

    port_1: Annotated[Port, Meta(title="Port 1")] = Port(name="Port 1")
    port_2: Annotated[Port, Meta(title="Port 2")] = Port(name="Port 2")
    virtual_inputs: Annotated[
        dict[InputNumber, _Text],
        Meta(
            title="Names of virtual inputs",
            description="By their numbers, 1 to 64; those without a name are there too.",
        ),
    ] = {}

    @property
    def both(self) -> dict[int, Port]:
        """By their numbers."""
        return {1: self.port_1, 2: self.port_2}


def problems(settings: PortsSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(settings))


def _problems(settings: PortsSettings) -> Iterator[Problem]:
    for number, port in settings.both.items():
        path = f"/port_{number}"
        if port.mode == "monostable" and not port.pulse_ms:
            yield Problem(path + "/pulse_ms", "a monostable output needs a pulse time")
        if port.supervised and port.direction == "output":
            yield Problem(path + "/supervised", "only an input is supervised")
        if port.supervised and port.driver.startswith(GPIO):
            words = "a GPIO line cannot tell a cut line from an open circuit"
            yield Problem(path + "/supervised", words)
    first, second = settings.port_1.driver, settings.port_2.driver
    if first == second and first.startswith(GPIO):
        yield Problem("/port_2/driver", f"{first} is port 1 already")
