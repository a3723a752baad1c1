"""What `sipstrobe run` writes to the terminal while it runs."""

import logging

from sipstrobe.cli.run import LogLines


def test_words_of_a_peer_cannot_steer_the_terminal() -> None:
    record = logging.makeLogRecord(
        {"levelname": "INFO", "name": "phone", "msg": "call from %s"}
        | {"args": ("sip:\x1b[2J\r\nforged: Grüße\udcff@h",)}
    )
    line = LogLines().format(record)
    assert line.isprintable()
    assert line.endswith(r"call from sip:\x1b[2J\r\nforged: Grüße\udcff@h")
