"""Why something could not be sent."""

from sipstrobe.errors import SipstrobeError


class SendFailed(SipstrobeError):
    """An attempt to send that has failed; the message says why, for a person.

    permanent: the fault lies in what is sent, so that it would fail again however the recipient and
    its settings change. All else is tried again.
    """

    def __init__(self, words: str, *, permanent: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.permanent = permanent
