# pyright: basic
# Of the types that it is made of schemathesis says little.
"""The API asked at random by its own description: what does not fit it is a fault.

``python -m tests.fuzz_http [--examples N] [--only WORDS]`` asks each operation of a device of its
own N times with what it should take and N times with what it should refuse. A taste of it is in
the suite.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from tests.interop.device import Device, device

RIGHTLY, WRONGLY = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SPARED: Final = {  # why it is never asked
    "GET /api/v1/live": "is a WebSocket",
    "GET /api/v1/log/tail": "goes on until whoever asks has enough",
}
ONLY_WRONGLY: Final = {  # why it is asked for nothing that it should do
    "POST /api/v1/login": "guesses passwords: the device would not listen to us for a while",
    "POST /api/v1/reset": "ends the device",
    "POST /api/v1/users": "hashes a password each time, for a hundred accounts",
    "POST /api/v1/certificates": "makes keys for minutes",
    "POST /api/v1/certificates/csr": "makes keys for minutes",
    "POST /api/v1/ping": "speaks to the network",
    "POST /api/v1/port-check": "speaks to the network",
    "PATCH /api/v1/settings": "may move the door that we ask at",
    "PATCH /api/v1/settings/web": "moves the door that we ask at",
    "PATCH /api/v1/settings/sip": "speaks to the network",
    "PATCH /api/v1/settings/mqtt": "speaks to the network",
    "PATCH /api/v1/settings/lights": "speaks to the network",
    "PATCH /api/v1/settings/multicast": "speaks to the network",
}
TELLS: Final = ("POST /api/v1/profiles/check",)  # what is wrong, and refuses nothing
LONG: Final = ("PATCH /api/v1/settings", "PATCH /api/v1/settings/recipients")  # to think out
WANTED: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
SCOPES: Final = ("read", "commands", "settings", "system")
ANSWER_LIMIT: Final = 30.0  # seconds


schemathesis.serializer.alias("application/sdp", "text/plain")
schemathesis.serializer.alias("application/zip", "application/octet-stream")


class Fuzzer:
    """Asks a running device as its administrator, by a token."""

    def __init__(self, running: Device) -> None:
        self._url = f"http://127.0.0.1:{running.http}"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {self._token(running.password)}"
        load_all_checks()
        self._checks: list[Any] = CHECKS.get_by_names(list(WANTED))
        self._rejection: list[Any] = CHECKS.get_by_names(["negative_data_rejection"])
        document = self._session.get(f"{self._url}/api/v1/openapi.json", timeout=ANSWER_LIMIT)
        self._schema = schemathesis.openapi.from_dict(document.json())
        self.operations: Sequence[APIOperation] = [
            cast(Ok, result).ok() for result in self._schema.get_all_operations()
        ]

    def unknown(self) -> set[str]:
        """What is spared here and is not there."""
        known = {operation.label for operation in self.operations}
        return {*SPARED, *ONLY_WRONGLY, *TELLS, *LONG} - known

    def taste(self) -> Iterator[str]:
        """Ask everything once that needs no long thought, always the same; what does not fit."""
        for operation in self.operations:
            if operation.label not in LONG:
                mode = WRONGLY if operation.label in ONLY_WRONGLY else RIGHTLY
                yield from self.ask(operation, mode, 1, derandomize=True)

    def meal(self, examples: int, words: str = "") -> Iterator[str]:
        """Ask everything so often, and as often wrongly. words: only what has them in its name."""
        for operation in self.operations:
            if words in operation.label:
                began = time.monotonic()
                yield from self.ask(operation, RIGHTLY, examples)
                yield from self.ask(operation, WRONGLY, examples)
                print(f"{time.monotonic() - began:6.1f} s  {operation.label}", flush=True)

    def ask(
        self,
        operation: APIOperation,
        mode: GenerationMode,
        examples: int,
        *,
        derandomize: bool = False,
    ) -> Iterator[str]:
        """What does not fit its description; nothing of what is spared."""
        if operation.label in SPARED or (mode is RIGHTLY and operation.label in ONLY_WRONGLY):
            return
        if mode is WRONGLY and not _may_be_wrong(operation):
            return

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=derandomize,
            phases=[Phase.generate],
            suppress_health_check=cast(Any, tuple(HealthCheck)),
        )
        @given(case=operation.as_strategy(mode))
        def ask(case: Case) -> None:
            answer = case.call(base_url=self._url, session=self._session, timeout=ANSWER_LIMIT)
            spared = self._rejection if operation.label in TELLS else []
            case.validate_response(answer, checks=self._checks, excluded_checks=spared)

        try:
            ask()
        except FailureGroup as group:
            yield f"{operation.label}: {'; '.join(map(str, group.exceptions))}"

    def _token(self, password: str) -> str:
        """For everything."""
        with requests.Session() as page:
            page.headers["Origin"] = self._url
            who = {"name": "admin", "password": password}
            page.post(f"{self._url}/api/v1/login", json=who, timeout=ANSWER_LIMIT)
            wanted = {"name": "fuzzer", "role": "administrator", "scopes": SCOPES}
            made = page.post(f"{self._url}/api/v1/tokens", json=wanted, timeout=ANSWER_LIMIT)
            return str(made.json()["token"])


def _may_be_wrong(operation: APIOperation) -> bool:
    """Whether there is anything that can be said wrongly; a path without a meaning is not found."""
    bodies = (body.media_type == "application/json" for body in operation.body)
    return bool(operation.query.items) or any(bodies)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_http", description=__doc__)
    parser.add_argument(
        "--examples", type=int, default=50, metavar="N", help="default: %(default)s"
    )
    parser.add_argument("--only", default="", metavar="WORDS", help="what has them in its name")
    options = parser.parse_args()
    faults = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        device(Path(folder), "--no-microphone", sound="null", light=False) as running,
    ):
        for fault in Fuzzer(running).meal(options.examples, options.only):
            faults += 1
            print(fault, end="\n\n", flush=True)
    print(f"{faults} times something was not as it is described")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
