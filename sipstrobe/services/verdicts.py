"""Whether each call is heard: looked at about once a second, by one timer for all of them.

Publishes: CallAudioChanged.
"""

import logging
from collections import Counter, defaultdict, deque
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import CallAudioChanged
from sipstrobe.rtp.quality import Counts, Quality
from sipstrobe.rtp.verdict import FINE, SILENCE_DB, Facts, Opinion, Verdict, judge
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.calls import AudioReport, Call
from sipstrobe.services.stream_statistics import StreamStatistics

logger = logging.getLogger(__name__)

LOOK: Final = 1.0  # seconds between two looks at a call
WINDOW: Final = 5  # looks back that counts are taken from
TOGETHER: Final = 0.1  # seconds between two runs, so that many calls share a wake-up
LONGEST_RUN: Final = 0.002  # seconds of looks in one go …
REST: Final = 0.010  # … and until the next, when there was no time for all
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
        opinion, quality, statistics = self._judge(now)
        return self._report(opinion, quality, statistics)

    def conclude(self, now: float) -> AudioReport:
        """What there is to be said of the call as a whole."""
        *_, statistics = self._judge(now)
        return self._report(self._outcome(), self.media.stream.quality(), statistics)

    def _judge(self, now: float) -> tuple[Opinion, Quality | None, StreamStatistics]:
        """Take what has happened since the last look into account."""
        stream = self.media.stream
        statistics, counts = stream.statistics, stream.counts
        newest, (oldest, counted) = self.before[-1][0], self.before[0]
        elapsed, self.looked = now - self.looked, now
        if statistics.packets != newest.packets:
            silent = statistics.level_db <= SILENCE_DB
            self.silence = self.silence + elapsed if silent else 0.0
        quality = stream.quality(counted)
        opinion = judge(self._facts(statistics, oldest, quality, now))
        self._hold(opinion.verdict, elapsed)
        self.opinions[opinion.verdict] = opinion
        self.before.append((statistics, counts))
        return opinion, quality, statistics

    def _report(
        self, opinion: Opinion, quality: Quality | None, statistics: StreamStatistics
    ) -> AudioReport:
        bursts, parameters = self.media.stream.bursts, self.media.parameters
        ptime_ms = parameters.ptime_ms if parameters is not None else 0
        trip = statistics.round_trip_ms
        return AudioReport(
            verdict=opinion.verdict,
            words=opinion.words,
            advice=opinion.advice,
            mos=round(quality.mos_cq, 2) if quality is not None else None,
            mos_lq=round(quality.mos_lq, 2) if quality is not None else None,
            r_factor=round(quality.r_factor, 1) if quality is not None else None,
            loss=round(quality.loss, 4) if quality is not None else 0.0,
            discard=round(quality.discard, 4) if quality is not None else 0.0,
            burst_density=round(bursts.burst_density, 4),
            burst_ms=round(bursts.burst_length * ptime_ms),
            gap_density=round(bursts.gap_density, 4),
            gap_ms=round(bursts.gap_length * ptime_ms),
            jitter_ms=round(statistics.jitter_ms, 1),
            round_trip_ms=round(trip, 1) if trip is not None else None,
            received=statistics.packets,
            sent=statistics.sent,
            remote_loss=round(statistics.remote_loss, 4),
            remote_mos=statistics.remote_mos,
            source=statistics.source,
            way=self.media.path.words if self.media.path is not None else "",
            encryption=statistics.encryption,
            seconds={verdict: round(held, 1) for verdict, held in self.seconds.items()},
        )

    def _hold(self, verdict: Verdict, elapsed: float) -> None:
        """The verdict has held since the last look; that of silence since it began."""
        self.seconds[verdict] += elapsed
        if verdict is Verdict.SILENT and self.seconds[verdict] < self.silence:
            taken = min(self.silence - self.seconds[verdict], self.seconds[Verdict.OK])
            self.seconds[Verdict.OK] -= taken
            self.seconds[verdict] += taken

    def _outcome(self) -> Opinion:
        """The trouble that lasted longest, if it lasted long enough to matter."""
        total = sum(self.seconds.values())
        held = {v: s for v, s in self.seconds.items() if s > 0.0 and v is not Verdict.NOT_YET}
        fine = {v: s for v, s in held.items() if v in FINE}
        troubles = {v: s for v, s in held.items() if v not in FINE}
        worst = max(troubles, key=lambda v: troubles[v], default=None)
        if worst is not None:
            lasted = sum(troubles.values())
            if not fine or lasted >= max(LASTING, SHARE * total):
                return self.opinions[worst]
        return self.opinions[max(fine, key=lambda v: fine[v], default=Verdict.NOT_YET)]

    def _facts(
        self, now_is: StreamStatistics, then: StreamStatistics, quality: Quality | None, now: float
    ) -> Facts:
        media, parameters, path = self.media, self.media.parameters, self.media.path
        if parameters is None:
            return Facts()
        return Facts(
            seconds=now - self.began,
            sends=parameters.direction.sends,
            receives=parameters.direction.receives,
            on_hold=parameters.on_hold,
            codec=parameters.codec,
            trouble=now_is.trouble,
            local_host=media.local_host,
            peer_host=media.peer_host,
            media_host=parameters.host,
            media_port=parameters.rtp_port,
            checks=path is not None and path.checked,
            way_found=path is None or path.found,
            way_trouble=path.problem if path is not None else "",
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
            unreachable_before=_grown(self.before[-1][0].unreachable, then.unreachable),
            deaf_reports=now_is.deaf_reports,
            deaf_seconds=now_is.deaf_seconds,
            remote_loss=now_is.remote_loss,
            loss=quality.loss if quality is not None else 0.0,
            discard=quality.discard if quality is not None else 0.0,
            mos=quality.mos_lq if quality is not None else None,
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
        self._ended[report.verdict] += 1
        if report.mos is not None:
            self._scores.record(report.mos)
        if report.verdict is not Verdict.NOT_YET:
            words = f"{report.verdict}. {report.words}".rstrip(". ")
            logger.info("call %s: its sound was %s", call.id, words)
        if followed.told is not Verdict.NOT_YET:
            over = CallAudioChanged(call=call.id, verdict="none", words="", mos=0.0)
            self._context.bus.publish(over)

    def _now(self) -> dict[str, int]:
        reports = (followed.call.audio for followed in self._followed.values())
        return Counter(report.verdict for report in reports if report is not None)

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
        late = bool(self._waiting) and self._waiting[0].due <= now
        self._arm(now + (REST if late else TOGETHER))

    def _arm(self, earliest: float = 0.0) -> None:
        if self._timer is None and self._waiting:
            due = max(self._waiting[0].due, earliest)
            self._timer = self._clock.call_at(due, self._run)

    def _tell(self, followed: _Followed, report: AudioReport, now: float) -> None:
        """Publish what has become different."""
        score = report.mos or 0.0
        if report.verdict is followed.told and abs(score - followed.told_mos) < TELLING:
            return
        if report.verdict is not followed.told and report.verdict not in FINE:
            logger.warning("call %s is not heard well: %s", followed.call.id, report.words)
        followed.told, followed.told_mos = report.verdict, score
        with self._context.trace.input("timer", f"a look at call {followed.call.id}", now):
            self._context.bus.publish(
                CallAudioChanged(
                    call=followed.call.id,
                    verdict=report.verdict.value,
                    words=report.words,
                    mos=round(score, 1),
                )
            )


def _grown(now: int, then: int) -> int:
    """By how much; a count that is smaller than before has begun anew."""
    return now - then if now >= then else now
