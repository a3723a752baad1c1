// The logs of the device, live, and what helps when somebody is asked for help (LOG-01 … LOG-05).

import { useMemo, useState } from "preact/hooks";
import type { PageProps } from "../../../pages";
import { navigate } from "../../../router";
import { Badge, Button, Notice, PageHead } from "../../../ui/basics";
import { Select, TextField } from "../../../ui/fields";
import { Icon } from "../../../ui/icon";
import { Tabs } from "../../../ui/lists";
import { CopyText, Time } from "../../../ui/things";
import { attempt } from "../../../ui/toast";
import { Refusals } from "./access";
import { asText, filtered, LEVELS, partOf, partsOf, useFeed, type Feed, type Filter, type Line } from "./feed";
import { Lines } from "./lines";
import "./log.css";
import { Trace } from "./trace";
import { t } from "./words";

const EVERYTHING: Filter = { level: "debug", source: "", text: "" };

export default function Log({ rest }: PageProps) {
  const feed = useFeed();
  const tabs = [
    { key: "", label: t("tabLines"), content: () => <Book feed={feed} /> },
    { key: "access", label: t("tabAccess"), content: () => <Refusals /> },
    { key: "trace", label: t("tabTrace"), content: () => <Trace /> },
  ];
  return (
    <div class="log">
      <PageHead
        title={t("title")}
        actions={
          <a class="button" href="/api/v1/report" download="" title={t("reportHint")}>
            <Icon name="download" size={18} />
            {t("report")}
          </a>
        }
      >
        {t("lead")}
      </PageHead>
      <Tabs label={t("tabs")} tabs={tabs} selected={rest[0] ?? ""} onSelect={(key) => navigate(key ? `/log/${key}` : "/log")} />
    </div>
  );
}

function Book({ feed }: { feed: Feed }) {
  const [filter, choose] = useState(EVERYTHING);
  const [held, hold] = useState<{ lines: readonly Line[]; came: number } | null>(null);
  const [follow, setFollow] = useState(true);
  const [chosen, setChosen] = useState<number | null>(null);
  const all = held?.lines ?? feed.lines.value;
  const lines = useMemo(() => filtered(all, filter), [all, filter]);
  const line = chosen === null ? undefined : all.find(({ key }) => key === chosen);
  const change = (part: Partial<Filter>): void => choose({ ...filter, ...part });
  return (
    <section class="card log-book" aria-label={t("tabLines")}>
      <Bar all={all} filter={filter} onFilter={change} />
      <div class="log-state">
        <Following feed={feed} paused={held !== null} fresh={held ? feed.came.value - held.came : 0} />
        <small>{lines.length === all.length ? t("shown", { n: all.length }) : t("shownOf", { found: lines.length, n: all.length })}</small>
        <div class="log-buttons">
          <Button small icon={held ? "play" : "pause"} aria-pressed={held !== null} onClick={() => hold(held ? null : { lines: feed.lines.peek(), came: feed.came.peek() })}>
            {t(held ? "goOn" : "pause")}
          </Button>
          <Button small icon="down" disabled={follow} onClick={() => setFollow(true)}>{t("newest")}</Button>
          <Button small icon="download" disabled={lines.length === 0} onClick={() => saveAs(asText(lines), `log-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.txt`)}>
            {t("download")}
          </Button>
        </div>
      </div>
      <Before feed={feed} held={held !== null} all={all.length} found={lines.length} onAll={() => choose(EVERYTHING)} onOlder={() => setFollow(false)} />
      <Lines lines={lines} follow={follow} onFollow={setFollow} chosen={chosen} onChoose={setChosen} />
      {line ? <Detail line={line} onPart={() => change({ source: line.source })} onClose={() => setChosen(null)} /> : <p class="hint">{t("choose")}</p>}
    </section>
  );
}

function Bar({ all, filter, onFilter }: { all: readonly Line[]; filter: Filter; onFilter: (part: Partial<Filter>) => void }) {
  const parts = useMemo(() => partsOf(all).join(" "), [all]);
  const offered = useMemo(() => parts.split(" ").filter(Boolean).map((value) => ({ value, label: partOf(value) })), [parts]);
  return (
    <div class="log-bar">
      <Select name="level" label={t("level")} value={filter.level} onChange={(level) => onFilter({ level })} choices={LEVELS.toReversed().map((value) => ({ value, label: t(value) }))} />
      <Select name="part" label={t("part")} value={filter.source} onChange={(source) => onFilter({ source })} choices={[{ value: "", label: t("allParts") }, ...offered]} />
      <TextField name="find" label={t("find")} type="search" placeholder={t("findHint")} value={filter.text} onChange={(text) => onFilter({ text })} />
    </div>
  );
}

function Following({ feed, paused, fresh }: { feed: Feed; paused: boolean; fresh: number }) {
  const state = feed.state.value;
  return (
    <span class="log-following" role="status">
      {state.kind === "lost" ? (
        <Badge dot tone="bad">{t("lost", { words: state.words })}</Badge>
      ) : paused ? (
        <Badge tone="fair">{t("paused")}</Badge>
      ) : (
        <Badge dot tone={state.kind === "live" ? "good" : "neutral"}>{t(state.kind)}</Badge>
      )}
      {paused && fresh > 0 && <span aria-hidden="true">{t("fresh", { n: fresh })}</span>}
    </span>
  );
}

/** What stands before the first line: older ones, or why there is none. */
function Before({ feed, held, all, found, onAll, onOlder }: { feed: Feed; held: boolean; all: number; found: number; onAll: () => void; onOlder: () => void }) {
  const [busy, work] = useState(false);
  const read = async (): Promise<void> => {
    work(true);
    onOlder();
    await attempt(feed.readOlder);
    work(false);
  };
  const older = !held && feed.older.value !== null;
  if (!older && found > 0) return null;
  return (
    <div class="log-before">
      {found === 0 && <span>{all === 0 ? (feed.state.value.kind === "live" ? t("none") : "") : t("noneFits", { n: all })}</span>}
      {found === 0 && all > 0 && <Button small onClick={onAll}>{t("clear")}</Button>}
      {older && <Button small icon="up" busy={busy} onClick={() => void read()}>{t("older")}</Button>}
    </div>
  );
}

function Detail({ line, onPart, onClose }: { line: Line; onPart: () => void; onClose: () => void }) {
  return (
    <section class="log-detail" aria-label={t("detail")} data-level={line.level}>
      <header>
        <Badge tone={["warning", "notice"].includes(line.level) ? "fair" : ["info", "debug"].includes(line.level) ? "neutral" : "bad"}>{t(line.level)}</Badge>
        <Time wall={line.at} full />
        <CopyText text={line.source} />
        <Button small kind="quiet" onClick={onPart}>{t("onlyPart")}</Button>
        <Button small kind="quiet" icon="copy" onClick={() => void navigator.clipboard?.writeText(asText([line]))} hidden={!navigator.clipboard}>{t("copyLine")}</Button>
        <Button small kind="quiet" icon="close" onClick={onClose}>{t("closeDetail")}</Button>
      </header>
      {line.anew && <Notice>{t("anew")}</Notice>}
      <pre tabIndex={0}>{line.text}</pre>
    </section>
  );
}

function saveAs(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
