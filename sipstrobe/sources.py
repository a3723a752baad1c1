"""What an address counts as when sources are told apart and none is to have too much of us.

IPv6 sources count by /64, since that is what a single host has to choose from (RFC 6177 §2).
"""


def source_of(host: str) -> str:
    """A numeric address: itself, or the /64 that it lies in."""
    return host if ":" not in host else network_of(host)


def network_of(host: str) -> str:
    """The first four groups of an IPv6 address as the kernel writes it, which is always the same
    (RFC 5952)."""
    head, gap, tail = host.partition("%")[0].partition("::")
    groups = head.split(":") if head else []
    if gap:
        rest = tail.split(":") if tail else []
        groups += ["0"] * (8 - len(groups) - len(rest)) + rest
    return ":".join(groups[:4])
