"""Whether each call is heard: looked at about once a second, by one timer for all of them.

Publishes: CallAudioChanged.
"""

import logging
from collections import Counter, defaultdict, deque
from dataclasses import replace
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import CallAudioChanged
from sipstrobe.rtp.quality import Counts, Quality
from sipstrobe.rtp.verdict import FINE, SILENCE_DB, Facts, Opinion, Verdict, judge
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.calls import AudioReport, Call
from sipstrobe.services.stream import StreamStatistics

logger = logging.getLogger(__name__)

LOOK: Final = 1.0  # seconds between two looks at a call
WINDOW: Final = 5  # looks back that counts are taken from
TOGETHER: Final = 0.1  # seconds between two runs, so that many calls share a wake-up
LONGEST_RUN: Final = 0.002  # seconds of looks in one go
TELLING: Final = 0.5  # change of the score that is worth an event
LASTING: Final = 2.0  # seconds, and …
SHARE: Final = 0.1  # … share of a call, that a trouble must have lasted to be its verdict
SCORES: Final = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.2, 4.4)  # upper bounds of the histogram


class _Followed:
    """One call, and what it was like at the last looks."""

    def __init__(self, call: Call, media: CallMedia, now: float) -> None:
        self.call = call
        self.media = media
        self.began = self.looked = now
        self.due = now + LOOK
        self.over = False
        self.silence = 0.0
        self.before: deque[tuple[StreamStatistics, Counts]] = deque(maxlen=WINDOW)
        self.before.append((media.stream.statistics, media.stream.counts))
        self.seconds: dict[Verdict, float] = defaultdict(float)
        self.opinions: dict[Verdict, Opinion] = {}
        self.told: Verdict = Verdict.NOT_YET
        self.told_mos = 0.0

    def look(self, now: float) -> AudioReport:
        """What there is to be said now."""
        stream = self.media.stream
        statistics, counts = stream.statistics, stream.counts
        newest, (oldest, counted) = self.before[-1][0], self.before[0]
        elapsed, self.looked = now - self.looked, now
        if statistics.packets != newest.packets:
            silent = statistics.level_db <= SILENCE_DB
            self.silence = self.silence + elapsed if silent else 0.0
        quality = stream.quality(counted)
        opinion = judge(self._facts(statistics, oldest, quality, now))
        self.seconds[opinion.verdict] += elapsed
        self.opinions[opinion.verdict] = opinion
        self.before.append((statistics, counts))
        return AudioReport(
            opinion=opinion,
            quality=quality,
            bursts=stream.bursts,
            statistics=statistics,
            seconds=dict(self.seconds),
        )

    def conclude(self, now: float) -> AudioReport:
        """What there is to be said of the call as a whole."""
        last = self.look(now)
        return replace(last, opinion=self._outcome(), quality=self.media.stream.quality())

    def _outcome(self) -> Opinion:
        """The trouble that lasted longest, if it lasted long enough to matter."""
        total = sum(self.seconds.values())
        fine = {v: s for v, s in self.seconds.items() if v in FINE - {Verdict.NOT_YET}}
        troubles = {v: s for v, s in self.seconds.items() if v not in FINE}
        worst = max(troubles, key=lambda v: troubles[v], default=None)
        if worst is not None:
            lasted = sum(troubles.values())
            if not fine or lasted >= max(LASTING, SHARE * total):
                return self.opinions[worst]
        return self.opinions[max(fine, key=lambda v: fine[v], default=Verdict.NOT_YET)]

    def _facts(
        self, now_is: StreamStatistics, then: StreamStatistics, quality: Quality | None, now: float
    ) -> Facts:
        media, parameters = self.media, self.media.parameters
        if parameters is None:
            return Facts()
        return Facts(
            seconds=now - self.began,
            sends=parameters.direction.sends,
            receives=parameters.direction.receives,
            on_hold=parameters.on_hold,
            codec=parameters.codec,
            local_host=media.local_host,
            peer_host=media.peer_host,
            media_host=parameters.host,
            media_port=parameters.rtp_port,
            received=_grown(now_is.packets, then.packets),
            quiet=now_is.quiet,
            strangers=_grown(now_is.refused, then.refused),
            stranger=now_is.stranger,
            foreign=_grown(now_is.foreign, then.foreign),
            foreign_type=now_is.foreign_type,
            undecipherable=_grown(now_is.undecipherable, then.undecipherable),
            silence=self.silence,
            sent=_grown(now_is.sent, then.sent),
            undelivered=_grown(now_is.undelivered, then.undelivered),
            unreachable=_grown(now_is.unreachable, then.unreachable),
            deaf_reports=now_is.deaf_reports,
            deaf_seconds=now_is.deaf_seconds,
            remote_loss=now_is.remote_loss,
            loss=quality.loss + quality.discard if quality is not None else 0.0,
            jitter_ms=now_is.jitter_ms,
            mos=quality.mos_cq if quality is not None else None,
        )


