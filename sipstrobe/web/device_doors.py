"""The doors at which other programs ask what this device is, and manage its accounts."""

from collections.abc import Callable, Sequence
from typing import Protocol

from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.web.compat.api_discovery import ApiDiscovery
from sipstrobe.web.compat.basic_device_info import BasicDeviceInfo
from sipstrobe.web.compat.param import ParamCgi
from sipstrobe.web.compat.pwdgrp import PasswordGroups
from sipstrobe.web.compat.system_ready import SystemReady
from sipstrobe.web.compat.usergroup import UserGroup
from sipstrobe.web.exchange import HttpProblem, Request, Route
from sipstrobe.web.gate import Gate
from sipstrobe.web.users import Accounts
from sipstrobe.web.views import Views


class Door(Protocol):
    def routes(self) -> list[Route]: ...


def device_doors(
    context: Context,
    store: Store,
    gate: Gate,
    accounts: Accounts,
    views: Views,
    denied: Callable[[Request, Role], HttpProblem],
) -> Sequence[Door]:
    """All of them. denied: the refusal of a request that needs this role."""
    return (
        ApiDiscovery(),
        BasicDeviceInfo(gate, lambda: store.current.device.serial),
        SystemReady(gate, context.clock, context.random_bytes),
        PasswordGroups(accounts, gate),
        UserGroup(gate),
        ParamCgi(context.dispatcher, lambda: store.current, views, denied),
    )
