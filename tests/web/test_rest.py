"""The device-configuration framework, by an API that has one of everything."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.web.compat.rest import Action, Api, Collection, Entity, Property
from sipstrobe.web.compat.rest_door import RestDoor
from sipstrobe.web.exchange import Principal, Request

ADMIN, OPERATOR, VIEWER = Role.ADMINISTRATOR, Role.OPERATOR, Role.VIEWER


class Garden:
    """Beds of flowers, a gate, and water: everybody looks, gardeners (operators) plant."""

    def __init__(self) -> None:
        self.gate: dict[str, Any] = {"open": False, "colour": "green"}
        self.beds: dict[str, dict[str, Any]] = {"rose": {"name": "rose", "depth": 3}}
        self.watered = 0

    def api(self) -> Api:
        gate = Entity(
            words="The gate.",
            properties={
                "open": Property(words="Wide.", kind=bool, sees=VIEWER, sets=OPERATOR),
                "colour": Property(words="Of its paint.", kind=str),
            },
            actions={"slam": Action(words="Loudly.", call=self._slam)},
            read=lambda: self.gate,
            change=self.gate.update,
        )
        name = Annotated[str, Meta(min_length=1, max_length=8)]
        beds = Collection(
            words="Beds.",
            key="name",
            properties={
                "name": Property(
                    words="Of the flower.",
                    kind=name,
                    given=False,
                    added=True,
                    sees=VIEWER,
                    sets=OPERATOR,
                ),
                "depth": Property(
                    words="cm", kind=Annotated[int, Meta(ge=1, le=9)], sees=VIEWER, sets=OPERATOR
                ),
            },
            items=lambda: self.beds.values(),
            change=lambda key, values: self.beds[key].update(values),
            add=self._plant,
            remove=self._clear,
            required=("name",),
            role=OPERATOR,
        )
        litres = Property(words="Litres.", kind=Annotated[int, Meta(ge=1)])
        water = Action(
            words="Rain.",
            call=self._water,
            fields={"litres": litres},
            required=("litres",),
            role=OPERATOR,
        )
        root = Entity(words="All.", parts={"gate": gate, "beds": beds}, actions={"water": water})
        return Api(id="garden", version="2.1.0", name="Garden", words="Flowers.", root=root)

    def _slam(self, _: Mapping[str, Any]) -> None:
        raise CommandRefused("stuck", "it is stuck")

    def _plant(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        bed = {"depth": 1} | dict(values)
        self.beds[str(bed["name"])] = bed
        return bed

    def _clear(self, key: str) -> None:
        del self.beds[key]

    def _water(self, values: Mapping[str, Any]) -> int:
        self.watered += values["litres"]
        return self.watered


class Door:
    def __init__(self, role: Role = OPERATOR) -> None:
        self.garden = Garden()
        self.role = role
        self._routes = {r.method: r for r in RestDoor([self.garden.api()]).routes()[:4]}

    def ask(self, method: str, path: str, body: bytes = b"", *, role: Role | None = None) -> Any:
        request = Request(
            method=method,
            path=f"/config/rest/{path}",
            target="",
            body=body,
            principal=Principal("someone", role or self.role),
        )
        response = self._routes[method].handler(request)
        answer = json.loads(response.body)  # type: ignore[union-attr]
        if answer["status"] == "success":
            return answer.get("data", "done")
        return answer["error"]["code"]

    def give(self, method: str, path: str, data: Any, *, role: Role | None = None) -> Any:
        return self.ask(method, path, json.dumps({"data": data}).encode(), role=role)


def test_a_tree_is_read_as_far_as_the_role_sees() -> None:
    door = Door()

    assert door.ask("GET", "garden/v2") == {
        "gate": {"open": False},
        "beds": [{"name": "rose", "depth": 3}],
    }
    assert door.ask("GET", "garden/v2/gate/colour") == 2001
    assert door.ask("GET", "garden/v2/gate/colour", role=ADMIN) == "green"
    assert door.ask("GET", "$all") == {"garden.v2": door.ask("GET", "garden/v2")}


def test_entities_and_items_are_changed_by_field_or_together() -> None:
    door = Door()

    assert door.give("PATCH", "garden/v2/gate", {"open": True}) == "done"
    assert door.give("PATCH", "garden/v2/beds/rose/depth", 5) == "done"
    assert door.garden.gate["open"] is True
    assert door.garden.beds["rose"]["depth"] == 5
    assert door.give("PATCH", "garden/v2/gate", {"colour": "red"}) == 2001
    assert door.give("PATCH", "garden/v2/gate/open", False, role=VIEWER) == 2001
    assert door.give("PATCH", "garden/v2/beds/rose", {"name": "lily"}) == 5
    assert door.give("PATCH", "garden/v2", {}) == 1
    assert door.garden.gate["colour"] == "green"


def test_items_come_and_go() -> None:
    door = Door()

    assert door.give("POST", "garden/v2/beds", {"name": "lily"}) == {"name": "lily", "depth": 1}
    assert door.ask("GET", "garden/v2/beds/lily/depth") == 1
    assert door.give("POST", "garden/v2/beds", {"depth": 2}) == 5
    assert door.give("POST", "garden/v2/beds", {"name": "fern"}, role=VIEWER) == 2001
    assert door.ask("DELETE", "garden/v2/beds/lily", role=VIEWER) == 2001
    assert door.ask("DELETE", "garden/v2/beds/lily") == "done"
    assert list(door.garden.beds) == ["rose"]


def test_actions_do_something_and_answer() -> None:
    door = Door()

    assert door.give("POST", "garden/v2/water", {"litres": 4}) == 4
    assert door.give("POST", "garden/v2/water", {"litres": 3}) == 7
    assert door.give("POST", "garden/v2/water", {}) == 5
    assert door.give("POST", "garden/v2/water", {"litres": 3}, role=VIEWER) == 2001
    assert door.ask("GET", "garden/v2/water") == 1
    assert door.give("POST", "garden/v2/gate/slam", {}, role=ADMIN) == 5
    assert door.garden.watered == 7


def test_an_api_that_takes_no_import_says_so() -> None:
    door = Door()

    assert door.give("PATCH", "garden/v2/$import", {"gate": {}}) == 1
    assert door.give("PATCH", "$import", {"garden.v2": {}}) == 1


def test_what_goes_wrong_inside_is_one_number() -> None:
    door = Door()
    door.garden.beds["rose"] = {}  # breaks what reads the beds

    assert door.ask("GET", "garden/v2/beds/rose") == 0


@given(
    path=st.text(max_size=40),
    body=st.binary(max_size=60),
    method=st.sampled_from(["GET", "PATCH", "POST", "DELETE"]),
)
def test_whatever_is_sent_gets_an_answer(path: str, body: bytes, method: str) -> None:
    door = Door(ADMIN)

    for prefix in ("", "garden/v2/", "garden/v2/beds/", "garden/v2/gate/"):
        code = door.ask(method, prefix + path, body)
        assert code != 0


@pytest.mark.parametrize(
    "data", [None, 1, "x", [], [[]], {"": ""}, {"open": {"open": True}}, 1e400]
)
def test_data_of_another_kind_is_refused(data: Any) -> None:
    door = Door()

    assert door.give("PATCH", "garden/v2/gate", data) == 5
