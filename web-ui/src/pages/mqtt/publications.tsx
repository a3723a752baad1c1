// Which events the device publishes, under which topics, and what that looks like (MQT-13).

import { useEffect, useState } from "preact/hooks";
import { get, post } from "../../api";
import { can } from "../../session";
import { changes, merged, type Patched, type Section } from "../../settings";
import { Button, Card, Empty, Form, IconButton, Notice, SchemaForm, Select, TextField, toast, useDraft, type SchemaField } from "../../ui";
import { eventTitle } from "../rules/catalog";
import { qosChoices } from "./connection";
import { MAX_CONDITIONS, type Condition, type Mqtt, type Publications as Settings } from "./model";
import { t } from "./words";

const PAUSE = 250; // milliseconds after a key, until the device is asked
const EVENTS_SHOWN = 6; // named of a condition that means many

/** Events of a kind; filters: how conditions name them. */
interface Topic {
  event: string;
  words: string;
  lasting: boolean;
  filters: string[];
}

/** What a condition means. */
interface Covered {
  problem: string;
  events: string[];
  messages: { topic: string; payload: string; qos: number; retain: boolean }[];
}

type ByFilter = Readonly<Record<string, Covered>>;

export function Publications({ section }: { section: Section<Mqtt> }) {
  const draft = useDraft<Mqtt, Patched<Settings>>(section, (publications) => ({ publications }));
  const { dirty, forget } = draft;
  const topics = useTopics();
  const stored = section.value!.publications;
  const value = merged(stored, draft.value);
  const covered = usePreview(value);
  const mine = section.problems.filter(({ path }) => path === "" || path.startsWith("/mqtt/publications"));
  const schema = section.schema.$defs?.Publications ?? {};
  const edit = (next: Settings): void => draft.write(changes(stored, next));
  const save = async (): Promise<void> => {
    if (await draft.save()) toast(t("saved"), "good");
  };
  return (
    <Card title={t("publications")}>
      <p class="hint">{t("publications_hint")}</p>
      <Form class="stack" label={t("publications")} onSubmit={() => void save()}>
        {draft.notice}
        <SchemaForm
          schema={schema}
          root={section.schema}
          value={value}
          onChange={edit}
          problems={mine}
          base="/mqtt/publications"
          brief={["/conditions"]}
          hide={value.prefix === "custom" ? [] : ["/custom_prefix"]}
          order={["/conditions"]}
          values={{ default: t("prefix_default"), custom: t("prefix_custom") }}
          render={{ "/conditions": (field) => <Conditions field={field} topics={topics} covered={covered} problemOf={(n) => mine.find(({ path }) => path.startsWith(`/mqtt/publications/conditions/${n}/`))?.message} /> }}
          readOnly={!section.may("/publications")}
        />
        {dirty && (
          <div class="form-foot">
            <Button onClick={forget}>{t("cancel")}</Button>
            <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>
          </div>
        )}
      </Form>
    </Card>
  );
}

interface ConditionsProps {
  field: SchemaField;
  topics: readonly Topic[];
  covered: ByFilter;
  problemOf: (at: number) => string | undefined;
}

function Conditions({ field: { value, onChange, disabled, error }, topics, covered, problemOf }: ConditionsProps) {
  const all = value as Condition[];
  const offered = [{ value: "", label: t("choose_event") }, { value: "//.", label: t("all_events") }, ...topics.map(({ event, filters }) => ({ value: filters[0]!, label: `${eventTitle(event)} · ${filters[0]}` }))];
  const lasting = (filter: string): boolean => topics.find(({ filters }) => filters.includes(filter))?.lasting ?? true;
  const add = (filter: string): void => onChange([...all, { topic_filter: filter, retain: lasting(filter) ? "property" : "none", qos: 0 }]);
  const change = (n: number, next: Partial<Condition>): void => onChange(all.map((one, at) => (at === n ? { ...one, ...next } : one)));
  return (
    <div class="mqtt-conditions" data-field="/conditions">
      {error && <p class="error" role="alert">{error}</p>}
      {all.length === 0 && <Empty icon="upload" title={t("publishes_nothing")}>{t("publishes_nothing_hint")}</Empty>}
      <ul aria-label={t("conditions")}>
        {all.map((one, n) => (
          <li key={n} aria-label={one.topic_filter}>
            <div class="mqtt-condition">
              <TextField label={t("events")} value={one.topic_filter} disabled={disabled} list={["//.", ...topics.flatMap(({ filters }) => filters)]} error={problemOf(n) ?? (covered[one.topic_filter]?.problem || undefined)} onChange={(next) => change(n, { topic_filter: next })} />
              <Select label={t("retain")} value={one.retain} disabled={disabled} choices={(["none", "property", "all"] as const).map((value) => ({ value, label: t(`retain_${value}`) }))} onChange={(next) => change(n, { retain: next })} />
              <Select label={t("qos")} value={one.qos as unknown} disabled={disabled} choices={qosChoices()} onChange={(next) => change(n, { qos: next as number })} />
              {!disabled && <IconButton icon="trash" label={t("remove_one", { filter: one.topic_filter })} onClick={() => onChange(all.filter((_, at) => at !== n))} />}
            </div>
            {covered[one.topic_filter] && <Preview covered={covered[one.topic_filter]!} />}
          </li>
        ))}
      </ul>
      {!disabled && <Select class="mqtt-add" label={t("add_event")} value="" disabled={all.length >= MAX_CONDITIONS} choices={offered} onChange={add} />}
    </div>
  );
}

/** What a condition means, and some messages as they would be published. */
function Preview({ covered: { problem, events, messages } }: { covered: Covered }) {
  if (problem) return null;
  if (!events.length) return <Notice tone="fair">{t("means_nothing")}</Notice>;
  const named = events.slice(0, EVENTS_SHOWN).map(eventTitle).join(" · ");
  return (
    <details class="mqtt-preview">
      <summary>
        {named}
        {events.length > EVENTS_SHOWN && ` ${t("and_more", { n: events.length - EVENTS_SHOWN })}`}
      </summary>
      <p class="hint">{t("preview_hint")}</p>
      <ul>
        {messages.map((message, n) => (
          <li key={n}>
            <code>{message.topic}</code> {message.retain && <small>{t("retained")}</small>}
            <pre>{message.payload}</pre>
          </li>
        ))}
      </ul>
    </details>
  );
}

function useTopics(): readonly Topic[] {
  const [topics, tell] = useState<readonly Topic[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    get<{ topics: Topic[] }>("/mqtt/topics", { signal: gone.signal })
      .then((answer) => tell(answer.topics))
      .catch(() => undefined); // topics can be typed as well
    return () => gone.abort();
  }, []);
  return topics;
}

/** What the conditions of a draft mean, by their filters, a moment after the last key. */
function usePreview(wanted: Settings): ByFilter {
  const [covered, tell] = useState<ByFilter>({});
  const asked = JSON.stringify({ publications: wanted });
  useEffect(() => {
    if (!can("operator")) return undefined;
    const gone = new AbortController();
    const ask = (): void =>
      void post<{ conditions: Covered[] }>("/mqtt/preview", JSON.parse(asked), { signal: gone.signal })
        .then(({ conditions }) => tell(Object.fromEntries(conditions.map((one, n) => [wanted.conditions[n]!.topic_filter, one]))))
        .catch(() => undefined); // what is wrong is said by the device when it is saved
    const waiting = setTimeout(ask, PAUSE);
    return () => {
      clearTimeout(waiting);
      gone.abort();
    };
  }, [asked]);
  return covered;
}