class Verdicts:
    """Follow calls from the moment that they are answered to their end."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._clock = context.clock
        self._followed: dict[str, _Followed] = {}
        self._waiting: deque[_Followed] = deque()  # in the order in which they are due
        self._timer: Handle | None = None
        self._ended: Counter[str] = Counter()
        self._scores = context.measures.histogram(
            "call_mos", "Mean opinion score of calls that have ended", SCORES
        )
        context.measures.family(
            "sip_calls_by_verdict",
            "Calls at this moment by how they are heard",
            "verdict",
            self._now,
        )
        context.measures.family(
            "sip_calls_ended_total",
            "Calls that have ended by how they were heard",
            "verdict",
            lambda: self._ended,
        )

    def follow(self, call: Call) -> None:
        """The call has been answered, and has media; from now on its `audio` is kept."""
        if call.media is None or call.id in self._followed:
            return
        followed = _Followed(call, call.media, self._clock.now())
        self._followed[call.id] = followed
        self._waiting.append(followed)
        self._arm()

    def conclude(self, call: Call) -> None:
        """The call is over, and its stream not closed yet: `audio` becomes that of the whole."""
        followed = self._followed.pop(call.id, None)
        if followed is None:
            return
        followed.over = True
        call.audio = report = followed.conclude(self._clock.now())
        verdict = report.opinion.verdict
        self._ended[verdict] += 1
        if report.quality is not None:
            self._scores.record(report.quality.mos_cq)
        logger.info("call %s: its sound was %s. %s", call.id, verdict, report.opinion.words)
        if followed.told is not Verdict.NOT_YET:
            over = CallAudioChanged(call=call.id, verdict="none", words="", mos=0.0)
            self._context.bus.publish(over)

    def _now(self) -> dict[str, int]:
        reports = (followed.call.audio for followed in self._followed.values())
        return Counter(report.opinion.verdict for report in reports if report is not None)

    def _run(self) -> None:
        self._timer = None
        now = self._clock.now()
        enough = now + LONGEST_RUN
        while self._waiting and self._waiting[0].due <= now and self._clock.now() <= enough:
            followed = self._waiting.popleft()
            if followed.over:
                continue
            followed.call.audio = report = followed.look(now)
            self._tell(followed, report, now)
            followed.due = now + LOOK
            self._waiting.append(followed)
        self._arm(now + TOGETHER)

    def _arm(self, earliest: float = 0.0) -> None:
        if self._timer is None and self._waiting:
            due = max(self._waiting[0].due, earliest)
            self._timer = self._clock.call_at(due, self._run)

    def _tell(self, followed: _Followed, report: AudioReport, now: float) -> None:
        """Publish what has become different."""
        opinion = report.opinion
        score = report.quality.mos_cq if report.quality is not None else 0.0
        if opinion.verdict is followed.told and abs(score - followed.told_mos) < TELLING:
            return
        if opinion.verdict is not followed.told and opinion.verdict not in FINE:
            logger.warning("call %s is not heard well: %s", followed.call.id, opinion.words)
        followed.told, followed.told_mos = opinion.verdict, score
        with self._context.trace.input("timer", f"a look at call {followed.call.id}", now):
            self._context.bus.publish(
                CallAudioChanged(
                    call=followed.call.id,
                    verdict=opinion.verdict.value,
                    words=opinion.words,
                    mos=round(score, 1),
                )
            )


def _grown(now: int, then: int) -> int:
    """By how much; a count that is smaller than before has begun anew."""
    return now - then if now >= then else now
