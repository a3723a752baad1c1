"""What rules send, checked against the recipients that there are."""

from collections.abc import Iterator, Mapping

from sipstrobe.errors import Problem
from sipstrobe.events import DECLARED, choices
from sipstrobe.rules.actions.mqtt import PublishMqtt
from sipstrobe.rules.actions.sending import SendHttp, Sending
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.sending import templates
from sipstrobe.sending.compose import header_problem
from sipstrobe.sending.settings import Recipient

_CALLS = "call/"


def problems(
    recipients: tuple[Recipient, ...], accounts: set[str], rules: tuple[Rule, ...]
) -> Iterator[Problem]:
    """Recipients that are needed and not there, or not of the kind; placeholders that nothing
    fills; accounts that recipients are called from."""
    kinds = {recipient.name: recipient.kind for recipient in recipients}
    for i, recipient in enumerate(recipients):
        account = getattr(recipient, "account", None)
        if account is not None and account not in accounts:
            yield Problem(f"/recipients/{i}/account", f"there is no account {account!r}")
    for i, rule in enumerate(rules):
        if isinstance(rule.action, Sending):
            for problem in _of_rule(rule, rule.action, kinds):
                yield Problem(f"/rules/{i}/action{problem.path}", problem.message)
        elif isinstance(rule.action, PublishMqtt):
            for problem in _of_texts(rule, rule.action.templates):
                yield Problem(f"/rules/{i}/action{problem.path}", problem.message)


def _of_rule(rule: Rule, action: Sending, kinds: dict[str, str]) -> Iterator[Problem]:
    kind = kinds.get(action.recipient)
    if kind is None:
        yield Problem("/recipient", f"there is no recipient {action.recipient!r}")
    elif kind not in action.kinds:
        wanted = ", ".join(action.kinds)
        yield Problem("/recipient", f"{action.recipient!r} is of the kind {kind}, not {wanted}")
    if isinstance(action, SendHttp):
        for name in action.headers:
            if words := header_problem(name):
                yield Problem("/headers", f"{name[:64]!r}: {words}")
    yield from _of_texts(rule, action.templates)


def _of_texts(rule: Rule, texts: Mapping[str, str]) -> Iterator[Problem]:
    """Placeholders that nothing fills."""
    items, call_items = items_of(rule)
    for path, text in texts.items():
        if words := templates.problem(text, items, call_items):
            yield Problem(path, words)


def items_of(rule: Rule) -> tuple[set[str], set[str]]:
    """The items of all events that a rule speaks of, and of those about calls."""
    spoken: list[Condition] = [*rule.conditions]
    if rule.when is not None:
        spoken.append(rule.when)
    items: set[str] = set()
    call_items: set[str] = set()
    for condition in spoken:
        event = DECLARED.get(condition.event)
        if event is not None:
            found = choices(event).keys()
            items |= found
            if condition.event.startswith(_CALLS):
                call_items |= found
    return items, call_items
