"""Whether there is something to hear."""

from sipstrobe.audio.presence import Presence


def test_something_is_heard_at_once_and_until_it_was_quiet_for_a_while() -> None:
    presence = Presence(-40.0, hold=1.0)
    assert not presence.at(0.0)

    presence.hear(0.0001, now=10.0)
    presence.hear(0.0000999, now=10.5)

    assert presence.at(10.0)
    assert presence.at(10.999)
    assert not presence.at(11.0)


def test_pauses_between_words_do_not_count() -> None:
    presence = Presence(-40.0, hold=1.0)

    for word in range(10):
        presence.hear(0.01, now=0.9 * word)
        assert presence.at(0.9 * word + 0.89)
