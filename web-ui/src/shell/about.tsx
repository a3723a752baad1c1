// About the device, what is new in it, and a new password.

import { useState } from "preact/hooks";
import { post } from "../api";
import { status } from "../live";
import { Button, CopyText, Dialog, Form, TextField, toast } from "../ui";
import { refusalOf, Strength, Unsecured } from "./door";
import { NEWS, t as news } from "./news";
import { MIT, PARTS } from "./parts";
import { t } from "./words";

export function About({ onClose }: { onClose: () => void }) {
  const device = status.value?.device;
  return (
    <Dialog title={t("about")} onClose={onClose}>
      <dl class="facts">
        <dt>{t("name")}</dt>
        <dd>{device?.name}</dd>
        <dt>{t("version")}</dt>
        <dd>{device?.version}</dd>
        <dt>{t("serial")}</dt>
        <dd>{device && <CopyText text={device.serial} />}</dd>
      </dl>
      <p>
        {t("api")} <a href="/api/v1/openapi.json" target="_blank" rel="noreferrer">/api/v1/openapi.json</a>
      </p>
      <h3>{news("title")}</h3>
      <ul class="news">
        {NEWS.map((key) => (
          <li key={key}>{news(key)}</li>
        ))}
      </ul>
      <h3>{t("privacy")}</h3>
      <p class="dim">{t("privacyWords")}</p>
      <h3>{t("source")}</h3>
      <p class="dim">{t("licenceWords")}</p>
      <details>
        <summary>{t("parts")}</summary>
        <div class="parts" lang="en">
          {PARTS.map((part) => (
            <p key={part}>{part}</p>
          ))}
          {MIT.map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
        </div>
      </details>
    </Dialog>
  );
}

export function ChangePassword({ onClose }: { onClose: () => void }) {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [busy, work] = useState(false);
  const [wrong, complain] = useState<Record<string, string>>({});
  const submit = async (): Promise<void> => {
    complain(fresh === again ? {} : { again: t("differ") });
    if (fresh !== again) return;
    work(true);
    const problem = await refusalOf(() => post("/password", { old, new: fresh }));
    work(false);
    if (problem) return complain({ [problem.fields[0]?.path.replace(/^\//, "") || "form"]: problem.message });
    toast(t("changed"), "good");
    onClose();
  };
  return (
    <Dialog title={t("changePassword")} onClose={onClose}>
      <Unsecured />
      <Form class="stack" label={t("changePassword")} onSubmit={() => void submit()}>
        <TextField name="old" label={t("oldPassword")} error={wrong.old} type="password" value={old} onChange={setOld} autocomplete="current-password" maxLength={64} autoFocus />
        <TextField name="new" label={t("newPassword")} error={wrong.new} type="password" value={fresh} onChange={setFresh} autocomplete="new-password" maxLength={64} />
        <Strength password={fresh} />
        <TextField name="again" label={t("again")} error={wrong.again} type="password" value={again} onChange={setAgain} autocomplete="new-password" maxLength={64} />
        <p class="error" role="alert">{wrong.form}</p>
        <div class="form-foot">
          <Button type="submit" kind="primary" busy={busy}>{t("change")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}
