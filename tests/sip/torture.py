"""The torture messages of RFC 4475 and RFC 5118, rebuilt, for every layer that has to bear them."""

from tests.sip.torture_case import Case, Outcome
from tests.sip.torture_invalid import INVALID
from tests.sip.torture_ipv6 import IPV6
from tests.sip.torture_semantics import SEMANTICS
from tests.sip.torture_valid import VALID

__all__ = ["CASES", "RFC4475", "RFC5118", "Case", "Outcome"]

RFC4475: list[Case] = [*VALID, *INVALID, *SEMANTICS]
RFC5118: list[Case] = IPV6
CASES: list[Case] = [*RFC4475, *RFC5118]
