// Who did what, and whether anybody has changed that.

import { useEffect, useState } from "preact/hooks";
import { Badge, Button, Card, Empty, Loading, PageHead, Select, Table, TextField, Time, type Column } from "../../../ui";
import { givenName } from "../../../ui/given_name";
import { dateTime } from "../../../words";
import { deed, type Entry, fits, type Kind, KINDS, outcome, way } from "./entry";
import { useTrail } from "./trail";
import { Verify } from "./verify";
import { t } from "./words";
import "./audit.css";

const PATHS_SHOWN = 6;
const ENOUGH = 100; // found, until which older entries are looked through as well

export default function Audit() {
  const trail = useTrail();
  const [search, look] = useState("");
  const [kind, choose] = useState<Kind>("all");
  const all = trail.entries;
  const found = (all ?? []).filter((entry) => fits(entry, kind, search.trim()));
  const back = all?.at(-1)?.at;
  const sought = search.trim() !== "" || kind !== "all";
  const goesOn = sought && trail.more && !trail.busy && !trail.problem && found.length < ENOUGH;
  useEffect(() => {
    if (goesOn) void trail.further();
  }, [goesOn, all?.length]);
  const further = trail.more && (
    <Button busy={trail.busy} onClick={() => void trail.further()}>{t("older")}</Button>
  );
  return (
    <>
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <div class="stack">
        <Verify />
        <Card title={t("entries")} class="audit-entries">
          <div class="audit-filter" role="search">
            <TextField label={t("search")} type="search" placeholder={t("searchHint")} value={search} onChange={look} maxLength={100} />
            <Select label={t("kind")} value={kind} onChange={choose} choices={KINDS.map((one) => ({ value: one, label: t(`kind_${one}`) }))} />
          </div>
          {trail.problem && <p class="error" role="alert">{trail.problem}</p>}
          {!all ? (
            !trail.problem && <Loading />
          ) : all.length === 0 ? (
            <Empty icon="list" title={t("none")} />
          ) : found.length === 0 ? (
            <Empty icon="search" title={t("noneFound")} action={further}>
              {trail.more && back ? t("noneFoundHint", { date: dateTime(back) }) : t("noneFoundAll")}
            </Empty>
          ) : (
            <>
              <Table caption={t("entries")} columns={COLUMNS()} rows={found} rowKey={({ n }) => n} />
              <div class="audit-further">
                <small aria-live="polite">{back && t("shown", { n: found.length, date: dateTime(back) })}</small>
                {further}
              </div>
            </>
          )}
        </Card>
      </div>
    </>
  );
}

const COLUMNS = (): Column<Entry>[] => [
  { key: "at", title: t("at"), narrow: true, cell: ({ at }) => <Time wall={at} full /> },
  {
    key: "who",
    title: t("who"),
    cell: (entry) => (
      <span class="audit-who">
        <strong>{givenName(entry.who) || way(entry)}</strong>
        <small>{[entry.who && way(entry), entry.address && t("from", { address: entry.address })].filter(Boolean).join(", ")}</small>
      </span>
    ),
  },
  { key: "what", title: t("what"), cell: (entry) => <What entry={entry} /> },
  {
    key: "result",
    title: t("result"),
    narrow: true,
    cell: (entry) => {
      const end = outcome(entry);
      return end && <Badge tone={end.tone}>{end.words}</Badge>;
    },
  },
];

function What({ entry }: { entry: Entry }) {
  const words = deed(entry);
  const { paths, times } = entry;
  return (
    <span class="audit-what">
      <span>
        {words === entry.what ? <code>{words}</code> : words}
        {times > 1 && <> <Badge>{t("times", { n: times })}</Badge></>}
      </span>
      {paths.length > 0 && (
        <small>
          {paths.slice(0, PATHS_SHOWN).map((path) => (
            <code key={path}>{path}</code>
          ))}
          {paths.length > PATHS_SHOWN && <span title={paths.join("\n")}>{t("more", { n: paths.length - PATHS_SHOWN })}</span>}
        </small>
      )}
    </span>
  );
}
