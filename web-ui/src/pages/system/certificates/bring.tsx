// A file for a certificate that there is: what was signed for its request, or another in its place.

import { useState } from "preact/hooks";
import { put } from "../../../api";
import { Button, Dialog, Form, TextField, toast, useLeave } from "../../../ui";
import { wrongWith } from "../told";
import { Files, isEmpty, NOTHING, pemOf, type Brought } from "./file";
import { t } from "./words";

const FIELDS = ["pem", "key", "pfx", "password"];

interface Props {
  name: string;
  signed: boolean;
  onClose: () => void;
  onDone: () => Promise<void>;
}

export function Bring({ name, signed, onClose, onDone }: Props) {
  const [brought, write] = useState<Brought>(NOTHING);
  const [password, setPassword] = useState("");
  const [wrong, complain] = useState<Record<string, string>>({});
  const [busy, work] = useState(false);
  const leave = useLeave(!isEmpty(brought) || password !== "", onClose);
  const title = t(signed ? "signName" : "replaceName", { name });
  const submit = async (): Promise<void> => {
    if (isEmpty(brought)) return complain({ pem: t("needed") });
    work(true);
    const path = `/certificates/${encodeURIComponent(name)}`;
    const refused = await wrongWith(() => (signed ? put(`${path}/signed`, { pem: pemOf(brought) }) : put(path, { ...content(brought), password })), FIELDS);
    work(false);
    if (refused) return complain(refused);
    toast(t(signed ? "brought" : "replaced", { name }), "good");
    onClose();
    await onDone();
  };
  return (
    <Dialog title={title} onClose={leave}>
      <Form class="stack" label={title} onSubmit={() => void submit()}>
        <Files signed={signed} value={brought} onChange={write} error={filesWrong(wrong)} />
        {!signed && <TextField name="password" type="password" label={t("password")} hint={t("passwordHint")} error={wrong.password} value={password} onChange={setPassword} autocomplete="off" />}
        <p class="error" role="alert">{wrong.form}</p>
        <div class="form-foot">
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>{t(signed ? "bring" : "replace")}</Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** As the device takes it. */
export const content = (brought: Brought): { pfx: string } | { pem: string } => (brought.pfx ? { pfx: brought.pfx.data } : { pem: pemOf(brought) });

/** What is wrong with what was in the files. */
export const filesWrong = ({ pem, key, pfx }: Record<string, string>): string | undefined => [pem, key, pfx].filter(Boolean).join("; ") || undefined;
