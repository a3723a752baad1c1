"""Light outputs as short texts and as structs, and what is said of those that cannot be."""

import msgspec
import pytest

from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError
from sipstrobe.lightsiren.output_specs import name_of, output_of, output_problems
from sipstrobe.lightsiren.outputs import (
    E131,
    ArtNet,
    Ddp,
    Log,
    Output,
    Stretch,
    Tower,
    TowerLine,
    Ws2812,
)


@pytest.mark.parametrize(
    ("spec", "output"),
    [
        ("log:/a:b", Log(path="/a:b")),
        ("ddp:wled.local", Ddp(host="wled.local")),
        ("ddp:192.0.2.1:99", Ddp(host="192.0.2.1", port=99)),
        ("ddp:2001:db8::1", Ddp(host="2001:db8::1")),
        ("ddp:[2001:db8::1]:99", Ddp(host="2001:db8::1", port=99)),
        ("e131:7", E131(universe=7)),
        ("e131:7@192.0.2.1", E131(universe=7, host="192.0.2.1")),
        ("artnet:192.0.2.1/289", ArtNet(host="192.0.2.1", net=1, subnet=2, universe=1)),
        ("ws2812:/dev/spidev0.0", Ws2812()),
        ("gpio:gpiochip0/17", Tower(lines=(TowerLine(line=17),))),
        (
            "gpio:gpiochip0/17,4",
            Tower(lines=(TowerLine(line=17, side="A"), TowerLine(line=4, side="B"))),
        ),
    ],
)
def test_a_short_text_is_an_output_and_its_name(spec: str, output: Output) -> None:
    assert output_of(spec) == output
    assert name_of(output) == spec


@pytest.mark.parametrize(
    "spec",
    [
        *("", "laser", "log:", "virtual:2", "virtual:", "LOG:x", "ddp:", "ddp:h:0", "ddp:a b"),
        *("ddp:h:700000", "ddp:h:", "ddp:h:x"),
        *("e131:", "e131:x", "e131:0", "e131:1@", "artnet:/1", "artnet:h/99999", "artnet:h/"),
        *("ws2812:", "gpio:gpiochip0", "gpio:a/b/1", "gpio:a/1,2,3,4,5", "gpio:gpiochip0/1,"),
    ],
)
def test_what_means_nothing_is_refused_with_what_there_is(spec: str) -> None:
    with pytest.raises(ValueError, match=r"is no light: virtual, none, log:PATH"):
        output_of(spec)


@pytest.mark.parametrize(
    ("output", "path", "words"),
    [
        (Ddp(host="h", safe_state="beige"), "/outputs/0/safe_state", "dark, leave, red"),
        (
            Ddp(host="h", pixels=10, stretches=(Stretch(side="A", first=5, count=6),)),
            "/outputs/0/stretches/0/count",
            "ends at pixel 10, but there are pixels 0 to 9",
        ),
        (
            Ddp(
                host="h",
                stretches=(
                    Stretch(side="A", first=5, count=6),
                    Stretch(side="B", first=10, count=1),
                ),
            ),
            "/outputs/0/stretches/1/first",
            "another side already",
        ),
        (E131(channel=511), "/outputs/0/channel", "before channel 512"),
        (E131(universe=63_999, pixels=171), "/outputs/0/universe", "up to 63999"),
        (
            ArtNet(host="h", net=127, subnet=15, universe=15, channel=2, pixels=171),
            "/outputs/0/universe",
            "up to 32767",
        ),
        (E131(interface="999.1.1.1"), "/outputs/0/interface", "an IPv4 address"),
        (E131(source_name="ä" * 32), "/outputs/0/source_name", "63 bytes"),
        (
            Tower(lines=(TowerLine(line=1), TowerLine(line=1))),
            "/outputs/0/lines/1/line",
            "named twice",
        ),
        (
            Tower(lines=(TowerLine(line=1, colors=("beige",)),)),
            "/outputs/0/lines/0/colors",
            "must be of red",
        ),
    ],
)
def test_what_cannot_be_is_named_by_its_place(output: Output, path: str, words: str) -> None:
    [problem] = output_problems([output])

    assert problem.path == path
    assert words in problem.message


