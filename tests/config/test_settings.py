"""The tree: what a new device has, what each field allows, and how problems are told."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from msgspec import Meta, Struct

from sipstrobe.config.check import PROBLEMS_MAX
from sipstrobe.config.demo import EXTENSIONS, PROFILES, demo
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.errors import ConfigError
from sipstrobe.rules.actions import Action


def said(patch: object) -> list[str]:
    """The problems of a change to a new device's settings."""
    with pytest.raises(ConfigError) as caught:
        Store.memory().prepare(patch)
    return [str(problem) for problem in caught.value.problems]


def test_a_new_device_is_quiet() -> None:
    """SIP-01, SIP-02 and MNT-01: SIP off, maintenance on, no profile, no account, all rules off."""
    new = Store.memory().current

    assert (new.sip.enabled, new.sip.allow_incoming) == (False, False)
    assert new.maintenance.active
    assert (new.profiles, new.web.users) == ((), ())
    assert [rule.name for rule in new.rules if rule.enabled] == []
    assert new.manual_triggers == ("Manual trigger 1",)


def fields(kind: type[Struct], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of the tree that is reached without going through a list."""
    for field in msgspec.structs.fields(kind):
        here = f"{path}/{field.name}"
        yield here, field.type
        bare = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
        if isinstance(bare, type) and issubclass(bare, Struct):
            yield from fields(bare, here)


FIELDS = dict(fields(Settings))


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_has_a_title(path: str) -> None:
    """The form on the page and the reference in the docs come from the declaration."""
    metas = [m for m in get_args(FIELDS[path]) if isinstance(m, Meta)]
    assert any(meta.title for meta in metas)


NUMBERS = {
    path: meta
    for path, kind in FIELDS.items()
    for meta in get_args(kind)
    if isinstance(meta, Meta) and meta.ge is not None and meta.le is not None
}


@pytest.mark.parametrize("path", NUMBERS)
def test_every_number_keeps_its_range(path: str) -> None:
    low, high = NUMBERS[path].ge, NUMBERS[path].le
    assert low is not None
    assert high is not None
    for wrong in (low - 1, high + 1):
        with pytest.raises(ConfigError) as caught:
            Store.memory().prepare_put(path, wrong)
        [problem] = caught.value.problems
        assert problem.path == path
        assert f"from {low} to {high}" in problem.message


@pytest.mark.parametrize("path", FIELDS)
def test_no_field_takes_a_value_of_another_kind(path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store.memory().prepare_put(path, {"no": ["such", "thing"]})
    assert all(p.path.startswith(path) for p in caught.value.problems)


def test_all_problems_are_told_at_once() -> None:
    """One a section at least; here each field and each entry."""
    actions = [str(action.__struct_config__.tag) for action in Action.__args__]
    assert said(
        {
            "sip": {"port": 80, "prot": 1, "accounts": [{"name": ""}, {"transport": "pigeon"}]},
            "web": {"port": "high"},
            "maintenance": {"active": 1},
            "rules": [{"name": "R", "action": {"do": "run_profile"}}, {"action": {"do": "sing"}}],
            "profiles": [{"name": "P", "light": {"pattern": "Blinkk"}}],
            "manual_triggers": ["", 3],
        }
    ) == [
        "/sip/prot: there is no such setting",
        "/sip/port: must be a whole number from 1024 to 65535",
        "/sip/accounts/0/name: must be a text of 1 to 64 characters",
        "/sip/accounts/1/transport: must be one of tcp, tls, udp, ws, wss",
        "/maintenance/active: must be true or false",
        "/rules/0/action/profile: is missing",
        "/rules/1/name: is missing",
        "/rules/1/action: must be one of " + ", ".join(actions),
        "/manual_triggers/0: must be a text of 1 to 64 characters",
        "/manual_triggers/1: must be a text of 1 to 64 characters",
        "/web/port: must be a whole number from 1 to 65535",
        "/profiles/0/light/pattern: there is no light pattern 'Blinkk'",
    ]


def test_a_rule_cannot_wait_for_digits_that_nobody_has_configured() -> None:
    rule = {
        "name": "R",
        "when": {"event": "call/dtmf", "match": {"name": "Silence"}},
        "action": {"do": "stop_clip"},
    }
    assert said({"rules": [rule]}) == [
        "/rules/0/when/match/name: no sequence of digits causes the event Silence"
    ]
    digits = {"sequences": [{"sequence": "1", "name": "Silence"}]}
    Store.memory().prepare({"rules": [rule], "dtmf": digits})


def test_a_rule_cannot_show_a_colour_that_the_light_does_not_have() -> None:
    rule = {
        "name": "R",
        "conditions": [{"event": "call/state", "match": {"state": "active"}}],
        "action": {"do": "show_color", "color": "gren"},
    }
    [problem] = said({"rules": [rule]})
    assert problem.startswith("/rules/0/action/color: must be one of red, green, blue,")


def test_too_many_entries_are_told_as_such() -> None:
    assert said({"profiles": [{"name": f"P{i}"} for i in range(31)]}) == [
        "/profiles: must be a list of at most 30 entries"
    ]
    assert said({"manual_triggers": "one"}) == [
        "/manual_triggers: must be a list of at most 16 entries"
    ]


def test_of_thousands_of_problems_some_are_told() -> None:
    """To look for all of them would hold up everything for minutes."""
    found = said({"audio": {f"nothing{n}": n for n in range(PROBLEMS_MAX + 1)}})
    assert len(found) == PROBLEMS_MAX
    empty: dict[str, object] = {}
    assert said({"rules": [empty] * 1000}) == ["/rules: must be a list of at most 256 entries"]


def test_what_is_no_object_is_refused_as_a_whole() -> None:
    assert said(5) == ["/: must be an object"]
    assert said({"sip": None, "web": 5}) == ["/web: must be an object"]


def test_a_rule_cannot_name_what_is_not_there() -> None:
    rule = {
        "name": "R",
        "conditions": [{"event": "input/manual_trigger", "match": {"trigger": "2"}}],
        "action": {"do": "run_profile", "profile": "No such"},
    }
    assert said({"rules": [rule]}) == [
        "/rules/0/action/profile: there is no profile 'No such'",
        "/rules/0/conditions/0/match/trigger: there is no manual trigger 2",
    ]


def test_the_page_cannot_have_the_sip_port() -> None:
    assert said({"sip": {"enabled": True}, "web": {"port": 5060}}) == [
        "/web/port: 5060 is the SIP port"
    ]


def test_users_have_unique_names_and_an_administrator() -> None:
    """ACC-02, ACC-04."""
    viewer = make_user("eve", Role.VIEWER, "pw")
    assert said({"web": {"users": [viewer, viewer]}}) == [
        "/web/users/1/name: there is a user eve already",
        "/web/users: one of them must be administrator",
    ]


@pytest.mark.parametrize("path", ["/audio/output", "/audio/greeting", "/lights/outputs/0"])
def test_no_path_of_a_file_has_a_nul(path: str) -> None:
    """The system knows no such files, and Python says so with a ValueError."""
    with pytest.raises(ConfigError):
        Store.memory().prepare_put(path, "log:/tmp/a\0b")


@pytest.mark.parametrize("password", ["", "x" * 65, "tränen", "a\nb"])
def test_a_password_is_1_to_64_printable_characters(password: str) -> None:
    """ACC-03."""
    with pytest.raises(ConfigError):
        make_user("root", Role.ADMINISTRATOR, password)


def test_a_password_is_kept_as_the_digests_of_rfc_7616() -> None:
    """RFC 7616 §3.4.2: HA1 = H(username ":" realm ":" password)."""
    user = make_user("root", Role.ADMINISTRATOR, "secret")

    assert user.ha1_md5.reveal() == "1ed86c0e001eca65f81dae583da1a5dc"
    assert user.proves("secret")
    assert not user.proves("Secret")


def test_the_demonstration_is_sound_and_rising() -> None:
    store = Store.memory()
    store.change_now(demo())
    shown = store.current

    assert shown.sip.enabled
    assert not shown.maintenance.active
    assert [p.name for p in shown.profiles] == list(EXTENSIONS.values())
    lights = [p.light for p in PROFILES if p.light is not None]
    sirens = [p.siren for p in PROFILES if p.siren is not None]
    assert [light.priority for light in lights] == [siren.priority for siren in sirens]
    assert [light.priority for light in lights] == [3, 5, 7, 9]
    assert len({(light.pattern, light.colors) for light in lights}) == 4
    assert len({siren.pattern for siren in sirens}) == 4


def test_an_extension_names_a_profile_that_there_is_and_no_rule_has_the_name_of_one_of_its() -> (
    None
):
    rule = {
        "name": "Extension 1001: answer",
        "conditions": [{"event": "call/state", "match": {"state": "active"}}],
        "action": {"do": "hang_up"},
    }

    told = said(
        {
            "extensions": [{"number": "1001", "role": "alert", "profile": "Nowhere"}],
            "rules": [rule],
        }
    )

    assert told == [
        "/extensions/0/profile: there is no profile 'Nowhere'",
        "/rules/0/name: a rule that an extension makes has this name",
    ]
