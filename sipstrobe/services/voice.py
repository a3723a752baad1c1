"""What the other side of each call hears: a greeting, a beep when it may speak, the microphone."""

from collections import deque
from collections.abc import Callable

from sipstrobe.audio.beep import beep
from sipstrobe.audio.format import Samples
from sipstrobe.events import CallStatus
from sipstrobe.services.calls import Call
from sipstrobe.services.speech import LiveSource, Recording, SoundSource

MAX_WAITING = 8  # sounds that are to be heard one after the other; more beeps help nobody


class Talk:
    """Sounds one after another, then one that goes on. As a source: silence where none is left."""

    def __init__(self, first: SoundSource | None = None) -> None:
        self.live: LiveSource | None = None
        self._waiting: deque[SoundSource] = deque([first] if first is not None else [])

    def add(self, sound: SoundSource) -> None:
        """Let this be heard once all that waits has been."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(sound)

    def __call__(self, count: int) -> Samples | None:
        while self._waiting:
            block = self._waiting[0](count)
            if block is not None:
                return block
            self._waiting.popleft()
        return self.live(count) if self.live is not None else None


class Voice:
    """Gives each call its source of sound. A call that has nothing to hear has none."""

    def __init__(
        self,
        greet: Callable[[], SoundSource | None],
        listen: Callable[[], LiveSource | None],
    ) -> None:
        """greet: what the next caller is to hear when answered. listen: begins to listen to the
        microphone, and is closed by whoever called; None while it is off."""
        self._greet = greet
        self._listen = listen
        self._talks: dict[str, Talk] = {}

    def greet(self, call: Call) -> None:
        """We answer: nobody may have heard anything before."""
        greeting = self._greet()
        if greeting is not None:
            self._talk(call).add(greeting)

    def say(self, call: Call, sound: SoundSource) -> None:
        """Let the other side of an active call hear this, before it hears the room."""
        if call.media is not None:
            self._talk(call).add(sound)

    def beep(self, call: Call) -> None:
        """Whoever called may speak from now on, if his extension says so by a beep."""
        if call.beep:
            self._talk(call).add(Recording(beep()))

    def begin(self, call: Call) -> None:
        """The call is active: the microphone may be heard, unless its caller is only recorded."""
        if call.delayed:
            self.beep(call)
        else:
            self._attend(call)

    def follow(self, call: Call) -> None:
        """Another SDP exchange: while the other side does not want to hear us, as on hold, nobody
        listens to the microphone for it (RFC 3264 §8.4)."""
        if call.state is CallStatus.ACTIVE and not call.delayed:
            self._attend(call)

    def refresh(self, calls: list[Call]) -> None:
        """The microphone has been switched on or off: these calls are active."""
        for call in calls:
            self._close(self._talks.get(call.id))
            self.follow(call)

    def leave(self, call: Call) -> None:
        """The call is over."""
        self._close(self._talks.pop(call.id, None))

    def _attend(self, call: Call) -> None:
        """Listen for an active call, if it hears us, and no longer otherwise."""
        talk = self._talks.get(call.id)
        if call.media is None or not call.media.speaks:
            self._close(talk)
        elif talk is None or talk.live is None:
            live = self._listen()
            if live is not None:
                self._talk(call).live = live

    @staticmethod
    def _close(talk: Talk | None) -> None:
        if talk is not None and talk.live is not None:
            talk.live.close()
            talk.live = None

    def _talk(self, call: Call) -> Talk:
        """Goes on from what the call hears already."""
        found = self._talks.get(call.id)
        if found is None:
            assert call.media is not None
            found = self._talks[call.id] = Talk(call.media.stream.source)
            call.media.stream.source = found
        return found
