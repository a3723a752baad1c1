"""Why something could not be sent."""

from sipstrobe.errors import SipstrobeError


class SendFailed(SipstrobeError):
    """An attempt to send that has failed; the message says why, for a person.

    permanent: the fault lies in what is sent, so that it would fail again however the recipient and
    its settings change. All else is tried again.
    """

    def __init__(self, words: str, *, permanent: bool = False) -> None:
        self.words = words.encode("utf-8", "replace").decode()  # servers say what they like
        super().__init__(self.words)
        self.permanent = permanent
