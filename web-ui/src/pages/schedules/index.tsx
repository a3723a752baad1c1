// Schedules: when each comes, in a calendar and in words; what came of it, and which rules wait for it.

import { useEffect, useState } from "preact/hooks";
import { get, Problem } from "../../api";
import { status } from "../../live";
import { Link } from "../../router";
import { useSection } from "../../settings";
import { Badge, Button, Card, confirm, Dialog, Empty, Loading, Menu, Notice, PageHead, persist, Table, toast } from "../../ui";
import { told } from "../../words";
import { Calendar } from "./calendar";
import { describe } from "./describe";
import { Editor, newOn, type Schedule, spanWords } from "./editor";
import { read } from "./plan";
import { t } from "./words";
import "./schedules.css";

const MAX_SCHEDULES = 64;

/** How a schedule stands, of the status. */
interface State {
  name: string;
  kind: "interval" | "pulse";
  active: boolean;
  next: { start: string; end: string | null }[];
  rules: string[];
}

interface Edited {
  was: string | null;
  schedule: Schedule;
}

export default function Schedules() {
  const section = useSection<Schedule[]>("schedules");
  const [edited, edit] = useState<Edited | null>(null);
  const [past, look] = useState<string | null>(null);
  const all = section.value;
  if (!all) return <Loading />;
  const states = Object.fromEntries(((status.value?.schedules ?? []) as unknown as State[]).map((one) => [one.name, one]));
  const may = section.may();
  const open = (name: string): void => {
    const schedule = all.find((one) => one.name === name);
    if (schedule && may) edit({ was: name, schedule });
    else look(name);
  };
  const begin = (date: string): void => edit({ was: null, schedule: newOn(date, "") });
  const today = new Date().toLocaleDateString("sv"); // 2030-12-31
  const add = may && (
    <Button kind="primary" icon="plus" disabled={all.length >= MAX_SCHEDULES} onClick={() => begin(today)}>
      {t("add")}
    </Button>
  );
  return (
    <>
      <PageHead title={t("title")} actions={all.length > 0 && add}>
        {t("lead")}
      </PageHead>
      <div class="stack">
        {all.length >= MAX_SCHEDULES && <Notice tone="fair">{t("full", { limit: MAX_SCHEDULES })}</Notice>}
        {all.length === 0 ? (
          <Card>
            <Empty icon="schedules" title={t("none")} action={add}>
              {t("none_hint")}
            </Empty>
          </Card>
        ) : (
          <>
            <Calendar names={all.map(({ name }) => name)} texts={JSON.stringify(all)} onOpen={open} onAdd={may && all.length < MAX_SCHEDULES ? begin : undefined} />
            <Card title={t("list")}>
              <ul class="schedules-list">
                {all.map((one) => (
                  <One key={one.name} schedule={one} state={states[one.name]} section={section} all={all} may={may} onEdit={() => edit({ was: one.name, schedule: one })} onPast={() => look(one.name)} />
                ))}
              </ul>
            </Card>
          </>
        )}
      </div>
      {edited && <Editor section={section} was={edited.was} start={edited.schedule} onClose={() => edit(null)} />}
      {past !== null && <Past name={past} onClose={() => look(null)} />}
    </>
  );
}

interface OneProps {
  schedule: Schedule;
  state: State | undefined;
  section: ReturnType<typeof useSection<Schedule[]>>;
  all: Schedule[];
  may: boolean;
  onEdit: () => void;
  onPast: () => void;
}

function One({ schedule, state, section, all, may, onEdit, onPast }: OneProps) {
  const { name, text } = schedule;
  const plan = read(text);
  const used = state?.rules ?? [];
  const [next] = state?.next ?? [];
  const store = async (patch: (now: Schedule[]) => Schedule[], done: string): Promise<void> => {
    if (await persist(section, patch)) toast(done, "good");
    else toast(section.peek().problems.map(({ message }) => message).join("; ") || t("refused"), "bad");
  };
  const copy = (): Promise<void> => {
    let free = name;
    for (let n = 2; all.some((one) => one.name === free); n += 1) free = `${name.slice(0, 60)} ${n}`;
    return store((now) => [...now, { name: free, text }], t("copied", { name }));
  };
  const remove = async (): Promise<void> => {
    const words = used.length ? t("sure_used", { names: used.join(", ") }) : t("sure_unused");
    if (!(await confirm({ title: t("sure", { name }), words, action: t("delete"), danger: true }))) return;
    await store((now) => now.filter((one) => one.name !== name), t("deleted"));
  };
  return (
    <li class="schedules-one" aria-label={name}>
      <div class="schedules-what">
        <h3>
          {name} {state?.active && <Badge tone="good" dot>{t("on_now")}</Badge>} {state && <Badge>{t(state.kind)}</Badge>}
        </h3>
        <p>{plan ? describe(plan) : <code>{text}</code>}</p>
        <p class="dim">
          {next ? `${t("next")}: ${spanWords(next)}` : state && t("never")}
          {" · "}
          {used.length === 0
            ? t("unused")
            : [
                `${t("used")} `,
                ...used.slice(0, 4).map((rule, at) => (
                  <span key={rule}>
                    {at > 0 && ", "}
                    <Link path={`/rules/edit/${encodeURIComponent(rule)}`}>{rule}</Link>
                  </span>
                )),
              ]}
        </p>
      </div>
      <div class="row">
        <Button small kind="quiet" icon="clock" onClick={onPast} aria-label={t("history_of", { name })}>
          {t("history")}
        </Button>
        {may && (
          <>
            <Button small icon="edit" aria-label={t("edit_name", { name })} onClick={onEdit}>
              {t("edit")}
            </Button>
            <Menu
              label={t("actions", { name })}
              icon="more"
              hideLabel
              items={[
                { label: t("copy"), icon: "copy", disabled: all.length >= MAX_SCHEDULES, onSelect: () => void copy() },
                { label: t("delete"), icon: "trash", danger: true, onSelect: () => void remove() },
              ]}
            />
          </>
        )}
      </div>
    </li>
  );
}

interface Record {
  at: string;
  until: string | null;
  done: boolean;
  why: string;
}

/** What came of the last occurrences: what rang, what was missed, and why. */
function Past({ name, onClose }: { name: string; onClose: () => void }) {
  const [records, tell] = useState<Record[] | null>(null);
  const [problem, complain] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    get<{ occurrences: Record[] }>(`/schedules/${encodeURIComponent(name)}/history?limit=100`, { signal: gone.signal })
      .then(({ occurrences }) => tell(occurrences))
      .catch((refused: unknown) => refused instanceof Problem && complain(refused.message));
    return () => gone.abort();
  }, [name]);
  return (
    <Dialog wide title={t("history_name", { name })} onClose={onClose}>
      {problem ? (
        <p class="error">{problem}</p>
      ) : !records ? (
        <Loading />
      ) : (
        <Table
          caption={t("history_name", { name })}
          rows={records}
          rowKey={({ at }) => at}
          empty={<Empty icon="clock" title={t("history_none")} />}
          columns={[
            { key: "at", title: t("at"), cell: ({ at, until }) => spanWords({ start: at, end: until }) },
            { key: "done", title: t("outcome"), narrow: true, cell: ({ done }) => <Badge tone={done ? "good" : "fair"}>{t(done ? "done" : "missed")}</Badge> },
            { key: "why", title: t("why"), cell: ({ why }) => told(why) },
          ]}
        />
      )}
    </Dialog>
  );
}