def test_what_just_fits_is_no_problem() -> None:
    assert not list(
        output_problems(
            [
                E131(universe=63_999, pixels=170),
                ArtNet(host="h", net=127, subnet=15, universe=15, channel=3, pixels=170),
                Ddp(host="h", pixels=2, stretches=(Stretch(side="B", first=1, count=1),)),
                "virtual",
                "virtual",
            ]
        )
    )


@pytest.mark.parametrize(
    ("outputs", "place"),
    [
        (("e131:1", E131(universe=1, pixels=10)), "e131:1"),
        ((E131(universe=1, pixels=171), "e131:2"), "e131:2"),
        ((ArtNet(host="h", pixels=171, universe=15), "artnet:h/16"), "artnet:h/16"),
        (("gpio:gpiochip0/1,2", "gpio:gpiochip0/3,2"), "gpio:gpiochip0/2"),
        (("ddp:h", Ddp(host="h", gamma=1.0)), "ddp:h"),
    ],
)
def test_two_outputs_at_one_place_would_fight(
    outputs: tuple[str | Output, ...], place: str
) -> None:
    [problem] = output_problems(outputs)

    assert (problem.path, problem.message) == ("/outputs/1", f"{place} is another output's already")
    assert not list(output_problems((outputs[0], outputs[0])))


def test_neighbours_do_not_fight() -> None:
    several = ("e131:1", "e131:1@h", "e131:2", "artnet:h/0", "artnet:h/1", "artnet:g/0", "gpio:c/1")
    assert not list(output_problems((*several, "gpio:d/1")))


def test_settings_hold_short_texts_as_before_and_structs_beside_them() -> None:
    """Those of older versions have nothing but texts."""
    store = Store.memory()
    store.change_now({"lights": {"outputs": ["virtual", "log:/tmp/light"]}})

    store.change_now({"lights": {"outputs": ["virtual", {"kind": "ddp", "host": "192.0.2.1"}]}})

    assert store.current.lights.outputs == ("virtual", Ddp(host="192.0.2.1"))
    assert store.get("/lights/outputs/1/gamma") == 2.2
    store.change_now({"lights": {"outputs": [{"kind": "log", "path": "/a"}, "none"]}})
    assert store.current.lights.outputs == (Log(path="/a"), "none")


@pytest.mark.parametrize(
    ("outputs", "path"),
    [
        (["laser"], "/lights/outputs/0"),
        ([5], "/lights/outputs/0"),
        ([{"kind": "laser"}], "/lights/outputs/0"),
        ([{"kind": "ddp"}], "/lights/outputs/0/host"),
        ([{"kind": "ddp", "host": "h", "gamma": 9}], "/lights/outputs/0/gamma"),
        ([{"kind": "ddp", "host": "h", "volts": 9}], "/lights/outputs/0/volts"),
        (["virtual"] * 9, "/lights/outputs"),
    ],
)
def test_settings_say_which_part_of_an_output_is_wrong(outputs: list[object], path: str) -> None:
    store = Store.memory()

    with pytest.raises(ConfigError) as refused:
        store.change_now({"lights": {"outputs": outputs}})

    assert [problem.path for problem in refused.value.problems] == [path]


def test_every_kind_survives_the_way_to_the_disk_and_back() -> None:
    specs = ["virtual", "none", "log:/a", "ddp:h", "e131:1", "artnet:h/0", "ws2812:/d"]
    outputs = [output_of(spec) for spec in (*specs, "gpio:gpiochip0/1")]

    assert msgspec.json.decode(msgspec.json.encode(outputs), type=list[Output]) == outputs
