// Every setting as a tree, for experts (PLC-01): found by words and paths, changed one by one.

import { useMemo, useState } from "preact/hooks";
import type { PageProps } from "../../../pages";
import { Link } from "../../../router";
import { Badge, Button, Card, Empty, Loading, Notice, PageHead } from "../../../ui/basics";
import { mayLeave } from "../../../ui/dialog";
import { TextField, Toggle } from "../../../ui/fields";
import { Icon } from "../../../ui/icon";
import "./config.css";
import { Editor } from "./editor";
import { elsewhere, found, kindWords, settingAt, treeOf, valueWords, type Setting } from "./model";
import { useAll, type Store } from "./store";
import { t } from "./words";

const SHOWN = 200; // settings in the page at a time, of those that were found and of each list

export default function Config({ rest }: PageProps) {
  const { store, problem } = useAll();
  const [text, find] = useState(rest.length ? `/${rest.join("/")}` : "");
  const [changed, narrow] = useState(false);
  return (
    <div class="config">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      {problem && <Notice tone="bad" live>{problem}</Notice>}
      <Card title={t("all")} actions={store && <small>{t("revision", { n: store.all.revision })}</small>}>
        <div class="config-find">
          <TextField name="find" label={t("find")} type="search" placeholder={t("findHint")} value={text} onChange={find} />
          <Toggle name="changed" label={t("onlyChanged")} checked={changed} onChange={narrow} />
        </div>
        {store ? <Settings store={store} text={text} changed={changed} /> : !problem && <Loading />}
      </Card>
    </div>
  );
}

interface View {
  store: Store;
  open: ReadonlySet<string>; // paths
  toggle: (path: string) => void;
  editing: string | null;
  edit: (path: string | null) => void; // asks before something that is not saved is left
}

function Settings({ store, text, changed }: { store: Store; text: string; changed: boolean }) {
  const [open, show] = useState<ReadonlySet<string>>(new Set());
  const [editing, begin] = useState<string | null>(null);
  const tree = useMemo(() => treeOf(store.all, store.schema), [store.all, store.schema]);
  const searching = text.trim() !== "" || changed;
  const hits = useMemo(() => (searching ? found(tree, text, changed) : []), [tree, text, changed, searching]);
  const edit = async (path: string | null): Promise<void> => {
    if (path === null || (await mayLeave())) begin(path);
  };
  const toggle = async (path: string): Promise<void> => {
    if (editing?.startsWith(`${path}/`)) {
      if (!(await mayLeave())) return;
      begin(null);
    }
    const next = new Set(open);
    if (!next.delete(path)) next.add(path);
    show(next);
  };
  const view: View = { store, open, toggle: (path) => void toggle(path), editing, edit: (path) => void edit(path) };
  const lost = searching && editing !== null && !hits.some(({ path }) => path === editing) ? settingAt(tree, editing) : undefined;
  if (!searching) return <Branch settings={tree} view={view} />;
  return (
    <>
      <p class="hint" role="status">{hits.length ? t("results", { n: hits.length }) : t(text.trim() ? "nothingFound" : "nothingChanged")}</p>
      {hits.length + (lost ? 1 : 0) > 0 ? (
        <ul class="config-list">
          {(lost ? [lost, ...hits] : hits).slice(0, SHOWN).map((setting) => (
            <Value key={setting.path} setting={setting} view={view} />
          ))}
        </ul>
      ) : (
        <Empty icon="search" title={t(text.trim() ? "nothingFound" : "nothingChanged")} />
      )}
      {hits.length > SHOWN && <p class="hint">{t("more", { n: hits.length - SHOWN })}</p>}
    </>
  );
}

function Branch({ settings, view }: { settings: readonly Setting[]; view: View }) {
  const [shown, show] = useState(SHOWN);
  return (
    <ul class="config-list">
      {settings.slice(0, shown).map((setting) => (setting.children ? <Group key={setting.path} setting={setting} view={view} /> : <Value key={setting.path} setting={setting} view={view} />))}
      {settings.length > shown && (
        <li>
          <Button small onClick={() => show(shown + SHOWN)}>{t("entries", { n: settings.length - shown })} …</Button>
        </li>
      )}
    </ul>
  );
}

function Group({ setting, view }: { setting: Setting; view: View }) {
  const { path, title, children, changed } = setting;
  const { open, toggle, editing, edit, store } = view;
  const shown = open.has(path);
  const elsewherePage = elsewhere(path);
  return (
    <li class="config-group" data-path={path}>
      <div class="config-row">
        <button type="button" class="config-branch" aria-expanded={shown} onClick={() => toggle(path)}>
          <Icon name={shown ? "down" : "right"} size={16} />
          <strong>{title}</strong>
          <code>{path}</code>
        </button>
        <span class="config-marks">
          {Array.isArray(setting.value) && <small>{t("entries", { n: children!.length })}</small>}
          {changed > 0 && <Badge tone="accent">{t("changedCount", { n: changed })}</Badge>}
        </span>
        {shown && (elsewherePage ? <Link path={elsewherePage}>{t("elsewhere")}</Link> : path.split("/").length > 2 || Array.isArray(setting.value) ? <Button small kind="quiet" aria-label={t("textOf", { path })} onClick={() => edit(path)}>{t("asText")}</Button> : null)}
      </div>
      {editing === path && <Editor setting={setting} store={store} onClose={() => edit(null)} />}
      {shown && (
        <div class="config-below">
          {setting.hint && <p class="hint">{setting.hint}</p>}
          <Branch settings={children!} view={view} />
        </div>
      )}
    </li>
  );
}

function Value({ setting, view: { store, editing, edit } }: { setting: Setting; view: View }) {
  const { path, title, hint, value, schema, usual, changed } = setting;
  const page = elsewhere(path);
  const fixed = page !== undefined || path === "/device/serial";
  return (
    <li class="config-value" data-path={path} data-changed={changed ? "" : undefined}>
      <div class="config-row">
        <span class="config-name">
          <strong>{title}</strong>
          <code>{path}</code>
        </span>
        <span class="config-now">
          <span class="config-is" data-kind={typeof value}>{valueWords(value, schema)}</span>
          {changed > 0 && <Badge tone="accent">{t("changed")}</Badge>}
        </span>
        {page ? <Link path={page}>{t("elsewhere")}</Link> : !fixed && <Button small kind="quiet" icon="edit" aria-expanded={editing === path} aria-label={t("editOf", { path })} onClick={() => edit(editing === path ? null : path)}>{t("edit")}</Button>}
      </div>
      <p class="hint">{[kindWords(setting), usual !== undefined && t("default", { value: valueWords(usual, schema) })].filter(Boolean).join(" · ")}</p>
      {hint && <p class="hint">{hint}</p>}
      {editing === path && <Editor key={path} setting={setting} store={store} onClose={() => edit(null)} />}
    </li>
  );
}
