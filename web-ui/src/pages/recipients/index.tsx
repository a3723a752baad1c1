// Recipients: whom rules can send to, whether that works, and what waits to be sent (RCP-01…11).

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { post, Problem } from "../../api";
import { status } from "../../live";
import { Link } from "../../router";
import { can } from "../../session";
import { type Section, useSection } from "../../settings";
import { Badge, Button, Card, confirm, Empty, Icon, Loading, Menu, Notice, PageHead, persist, toast } from "../../ui";
import { seconds } from "../../words";
import { complete, type Rule } from "../rules/model";
import { Editor, Kinds } from "./editor";
import { freeName, ICONS, type Kind, MAX_RECIPIENTS, type Recipient, target } from "./model";
import { Outbox } from "./outbox";
import { t } from "./words";
import "./recipients.css";

interface Edited {
  was: string | null; // the name of the recipient that is changed; null: it is new
  recipient: Recipient;
}

export default function Recipients() {
  const section = useSection<Recipient[]>("recipients");
  const rules = (useSection<Rule[]>("rules").value ?? []).map(complete);
  const [choosing, choose] = useState(false);
  const [edited, edit] = useState<Edited | null>(null);
  const all = section.value;
  if (!all) return <Loading />;
  const may = section.may("");
  const full = all.length >= MAX_RECIPIENTS;
  const begin = (kind: Kind): void => {
    choose(false);
    edit({ was: null, recipient: { kind, name: "" } });
  };
  const add = may && (
    <Button kind="primary" icon="plus" disabled={full} onClick={() => choose(true)}>
      {t("add")}
    </Button>
  );
  return (
    <>
      <PageHead title={t("title")} actions={all.length > 0 && add}>
        {t("lead")}
      </PageHead>
      <div class="stack">
        {!may && <Notice>{t("only_admins")}</Notice>}
        {full && <Notice tone="fair">{t("full", { limit: MAX_RECIPIENTS })}</Notice>}
        {all.length === 0 ? (
          <Card>
            <Empty icon="recipients" title={t("none")} action={add}>
              {t("none_hint")}
            </Empty>
          </Card>
        ) : (
          <ul class="recipients">
            {all.map((one) => (
              <li key={one.name}>
                <One recipient={one} section={section} all={all} may={may} users={users(rules, one.name)} onEdit={() => edit({ was: one.name, recipient: one })} />
              </li>
            ))}
          </ul>
        )}
        <Outbox names={all.map(({ name }) => name)} />
      </div>
      {choosing && <Kinds onChoose={begin} onClose={() => choose(false)} />}
      {edited && <Editor section={section} was={edited.was} start={edited.recipient} onClose={() => edit(null)} />}
    </>
  );
}

const users = (rules: readonly Rule[], name: string): string[] => rules.filter(({ action }) => action.recipient === name).map((rule) => rule.name);

interface Trial {
  worked: boolean;
  words: string;
  seconds: number;
}

interface OneProps {
  recipient: Recipient;
  section: Section<Recipient[]>;
  all: Recipient[];
  may: boolean;
  users: string[];
  onEdit: () => void;
}

function One({ recipient, section, all, may, users: used, onEdit }: OneProps) {
  const { name, kind } = recipient;
  const failing = ((status.value?.outbox.failing ?? []) as string[]).includes(name);
  const store = async (patch: (now: Recipient[]) => Recipient[], done: string): Promise<void> => {
    if (await persist(section, patch)) toast(done, "good");
    else toast(section.peek().problems.map(({ message }) => message).join("; ") || t("sure_hint"), "bad");
  };
  const copy = (): Promise<void> => {
    const next = { ...recipient, name: freeName(name, all.map((one) => one.name)) };
    return store((now) => [...now, next], t("copied", { name }));
  };
  const remove = async (): Promise<void> => {
    const words = used.length ? `${t("used")}: ${used.join(", ")}` : t("sure_hint");
    if (!(await confirm({ title: t("sure", { name }), words, action: t("delete"), danger: true }))) return;
    await store((now) => now.filter((one) => one.name !== name), t("deleted"));
  };
  return (
    <article class="card recipients-one" aria-label={name}>
      <header>
        <Icon name={ICONS[kind]} size={24} />
        <div>
          <h2>{name}</h2>
          <small>{t(`kind_${kind}`)}</small>
        </div>
        {failing && <Badge tone="bad" dot>{t("failing")}</Badge>}
      </header>
      <p class="recipients-target">{target(recipient)}</p>
      <p class="dim">
        {used.length ? (
          <>
            {t("used")}{" "}
            {used.slice(0, 4).map((rule, at) => (
              <span key={rule}>
                {at > 0 && ", "}
                <Link path={`/rules/edit/${encodeURIComponent(rule)}`}>{rule}</Link>
              </span>
            ))}
          </>
        ) : (
          t("unused")
        )}
      </p>
      <Tested name={name}>
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
                { label: t("copy"), icon: "copy", disabled: all.length >= MAX_RECIPIENTS, onSelect: () => void copy() },
                { label: t("delete"), icon: "trash", danger: true, onSelect: () => void remove() },
              ]}
            />
          </>
        )}
      </Tested>
    </article>
  );
}

/** The test of a recipient, with the server's own words, beside the other buttons. */
function Tested({ name, children }: { name: string; children: ComponentChildren }) {
  const [busy, wait] = useState(false);
  const [trial, tell] = useState<Trial | null>(null);
  const test = async (): Promise<void> => {
    wait(true);
    tell(null);
    try {
      tell(await post<Trial>(`/recipients/${encodeURIComponent(name)}/test`, undefined, { signal: AbortSignal.timeout(30_000) }));
    } catch (refused) {
      if (!(refused instanceof Problem)) throw refused;
      tell({ worked: false, words: refused.message, seconds: 0 });
    } finally {
      wait(false);
    }
  };
  return (
    <>
      <div class="recipients-tested" role="status">
        {busy && <p class="dim">{t("testing")}</p>}
        {trial && <Notice tone={trial.worked ? "good" : "bad"}>{trial.worked ? t("worked", { seconds: seconds(trial.seconds) }) : t("failed", { words: trial.words })}</Notice>}
      </div>
      <div class="row recipients-buttons">
        {can("operator") && (
          <Button small icon="play" busy={busy} aria-label={t("test_name", { name })} onClick={() => void test()}>
            {t("test")}
          </Button>
        )}
        {children}
      </div>
    </>
  );
}
