// Certificates and keys in PEM form: several lines, pasted or from a file. A key never comes back.

import { Button, Field, FileDrop, TextField, uiWords, type SchemaField } from "../../ui";
import { t } from "./words";

const ACCEPT = ".pem,.crt,.cer,.key";

export function Pem({ path, title, hint, schema, value, onChange, error, disabled }: SchemaField) {
  if (typeof value === "object" && value !== null)
    return (
      <Field label={title} hint={hint} error={error} name={path}>
        {(control) => (
          <span class="secret">
            <input {...control} value="••••••••" readOnly disabled={disabled} aria-label={`${title}: ${uiWords("set")}`} />
            {!disabled && <Button small onClick={() => onChange("")}>{uiWords("replace")}</Button>}
          </span>
        )}
      </Field>
    );
  const text = String(value ?? "");
  return (
    <div class="mqtt-pem">
      <TextField name={path} label={title} hint={hint} error={error} rows={2} maxLength={schema.maxLength} value={text} disabled={disabled} onChange={onChange} />
      {!disabled && !text && <FileDrop label={t("pem_file", { title })} accept={ACCEPT} max={schema.maxLength} onFiles={([file]) => void file?.text().then(onChange)} />}
    </div>
  );
}
