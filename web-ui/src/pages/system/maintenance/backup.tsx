// All that people have set as one file: taken away here, with or without secrets.

import { useState } from "preact/hooks";
import { Problem, raw, refusal } from "../../../api";
import { status } from "../../../live";
import { Button, Card } from "../../../ui/basics";
import { Choose, Form, TextField } from "../../../ui/fields";
import { toast } from "../../../ui/toast";
import { bytes } from "../../../words";
import { t } from "./words";

const PASSWORD_MAX = 128; // characters

export function Backup() {
  const [which, choose] = useState<"plain" | "secrets">("plain");
  const [password, type] = useState("");
  const [again, repeat] = useState("");
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const hidden = which === "secrets";
  const make = async (): Promise<void> => {
    if (hidden && !password) return complain({ password: t("passwordNeeded") });
    if (hidden && password !== again) return complain({ again: t("differ") });
    complain({});
    work(true);
    try {
      const response = await raw("POST", "/backup", hidden ? { password } : {}, { endless: true });
      if (!response.ok) throw refusal(response.status, (await response.json()) as Record<string, unknown>);
      const content = await response.blob();
      save(content, `sipstrobe-${status.value?.device.serial ?? ""}-${new Date().toISOString().slice(0, 10)}.zip`);
      toast(t("backupMade", { size: bytes(content.size) }), "good");
      type("");
      repeat("");
    } catch (problem) {
      complain({ form: problem instanceof Problem ? problem.message : t("brokenOff") });
    }
    work(false);
  };
  return (
    <Card title={t("backup")}>
      <Form class="stack" label={t("backup")} onSubmit={() => void make()}>
        <p class="hint">{t("backupLead")}</p>
        <Choose label={t("secrets")} value={which} onChange={choose} choices={[{ value: "plain", label: t("withoutSecrets") }, { value: "secrets", label: t("withSecrets") }]} />
        <p class="hint">{t(hidden ? "withSecretsWords" : "withoutSecretsWords")}</p>
        {hidden && (
          <div class="upkeep-pair">
            <TextField name="password" label={t("backupPassword")} error={wrong.password} type="password" value={password} onChange={type} maxLength={PASSWORD_MAX} autocomplete="new-password" />
            <TextField name="again" label={t("again")} error={wrong.again} type="password" value={again} onChange={repeat} maxLength={PASSWORD_MAX} autocomplete="new-password" />
          </div>
        )}
        <p class="error" role="alert">{wrong.form}</p>
        <div>
          <Button kind="primary" icon="download" type="submit" busy={busy}>{t("makeBackup")}</Button>
        </div>
      </Form>
    </Card>
  );
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
