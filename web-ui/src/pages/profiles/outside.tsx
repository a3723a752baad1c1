// How cameras and programs start and stop a profile by its name: no rule is needed for that (EXA-05).

import { Dialog } from "../../ui/dialog";
import { CopyText } from "../../ui/things";
import { t } from "./words";

const PATH = "/axis-cgi/siren_and_light.cgi";

const order = (method: "start" | "stop", profile: string): string => JSON.stringify({ apiVersion: "1.0", method, params: { profile } });

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function Outside({ name, onClose }: { name: string; onClose: () => void }) {
  const url = `${location.origin}${PATH}`;
  return (
    <Dialog wide title={t("outsideTitle", { name })} onClose={onClose}>
      <p>{t("outsideWords")}</p>
      <dl class="profiles-outside">
        <dt>{t("outsideUrl")}</dt>
        <dd><CopyText text={url} label={t("copyUrl")} /></dd>
        <dt>{t("outsideStart")}</dt>
        <dd><CopyText text={order("start", name)} label={t("copyStart")} /></dd>
        <dt>{t("outsideStop")}</dt>
        <dd><CopyText text={order("stop", name)} label={t("copyStop")} /></dd>
        <dt>{t("outsideShell")}</dt>
        <dd><CopyText text={`curl --digest -u NAME -d ${quoted(order("start", name))} ${url}`} label={t("copyShell")} /></dd>
      </dl>
      <p class="hint">{t("outsideHint")}</p>
    </Dialog>
  );
}
