"""Who guesses passwords is refused for a while, and nobody else (BRU-01, vapix §3.4)."""

from sipstrobe.config.access import BruteForce
from sipstrobe.io.addresses import site
from sipstrobe.web.throttle import ADDRESSES_MAX, PAGES_MAX, TRUSTED_TIME, Throttle

GUESSER, KEEPER = "192.0.2.1", "192.0.2.2"


def failing(throttle: Throttle, times: int, address: str, page: str = "", at: float = 0.0) -> bool:
    """Whether it was blocked by the last of so many failures."""
    return [throttle.failed(address, page, now=at) for _ in range(times)][-1]


def test_twenty_wrong_passwords_in_a_second_block_the_address_for_ten_seconds() -> None:
    throttle = Throttle()

    blocked = [throttle.failed(GUESSER, now=n * 0.04) for n in range(20)]

    assert blocked == [False] * 19 + [True]
    assert throttle.blocked(GUESSER, now=0.76) == 10, "seconds, for Retry-After"
    assert throttle.blocked(GUESSER, now=10.75) == 1
    assert not throttle.blocked(GUESSER, now=10.77)
    assert not throttle.blocked(KEEPER, now=1.0), "never lock out others"


def test_the_settings_say_how_often_and_how_long() -> None:
    limits = [BruteForce(block_seconds=60, page_failures_per_second=3)]
    throttle = Throttle(lambda: limits[0])

    assert failing(throttle, 3, GUESSER)
    assert throttle.blocked(GUESSER, now=0.0) == 60
    limits[0] = BruteForce(enabled=False)
    assert not throttle.blocked(GUESSER, now=1.0), "at once"
    assert not failing(throttle, 100, GUESSER, at=1.0)


def test_each_page_counts_for_itself_and_the_device_counts_all() -> None:
    limits = BruteForce(page_failures_per_second=5, device_failures_per_second=8)
    by_page, by_device = Throttle(lambda: limits), Throttle(lambda: limits)

    assert not failing(by_page, 4, GUESSER, "/a")
    assert failing(by_page, 1, GUESSER, "/a")

    assert not failing(by_device, 4, GUESSER, "/a")
    assert not failing(by_device, 3, GUESSER, "/b")
    assert failing(by_device, 1, GUESSER, "/c")


def test_guessing_from_many_addresses_is_stopped_without_locking_out_those_who_know() -> None:
    """Whoever fills the count of the device blocks only those who fail, and not even these where
    somebody has signed in lately."""
    throttle = Throttle()
    throttle.passed(KEEPER, now=0.0)
    for n in range(20):
        throttle.failed(f"198.51.100.{n}", now=1.0)

    assert throttle.failed("203.0.113.9", now=1.0), "one failure, while the device is guessed at"
    assert not throttle.failed(KEEPER, now=1.0), "a slip of somebody who is known"
    assert failing(throttle, 19, KEEPER, at=1.0), "who has a count for himself"
    assert failing(throttle, 20, KEEPER, at=TRUSTED_TIME + 1.0)


def test_an_address_that_was_right_long_ago_is_a_stranger() -> None:
    throttle = Throttle()
    throttle.passed(KEEPER, now=0.0)
    for n in range(20):
        throttle.failed(f"198.51.100.{n}", now=TRUSTED_TIME)

    assert throttle.failed(KEEPER, now=TRUSTED_TIME)


def test_a_site_with_many_ipv6_addresses_is_one() -> None:
    """RFC 6177: a site has a /64 at least, so its addresses are no bound."""
    throttle = Throttle()

    for n in range(20):
        throttle.failed(f"2001:db8::{n:x}", now=0.0)

    assert throttle.blocked("2001:db8::ffff:1", now=1.0)
    assert not throttle.blocked("2001:db8:0:1::1", now=1.0)
    assert not throttle.blocked("fe80::1%eth0", now=1.0)
    assert site("no:address") == "no:address"


def test_slow_failures_never_add_up() -> None:
    throttle = Throttle()

    assert not any(throttle.failed(GUESSER, now=n * 0.1) for n in range(65))


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle()

    for n in range(ADDRESSES_MAX + 5):
        failing(throttle, 20, f"address {n}", at=n)
        throttle.passed(f"address {n}", now=n)
    for n in range(PAGES_MAX + 5):
        throttle.failed(GUESSER, f"/{n}", now=9000.0 + n)

    assert not throttle.blocked("address 0", now=0.0)
    assert throttle.blocked(f"address {ADDRESSES_MAX + 4}", now=0.0)
    tables = (throttle._pages, throttle._blocked, throttle._trusted)  # pyright: ignore[reportPrivateUsage]
    assert [len(table) for table in tables] == [PAGES_MAX, ADDRESSES_MAX, ADDRESSES_MAX]
