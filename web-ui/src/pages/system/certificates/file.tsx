// Files with certificates and keys, as people have them: several of PEM, or one of PKCS #12.

import { useState } from "preact/hooks";
import { FileDrop, IconButton, TextField } from "../../../ui";
import { FILE_MAX } from "./model";
import { t } from "./words";

export interface Brought {
  files: { name: string; text: string }[]; // of PEM
  pfx: { name: string; data: string } | null; // Base64
  pasted: string;
}

export const NOTHING: Brought = { files: [], pfx: null, pasted: "" };

/** All PEM that there is. */
export const pemOf = ({ files, pasted }: Brought): string => [...files.map(({ text }) => text), pasted].filter((text) => text.trim()).join("\n");

export const isEmpty = (brought: Brought): boolean => brought.pfx === null && pemOf(brought) === "";

async function read(file: File): Promise<{ text: string } | { data: string }> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const text = new TextDecoder("latin1").decode(bytes);
  return text.includes("-----BEGIN") ? { text } : { data: btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join("")) };
}

interface Props {
  value: Brought;
  onChange: (value: Brought) => void;
  error: string | undefined;
  signed?: boolean; // only what an authority has made of a request
}

export function Files({ value, onChange, error, signed }: Props) {
  const [opened, open] = useState(false);
  const take = async (files: File[]): Promise<void> => {
    let next: Brought = { ...value };
    for (const file of files) {
      const found = await read(file);
      if ("data" in found) next = { ...next, files: [], pfx: { name: file.name, data: found.data } };
      else next = { ...next, pfx: null, files: [...next.files.filter(({ name }) => name !== file.name), { name: file.name, text: found.text }] };
    }
    onChange(next);
  };
  const names = value.pfx ? [value.pfx.name] : value.files.map(({ name }) => name);
  const drop = (name: string): void => onChange({ ...value, pfx: null, files: value.files.filter((one) => one.name !== name) });
  return (
    <div class="certificates-files" data-field="file">
      <FileDrop multiple={!signed} max={FILE_MAX} accept=".pem,.crt,.cer,.key,.pfx,.p12,.txt" label={t(signed ? "signedFile" : "files")} hint={t(signed ? "signedHint" : "filesHint")} onFiles={(files) => void take(files)} />
      {names.length > 0 && (
        <ul>
          {names.map((name) => (
            <li key={name}>
              <span>{name}</span>
              <IconButton small icon="close" label={t("takeAway", { name })} onClick={() => drop(name)} />
            </li>
          ))}
        </ul>
      )}
      <details class="schema-more" open={opened || value.pasted !== ""} onToggle={(event) => open(event.currentTarget.open)}>
        <summary>{t("paste")}</summary>
        <TextField label={t("paste")} hideLabel rows={5} value={value.pasted} onChange={(pasted) => onChange({ ...value, pasted })} />
      </details>
      <p class="error" role="alert">{error}</p>
    </div>
  );
}
