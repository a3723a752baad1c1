"""What a fresh device holds, and what --demo and --set make of it."""

import pytest

from sipstrobe.config.demo import EXTENSIONS
from sipstrobe.config.first_start import FIRST_ACCOUNT, prepare
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError


def test_a_fresh_device_is_as_it_is_shipped() -> None:
    store = Store.memory()

    assert prepare(store) == ""

    now = store.current
    assert (now.sip.enabled, now.maintenance.active) == (False, True)
    assert (now.profiles, now.web.users) == ((), ())
    assert not any(rule.enabled for rule in now.rules)


def test_demo_fills_a_fresh_state_and_gives_the_password_of_its_account() -> None:
    store = Store.memory()

    password = prepare(store, demo=True)

    now = store.current
    assert (now.sip.enabled, now.sip.allow_incoming, now.maintenance.active) == (True, True, False)
    assert [p.name for p in now.profiles] == list(EXTENSIONS.values())
    ranks = [p.light.priority for p in now.profiles if p.light is not None]
    assert ranks == sorted(set(ranks)), "of rising priority"
    assert len(now.rules) == len(EXTENSIONS) == 4
    [user] = now.web.users
    assert (user.name, user.role) == (FIRST_ACCOUNT, Role.ADMINISTRATOR)
    assert user.proves(password)


def test_demo_leaves_a_state_alone_that_is_not_fresh() -> None:
    store = Store.memory()
    store.change_now({"device": {"name": "Hall"}})

    assert prepare(store, demo=True) == ""
    assert store.current.profiles == ()

    fresh = Store.memory()
    first = prepare(fresh, demo=True)
    assert prepare(fresh, demo=True) == "", "the password is told only once"
    assert fresh.current.web.users[0].proves(first)


def test_demo_does_nothing_when_set_is_wrong_and_all_of_it_when_that_is_mended() -> None:
    """Else there would be an account whose password nobody has been told."""
    store = Store.memory()
    with pytest.raises(ConfigError):
        prepare(store, demo=True, put=(("/sip/prot", 5070),))
    assert (store.revision, store.current.web.users) == (1, ())

    password = prepare(store, demo=True, put=(("/sip/port", 5070),))

    assert store.current.web.users[0].proves(password)
    assert (store.current.sip.port, len(store.current.profiles)) == (5070, len(EXTENSIONS))


def test_what_set_says_is_stored_like_any_change() -> None:
    store = Store.memory()

    prepare(store, put=(("/sip/port", 5070), ("/device/name", "Hall")))

    assert (store.current.sip.port, store.current.device.name) == (5070, "Hall")


def test_what_set_may_not_say_is_told_with_its_path() -> None:
    for pointer, value in (("/sip/port", 80), ("/sip/prot", 5060), ("/sip/port/x", 1)):
        with pytest.raises(ConfigError) as wrong:
            prepare(Store.memory(), put=((pointer, value),))
        assert wrong.value.problems[0].path.startswith("/sip/p")
