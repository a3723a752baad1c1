"""The client's side of digest authentication: which challenges were answered, and with what.

RFC 3261 §22.2–§22.3, RFC 8760 §2.4. A challenge that was answered is remembered for its next hop,
so that the next request carries credentials at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.auth import Challenge
from sipstrobe.sip.headers import parse_auth_params
from sipstrobe.sip.identity import Credential
from sipstrobe.sip.message import Response
from sipstrobe.sip.transport import Address, Flow

MAX_HOPS = 4096  # pairs of identity and next hop that are remembered; the oldest goes
MAX_REALMS = 8  # realms that are answered in one request
MAX_ROUNDS = 6  # challenges to one request: some proxies, the server, and a stale nonce or two

Fields = tuple[tuple[str, str], ...]
Realm = tuple[bool, str]  # (whether a proxy asks, its realm)
Tried = dict[Realm, list[Credential]]  # for one request: what its challenges were answered with

_Hop = tuple[tuple[Credential, ...], Address]  # a large request may come to it over TCP
_ASKED = (("WWW-Authenticate", False), ("Proxy-Authenticate", True))
_TOLD = (("Authentication-Info", False), ("Proxy-Authentication-Info", True))
_GIVEN = {False: "Authorization", True: "Proxy-Authorization"}


@dataclass(slots=True)
class _Answer:
    """How a challenge is answered; one cnonce for the life of a nonce, as -sess needs it."""

    challenge: Challenge
    credential: Credential
    cnonce: str
    count: int = 0


class Keyring:
    """Answer challenges with the credentials of whoever speaks."""

    def __init__(self, new_cnonce: Callable[[], str]) -> None:
        self._new_cnonce = new_cnonce
        self._hops: dict[_Hop, dict[Realm, _Answer]] = {}

    def __len__(self) -> int:
        """How many pairs of identity and next hop are remembered."""
        return len(self._hops)

    def sign(
        self,
        credentials: tuple[Credential, ...],
        flow: Flow,
        method: str,
        uri: str,
        body: bytes,
    ) -> Fields:
        """Authorization and Proxy-Authorization of a request; each is for one use."""
        fields: list[tuple[str, str]] = []
        answers = self._hops.get((credentials, flow.remote), {})
        for (proxy, _), answer in answers.items():
            answer.count += 1
            given = answer.challenge.answer(
                answer.credential.user,
                answer.credential.password,
                method=method,
                uri=uri,
                body=body,
                cnonce=answer.cnonce,
                count=answer.count,
            )
            fields.append((_GIVEN[proxy], str(given)))
        return tuple(fields)

    def learn(
        self, credentials: tuple[Credential, ...], flow: Flow, response: Response, tried: Tried
    ) -> bool:
        """Take the challenges of a 401 or 407; False if asking again would be of no use.

        RFC 3261 §22.2: who has said that credentials are wrong is not asked with them again.
        tried is of this one request and starts empty.
        """
        key = (credentials, flow.remote)
        answers = self._hops.get(key, {})
        news: dict[Realm, _Answer] = {}
        for realm, challenge in _choose(response).items():
            known = answers.get(realm)
            credential = _pick(credentials, realm, challenge, known, tried)
            if credential is not None:
                tried.setdefault(realm, []).append(credential)
                news[realm] = _Answer(challenge, credential, self._new_cnonce())
            elif realm in tried:
                answers.pop(realm, None)
                return False
        if not news:
            return False
        answers |= news
        while len(answers) > MAX_REALMS:
            del answers[next(iter(answers))]
        self._hops.pop(key, None)
        self._hops[key] = answers
        while len(self._hops) > MAX_HOPS:
            del self._hops[next(iter(self._hops))]
        return True

    def heed(self, credentials: tuple[Credential, ...], flow: Flow, response: Response) -> None:
        """Take the next nonce, if a 2xx brings one and it is clear whose: RFC 7616 §3.5."""
        for name, proxy in _TOLD:
            if name not in response.headers:
                continue
            answers = self._hops.get((credentials, flow.remote), {})
            mine = [answer for (of_proxy, _), answer in answers.items() if of_proxy is proxy]
            try:
                nonce = parse_auth_params(response.headers.first(name) or "").get("nextnonce")
            except RemoteProtocolError:
                continue
            if nonce and len(mine) == 1:
                answer = mine[0]
                answer.challenge = replace(answer.challenge, nonce=nonce)
                answer.cnonce = self._new_cnonce()
                answer.count = 0


def _choose(response: Response) -> dict[Realm, Challenge]:
    """RFC 8760 §2.4: of the challenges of one realm, the first that we can answer."""
    chosen: dict[Realm, Challenge] = {}
    for name, proxy in _ASKED:
        for challenge in _read(response, name):
            if challenge.usable and len(chosen) < MAX_REALMS:
                chosen.setdefault((proxy, challenge.realm), challenge)
    return chosen


def _read(response: Response, name: str) -> Iterable[Challenge]:
    """The challenges of this header; one that cannot be read does not spoil the others."""
    for auth in response.auth(name):
        try:
            yield Challenge.read(auth)
        except RemoteProtocolError:
            continue


def _pick(
    credentials: tuple[Credential, ...],
    realm: Realm,
    challenge: Challenge,
    known: _Answer | None,
    tried: Tried,
) -> Credential | None:
    """The credential to answer with; what worked before first, then those not tried yet."""
    used = tried.get(realm, [])
    if known is not None and (challenge.stale or not used):
        return known.credential
    able = [c for c in credentials if c.realm == realm[1]]
    able += [c for c in credentials if not c.realm]
    return next((c for c in able if c not in used), None)
