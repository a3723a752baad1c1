// Files become clips: chosen or dropped, sent one after the other, with their progress.

import { useRef, useState } from "preact/hooks";
import { Problem, upload } from "../../api";
import { IconButton, join } from "../../ui/basics";
import { FileDrop } from "../../ui/things";
import { bytes, percent } from "../../words";
import { freeName } from "./model";
import { t } from "./words";

const TOO_LARGE = 413; // said by the server, which does not know what a clip is
const ACCEPT = "audio/*,.wav,.au,.mp3,.opus,.ogg,.flac";

interface Sent {
  id: number;
  file: File;
  share: number; // 0…1; −1: waits
  problem: string;
}

export function Uploads({ accepted, names, added }: { accepted: string; names: ReadonlySet<string>; added: () => Promise<unknown> }) {
  const [sent, show] = useState<Sent[]>([]);
  const count = useRef(0);
  const sending = useRef<Promise<unknown>>(Promise.resolve());
  const taken = useRef(new Set<string>());
  const update = (id: number, part: Partial<Sent>): void => show((all) => all.map((one) => (one.id === id ? { ...one, ...part } : one)));
  const dismiss = (id: number): void => show((all) => all.filter((one) => one.id !== id));

  const send = async ({ id, file }: Sent): Promise<void> => {
    const name = freeName(file.name, new Set([...names, ...taken.current]));
    taken.current.add(name);
    try {
      await upload(`/clips?name=${encodeURIComponent(name)}`, file, (share) => update(id, { share }));
      await added();
      dismiss(id);
    } catch (problem) {
      taken.current.delete(name);
      if (!(problem instanceof Problem)) throw problem;
      update(id, { problem: problem.status === TOO_LARGE ? `${problem.message}; ${accepted}` : problem.message });
    }
  };
  const take = (files: File[]): void => {
    const fresh = files.map((file) => ({ id: ++count.current, file, share: -1, problem: "" }));
    show((all) => [...all, ...fresh]);
    for (const one of fresh) sending.current = sending.current.then(() => send(one));
  };
  return (
    <div class="media-uploads">
      <FileDrop label={t("addLabel")} hint={accepted && t("accepted", { what: accepted.replace(/^accepted are /, "") })} accept={ACCEPT} multiple onFiles={take} />
      <ul aria-live="polite">
        {sent.map(({ id, file, share, problem }) => (
          <li key={id} class={join(problem && "media-refused")}>
            <strong>{file.name}</strong>
            <small>{bytes(file.size)}</small>
            <span>{problem ? t("refused") : share < 0 ? t("waits") : share < 1 ? <span aria-live="off">{percent(share, 0)}</span> : t("decoded")}</span>
            {problem ? <IconButton small icon="close" label={t("dismiss", { name: file.name })} onClick={() => dismiss(id)} /> : <progress max={1} value={Math.max(0, share)} aria-label={t("progress", { name: file.name })} />}
            {problem && <p class="error" role="alert">{problem}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}
