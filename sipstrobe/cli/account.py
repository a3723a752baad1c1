"""`sipstrobe account`: who may use the page and the API."""

import argparse
import sys

from sipstrobe.cli import add_state_argument
from sipstrobe.cli.password import STDIN, ask
from sipstrobe.cli.remote import call
from sipstrobe.config.passwords import advice
from sipstrobe.config.users import Role, check_password


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("list", help="names and roles")
    add = actions.add_parser("add", help="add an account, or give one another password and role")
    add.add_argument("name")
    add.add_argument(
        "--role", choices=[role.value for role in Role], default=Role.ADMINISTRATOR.value
    )
    add.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line"
    )
    remove = actions.add_parser("remove", help="remove an account")
    remove.add_argument("name")
    for action, execute in ((show, _list), (add, _add), (remove, _remove)):
        add_state_argument(action)
        action.set_defaults(execute=execute)


def _list(options: argparse.Namespace) -> int:
    for name, role in call(options, {"do": "accounts"}):
        print(f"{name:<32} {role}")
    return 0


def _add(options: argparse.Namespace) -> int:
    if options.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = ask(f"Password of {options.name}", STDIN)
        if ask("Once more", STDIN) != password:
            print("sipstrobe: the two differ; nothing has changed", file=sys.stderr)
            return 1
    check_password(password)
    if words := advice(password, options.name):
        print(f"sipstrobe: the password is {words}", file=sys.stderr)
    request = {"do": "add-account", "name": options.name, "role": options.role}
    call(options, {**request, "password": password})
    print(f"{options.name} may sign in as {options.role}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    call(options, {"do": "remove-account", "name": options.name})
    print(f"{options.name} is removed")
    return 0
