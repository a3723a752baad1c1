"""What is stored before a start: the demonstration in a fresh state, and what --set says."""

import secrets
from collections.abc import Iterable
from typing import Final

from sipstrobe.config.demo import demo as demonstration
from sipstrobe.config.store import Prepared, Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.errors import ConfigError

FIRST_ACCOUNT: Final = "admin"


def prepare(store: Store, *, demo: bool = False, put: Iterable[tuple[str, object]] = ()) -> str:
    """Fill a fresh state as --demo wants, and store what --set says: (JSON pointer, value).

    The result is the password of the account that was made, empty when none was. Raises ConfigError
    when --set is wrong, and has done nothing then: nobody would have been told the password.
    """
    password = ""
    try:
        changes: list[Prepared] = []
        if demo and store.revision == 1:
            changes.append(store.prepare(demonstration()))
            if not store.current.web.users:
                password = secrets.token_urlsafe(9)
                first = make_user(FIRST_ACCOUNT, Role.ADMINISTRATOR, password)
                changes.append(store.prepare({"web": {"users": (first,)}}))
        changes += [store.prepare_put(pointer, value) for pointer, value in put]
    except ConfigError:
        store.give_up()
        raise
    for change in changes:
        store.carry_out(change)
    return password
