// The virtual inputs: switches that cameras and programs press over the network (IOP-06, API-02).

import { useState } from "preact/hooks";
import { command } from "../../api";
import { status } from "../../live";
import { can } from "../../session";
import type { Section } from "../../settings";
import { attempt, Badge, Button, Card, Choose, ConflictNotice, CopyText, Dialog, Duration, Form, Notice, Table, TextField, Toggle, toast, useLeave } from "../../ui";
import type { Rule } from "../rules/model";
import { address, inputOf, users, VIRTUAL_INPUTS, type Ports, type VirtualInput } from "./model";
import { Since, UsedBy } from "./since";
import { t } from "./words";

const FIRST = 4; // inputs that are shown although nobody uses them
const MAX_NAME = 64;

interface Props {
  section: Section<Ports>;
  rules: readonly Rule[];
}

export function VirtualInputs({ section, rules }: Props) {
  const [shown, show] = useState<"used" | "all">("used");
  const [edited, edit] = useState<number | null>(null);
  const told = (status.value?.virtual_inputs ?? []) as unknown as VirtualInput[];
  const wanted = ({ input, name, active }: VirtualInput): boolean => shown === "all" || input <= FIRST || active || name !== "" || users(rules, "input/virtual", input, true).length > 0;
  const rows = Array.from({ length: VIRTUAL_INPUTS }, (_, at) => inputOf(told, at + 1)).filter(wanted);
  return (
    <Card
      title={t("virtual")}
      class="accessories-virtual"
      actions={<Choose label={t("shown")} hideLabel value={shown} onChange={show} choices={[{ value: "used", label: t("shown_used") }, { value: "all", label: t("shown_all", { n: VIRTUAL_INPUTS }) }]} />}
    >
      <p class="hint">{t("virtual_hint")}</p>
      <Table
        caption={t("virtual")}
        rows={rows}
        rowKey={({ input }) => input}
        rowLabel={({ input }) => t("virtual_one", { n: input })}
        columns={[
          { key: "number", title: t("number"), narrow: true, cell: ({ input }) => <span class="accessories-number">{input}</span> },
          { key: "name", title: t("name"), cell: (one) => (one.name ? <strong>{one.name}</strong> : <span class="dim">{t("nameless")}</span>) },
          { key: "state", title: t("state"), narrow: true, cell: (one) => <Switch input={one} /> },
          { key: "since", title: t("since"), cell: (one) => (one.why.length ? <Since why={one.why} /> : <span class="dim">–</span>) },
          { key: "rules", title: t("rules"), cell: ({ input }) => <UsedBy rules={users(rules, "input/virtual", input)} make={`event=input/virtual&input=${input}&active=true`} /> },
          {
            key: "edit",
            title: t("set_up"),
            hideTitle: true,
            narrow: true,
            cell: ({ input }) => (
              <Button small icon="link" aria-label={t("address_of", { n: input })} onClick={() => edit(input)}>
                {section.may("/virtual_inputs") ? t("name_and_url") : t("url")}
              </Button>
            ),
          },
        ]}
      />
      {edited !== null && <Editor section={section} input={edited} name={section.value!.virtual_inputs[edited] ?? ""} onClose={() => edit(null)} />}
    </Card>
  );
}

function Switch({ input: { input, name, active, seconds_left } }: { input: VirtualInput }) {
  const turn = (on: boolean): void => void attempt(() => command("set-virtual-input", { input, active: on }));
  const words = name || t("virtual_one", { n: input });
  return (
    <span class="accessories-switch">
      {can("operator") ? (
        <Toggle label={<>{active ? t("on") : t("off")}<span class="hidden"> {words}</span></>} checked={active} onChange={turn} />
      ) : (
        <Badge dot tone={active ? "accent" : "neutral"}>{active ? t("on") : t("off")}</Badge>
      )}
      {seconds_left !== null && <small title={t("left")}><Duration value={seconds_left} /></small>}
    </span>
  );
}

function Editor({ section, input, name, onClose }: { section: Section<Ports>; input: number; name: string; onClose: () => void }) {
  const [first] = useState(name);
  const [draft, write] = useState(first);
  const [since] = useState(section.value); // when it was begun
  const may = section.may("/virtual_inputs");
  const close = (): void => {
    section.forgive();
    onClose();
  };
  const leave = useLeave(draft !== first, close);
  const saved = (): void => {
    toast(t("saved"), "good");
    close();
  };
  const save = async (): Promise<void> => {
    if (draft === first) return close();
    if (await section.save({ virtual_inputs: { [input]: draft.trim() || null } }, { since })) saved();
  };
  const problem = section.problems.map(({ message }) => message).join("; ") || undefined;
  return (
    <Dialog wide title={t("virtual_one", { n: input })} onClose={leave}>
      <Form class="stack" label={t("virtual_one", { n: input })} onSubmit={() => void save()}>
        <ConflictNotice section={section} onTheirs={close} onSaved={saved} />
        {may && <TextField name="name" label={t("name")} hint={t("name_hint")} maxLength={MAX_NAME} value={draft} error={problem} onChange={write} />}
        <dl class="accessories-urls">
          <dt>{t("url_on")}</dt>
          <dd><CopyText text={address(input, true)} label={t("copy_on")} /></dd>
          <dt>{t("url_off")}</dt>
          <dd><CopyText text={address(input, false)} label={t("copy_off")} /></dd>
          <dt>{t("url_while")}</dt>
          <dd><CopyText text={address(input, true, 30)} label={t("copy_while")} /></dd>
        </dl>
        <Notice>{t("url_hint")}</Notice>
        <div class="form-foot">
          <Button onClick={leave}>{may ? t("cancel") : t("close")}</Button>
          {may && <Button kind="primary" type="submit" busy={section.saving}>{t("save")}</Button>}
        </div>
      </Form>
    </Dialog>
  );
}
