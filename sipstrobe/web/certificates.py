"""The certificates of the device by the API (CRT-01, HTT-04): what there is, bring, ask for, take.

No private key is ever given out. What takes time is done beside the loop, one at a time.
"""

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec.structs import replace

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.certificates import MAX_CERTIFICATES, OWN, Certificate
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.io.identity import Identity, own_names
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    Handler,
    HttpProblem,
    Media,
    Request,
    Response,
    Route,
    json,
)
from sipstrobe.web.multipart import is_form, parse_form
from sipstrobe.web.told.certificates import (
    Brought,
    CertificatesTold,
    CertificateTold,
    NewCertificate,
    NewRequest,
    SelfSigned,
    SignedChain,
)

if TYPE_CHECKING:
    from sipstrobe.io.certificate_files import Told

PATH: Final = "/api/v1/certificates"
WORK_LIMIT: Final = 10.0  # seconds; a file may ask for any number of rounds to be decrypted
PEM_TYPE: Final = "application/x-pem-file"
_RESERVED: Final = (OWN, "csr")

_TEXTS: Final = ("name", "key", "password")  # of a form, beside its file

T = TypeVar("T")
B = TypeVar("B", bound="Brought")
_BAD = {409: ("name_taken", "busy")}


class CertificatesDoor:
    """own: the certificate of the device's own making; blocks."""

    def __init__(
        self, dispatcher: Dispatcher, clock: Clock, store: Store, own: Callable[[], Identity]
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store
        self._own = own
        self._working = asyncio.Lock()

    def routes(self) -> list[Route]:
        one = PATH + "/{name}"
        gone = {404: ("unknown_certificate",)}
        both = {404: ("unknown_certificate",), 409: ("built_in", "in_use", "busy")}
        pem = Media(PEM_TYPE, "Certificate and chain, in PEM form.")
        asked = Media("application/pkcs10", "The signing request, in PEM form.")
        told, listed = CertificateTold, CertificatesTold

        def route(method: str, path: str, handler: Handler, about: About) -> Route:
            return Route(
                method=method,
                path=path,
                handler=handler,
                role=Role.ADMINISTRATOR,
                about=about,
            )

        return [
            route("GET", PATH, self._list, About(summary="All certificates", answer=listed)),
            route(
                "POST",
                PATH,
                self._add,
                About(
                    summary="Bring a certificate, or have one made",
                    body=NewCertificate,
                    answer=told,
                    status=(201,),
                    problems=_BAD,
                ),
            ),
            route(
                "POST",
                PATH + "/csr",
                self._ask,
                About(
                    summary="Make a key and a request for its certificate",
                    body=NewRequest,
                    answer=told,
                    status=(201,),
                    problems=_BAD,
                ),
            ),
            route("GET", one, self._tell, About(summary="One of them", answer=told, problems=gone)),
            route(
                "PUT",
                one,
                self._replace,
                About(
                    summary="Put another in its place, or bring it",
                    body=Brought,
                    answer=told,
                    problems={409: ("built_in", "busy")},
                ),
            ),
            route(
                "DELETE",
                one,
                self._delete,
                About(summary="Delete it", status=(204,), problems=both),
            ),
            route(
                "GET",
                one + "/pem",
                self._pem,
                About(summary="The certificate", answer=pem, problems=gone),
            ),
            route(
                "GET",
                one + "/csr",
                self._csr,
                About(summary="The request", answer=asked, problems={404: ("no_request",)}),
            ),
            route(
                "PUT",
                one + "/signed",
                self._sign,
                About(
                    summary="Bring the certificate that was asked for",
                    body=SignedChain,
                    answer=told,
                    problems={404: ("unknown_certificate", "no_request"), 409: ("busy",)},
                ),
            ),
        ]

    # --- looking --------------------------------------------------------------------------------

    async def _list(self, _: Request) -> Response:
        kept = self._store.upcoming.certificates
        told = [await self._told_own()]
        told += [await self._told(one) for one in kept]
        return json({"certificates": told, "max": MAX_CERTIFICATES})

    async def _tell(self, request: Request) -> Response:
        name = _name(request)
        return json(await (self._told_own() if name == OWN else self._told(self._find(name))))

    async def _pem(self, request: Request) -> Response:
        name = _name(request)
        if name == OWN:
            text = (await asyncio.to_thread(self._own)).certificate
        else:
            text = self._find(name).certificate
        if not text:
            raise HttpProblem(404, "it has only been asked for", code="unknown_certificate")
        return _file(text, PEM_TYPE, f"{name}.pem")

    def _csr(self, request: Request) -> Response:
        name = _name(request)
        text = "" if name == OWN else self._find(name).request
        if not text:
            raise HttpProblem(404, "no request was made for this one", code="no_request")
        return _file(text, "application/pkcs10", f"{name}.csr")

    async def _told_own(self) -> dict[str, object]:
        own = await asyncio.to_thread(self._own)
        return await self._described(OWN, own.certificate, built_in=True)

    async def _told(self, one: Certificate) -> dict[str, object]:
        if one.certificate:
            return await self._described(one.name, one.certificate)
        subject, names, kind = await asyncio.to_thread(_tell_request, one.request)
        return {
            "name": one.name,
            "state": "requested",
            "built_in": False,
            "subject": subject,
            "issuer": "",
            "names": names,
            "valid_from": None,
            "valid_to": None,
            "fingerprint_sha256": "",
            "key_type": kind,
            "self_signed": False,
            "chain": [],
            "used_by": [],
            "warnings": [],
        }

    async def _described(
        self, name: str, certificate: str, *, built_in: bool = False
    ) -> dict[str, object]:
        told = await asyncio.to_thread(_tell, certificate, self._clock.wall())
        return {
            "name": name,
            "state": "ready",
            "built_in": built_in,
            "subject": told.subject,
            "issuer": told.issuer,
            "names": told.names,
            "valid_from": told.valid_from,
            "valid_to": told.valid_to,
            "fingerprint_sha256": told.fingerprint,
            "key_type": told.key_type,
            "self_signed": told.self_signed,
            "chain": told.chain,
            "used_by": used_by(self._store.upcoming, name),
            "warnings": told.warnings,
        }

    # --- changing -------------------------------------------------------------------------------

    async def _add(self, request: Request) -> Response:
        given = _brought(request, NewCertificate)
        self._must_be_new(given.name)
        identity = await self._identity(given)
        self._must_be_new(given.name)  # others may have been quicker
        return await self._store_new(_certificate(given.name, identity))

    async def _ask(self, request: Request) -> Response:
        wanted = read_body(NewRequest, request.body)
        self._must_be_new(wanted.name)

        def make() -> Certificate:
            from sipstrobe.io.certificate_files import make_request

            names = wanted.names or tuple(own_names())
            key, text = make_request(names, wanted.key_type, wanted.organization, wanted.country)
            return Certificate(name=wanted.name, private_key=key, request=text)

        made = await self._beside(make)
        self._must_be_new(wanted.name)
        return await self._store_new(made)

    async def _replace(self, request: Request) -> Response:
        name = _name(request)
        if name in _RESERVED:
            raise HttpProblem(409, f"{name} is the device's own", code="built_in")
        identity = await self._identity(_brought(request, Brought))
        made = _certificate(name, identity)
        kept = self._store.upcoming.certificates
        if all(one.name != name for one in kept):
            return await self._store_new(made)
        self._change(tuple(made if one.name == name else one for one in kept))
        return json(await self._told(made))

    async def _sign(self, request: Request) -> Response:
        name = _name(request)
        waiting = self._find(name)
        if not waiting.request:
            raise HttpProblem(404, "no request was made for this one", code="no_request")
        if request.body.lstrip()[:1] == b"{":
            text = read_body(SignedChain, request.body).pem
        else:
            text = request.body.decode("ascii", "replace")

        def read() -> Identity:
            from sipstrobe.io.certificate_files import read_signed

            return read_signed(text, waiting.private_key)

        identity = await self._beside(read)
        made = replace(self._find(name), certificate=identity.certificate)
        kept = self._store.upcoming.certificates
        self._change(tuple(made if one.name == name else one for one in kept))
        return json(await self._told(made))

    def _delete(self, request: Request) -> Response:
        name = _name(request)
        if name == OWN:
            raise HttpProblem(409, "the device makes it for itself", code="built_in")
        self._find(name)
        needed = used_by(self._store.upcoming, name)
        if needed:
            words = f"{name} is used by {', '.join(needed)}"
            raise HttpProblem(409, words, code="in_use", used_by=needed)
        kept = self._store.upcoming.certificates
        self._change(tuple(one for one in kept if one.name != name))
        return Response(204)

    def _must_be_new(self, name: str) -> None:
        if not name:
            raise HttpProblem(400, "is missing", field="name")
        if name in _RESERVED or any(one.name == name for one in self._store.upcoming.certificates):
            words = f"there is a certificate {name} already"
            raise HttpProblem(409, words, code="name_taken", field="name")

    def _find(self, name: str) -> Certificate:
        for one in self._store.upcoming.certificates:
            if one.name == name:
                return one
        raise HttpProblem(404, f"there is no certificate {name!r:.80}", code="unknown_certificate")

    async def _store_new(self, made: Certificate) -> Response:
        self._change((*self._store.upcoming.certificates, made))
        at = ("Location", f"{PATH}/{made.name}")
        return json(await self._told(made), 201).with_headers(at)

    def _change(self, certificates: tuple[Certificate, ...]) -> None:
        self._dispatcher.execute(ChangeSettings(patch={"certificates": certificates}))

    async def _identity(self, given: Brought) -> Identity:
        ways = [bool(given.pem), bool(given.pfx), given.self_signed is not None]
        if sum(ways) != 1:
            raise HttpProblem(400, "give one of pem, pfx and self_signed", field="pem")
        wanted = given.self_signed
        if wanted is not None:
            return await self._beside(lambda: _made(wanted, self._clock.wall()))
        return await self._beside(lambda: _read(given))

    async def _beside(self, work: Callable[[], T]) -> T:
        """Carry it out in another thread; one at a time, since it may be made to take long."""
        if self._working.locked():
            raise HttpProblem(409, "another certificate is being looked at", code="busy")
        async with self._working:
            try:
                async with asyncio.timeout(WORK_LIMIT):
                    return await asyncio.to_thread(_worded, work)
            except TimeoutError:
                raise HttpProblem(400, "takes too long to be read", field="pem") from None


def used_by(settings: Settings, name: str) -> list[str]:
    """JSON pointers of the settings that name this certificate."""
    named = {
        "/web/certificate": settings.web.certificate,
        "/sip/tls/certificate": settings.sip.tls.certificate or OWN,
    }
    return [pointer for pointer, used in named.items() if used == name]


# --- bodies -------------------------------------------------------------------------------------


def _name(request: Request) -> str:
    return request.path.removeprefix(PATH + "/").partition("/")[0]


def _brought(request: Request, kind: type[B]) -> B:
    """As JSON, or as a form with the parts name, file, key and password."""
    if not is_form(request.header("content-type")):
        return read_body(kind, request.body)
    parts = parse_form(request.header("content-type"), request.body)
    form = {part.name: part.content for part in parts}
    texts = {name: form[name].decode("utf-8", "replace") for name in _TEXTS if name in form}
    file = form.get("file", b"")
    if b"-----BEGIN" in file:
        texts["pem"] = file.decode("ascii", "replace")
    else:
        texts["pfx"] = b64encode(file).decode()
    return read_body(kind, msgspec.json.encode(texts))


def _certificate(name: str, identity: Identity) -> Certificate:
    return Certificate(name=name, certificate=identity.certificate, private_key=identity.key)


def _file(text: str, kind: str, name: str) -> Response:
    return Response(
        200,
        text.encode(),
        kind,
        (("Content-Disposition", f'attachment; filename="{name}"'),),
    )


# --- in another thread --------------------------------------------------------------------------


def _worded(work: Callable[[], T]) -> T:
    from sipstrobe.io.certificate_files import BadCertificate

    try:
        return work()
    except BadCertificate as wrong:
        raise HttpProblem(400, str(wrong), field=wrong.field) from None


def _read(given: Brought) -> Identity:
    from sipstrobe.io.certificate_files import read_pem, read_pfx

    if given.pem:
        return read_pem(given.pem, given.key, given.password)
    try:
        data = b64decode(given.pfx, validate=True)
    except (Base64Error, ValueError):
        raise HttpProblem(400, "is no Base64", field="pfx") from None
    return read_pfx(data, given.password)


def _made(wanted: SelfSigned, now: datetime) -> Identity:
    from sipstrobe.io.x509 import make_identity

    names = wanted.names or tuple(own_names())
    try:
        return make_identity(names, now, life=timedelta(days=wanted.days))
    except ValueError as error:
        raise HttpProblem(400, str(error), field="self_signed") from None


def _tell(certificate: str, now: datetime) -> "Told":
    from sipstrobe.io.certificate_files import tell

    return tell(certificate, now)


def _tell_request(request: str) -> tuple[str, tuple[str, ...], str]:
    from sipstrobe.io.certificate_files import tell_request

    return tell_request(request)
