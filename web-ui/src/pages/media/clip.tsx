// One clip: what it is, and what can be done with it.

import { useState } from "preact/hooks";
import { command, del, patch } from "../../api";
import { can } from "../../session";
import { Badge, Button, IconButton, join } from "../../ui/basics";
import { confirm, Dialog, useLeave } from "../../ui/dialog";
import { Form, Select, Slider, TextField } from "../../ui/fields";
import { CopyText } from "../../ui/things";
import { attempt } from "../../ui/toast";
import { bytes, decibels, fixed, number, seconds } from "../../words";
import { isOverdriven, linkOf, NAME_MAX, standsOut, type Clip } from "./model";
import { t } from "./words";

const VOLUMES = { min: -30, max: 20, step: 1 }; // dB of one playback

interface Props {
  clip: Clip;
  clips: readonly Clip[];
  levelled: boolean; // all are played equally loud
  changed: () => Promise<unknown>;
}

export function ClipRow({ clip, clips, levelled, changed }: Props) {
  const [open, show] = useState(false);
  const out = levelled ? 0 : standsOut(clip, clips);
  const marker = out > 0 ? t("louder", { by: out }) : out < 0 ? t("softer", { by: -out }) : isOverdriven(clip) ? t("overdriven") : "";
  const format = clip.factory ? t("ofDevice") : `${clip.format} ${number(clip.sample_rate / 1000, 1)} kHz ${t(clip.channels === 2 ? "stereo" : "mono")} · ${bytes(clip.size)}`;
  const turn = (): Promise<boolean> => attempt(() => (clip.playing ? command("stop-clip", { clip: clip.name }) : command("play-clip", { clip: clip.name })));
  return (
    <li class={join("media-clip", clip.playing && "media-playing", clip.problem && "media-broken")} data-clip={clip.name}>
      {can("operator") && <IconButton kind={clip.playing ? "primary" : "plain"} icon={clip.playing ? "stop" : "play"} label={t(clip.playing ? "stop" : "play", { name: clip.name })} onClick={() => void turn()} />}
      <div class="media-what">
        <strong>{clip.name}</strong>
        <small>{clip.problem || `${clip.number} · ${seconds(clip.seconds)} · ${format}`}</small>
      </div>
      <div class="media-loudness">
        <span title={clip.loudness === null ? t("noLufs") : t("lufsHint")}>{clip.loudness === null ? "–" : t("lufs", { value: fixed(clip.loudness) })}</span>
        <small>{t("peak", { value: fixed(clip.peak_db) })}</small>
        {marker && <Badge tone="fair">{marker}</Badge>}
      </div>
      <IconButton icon="more" label={t("more", { name: clip.name })} aria-haspopup="dialog" onClick={() => show(true)} />
      {open && <More clip={clip} changed={changed} onClose={() => show(false)} />}
    </li>
  );
}

/** How it is played, its link, its name, and its end. */
function More({ clip, changed, onClose }: { clip: Clip; changed: () => Promise<unknown>; onClose: () => void }) {
  const [volume, slide] = useState(0);
  const [repeat, choose] = useState<number | null>(0);
  const [name, write] = useState(clip.name);
  const leave = useLeave(name.trim() !== clip.name, onClose);
  const file = `/api/v1/clips/${clip.number}/file`;
  const may = can("operator");
  const rename = async (): Promise<void> => {
    if (await attempt(() => patch(`/clips/${clip.number}`, { name: name.trim() }))) await changed();
  };
  const remove = async (): Promise<void> => {
    if (!(await confirm({ title: t("removeAsk", { name: clip.name }), words: t("removeWords"), action: t("remove"), danger: true }))) return;
    if (!(await attempt(() => del(`/clips/${clip.number}`)))) return;
    onClose();
    await changed();
  };
  return (
    <Dialog title={clip.name} onClose={leave}>
      <div class="media-more">
        {may && <Slider label={t("volume")} {...VOLUMES} value={volume} words={decibels} onChange={slide} />}
        {may && <Select label={t("howOften")} value={repeat} onChange={choose} choices={[{ value: 0, label: t("once") }, { value: 1, label: t("twice") }, ...[3, 5, 10].map((n) => ({ value: n - 1, label: t("nTimes", { n }) })), { value: null, label: t("untilStopped") }]} />}
        <div class="buttons">
          {may && <Button kind="primary" icon="play" onClick={() => void attempt(() => command("play-clip", { clip: clip.name, repeat, volume_db: volume }))}>{t("playNow")}</Button>}
          <a class="button button-plain" href={file} download="">{t("download")}</a>
        </div>
        <audio controls preload="none" src={file} aria-label={`${t("listenHere")}: ${clip.name}`} />
        <div>
          <h3>{t("link")}</h3>
          <p class="hint">{t("linkHint")}</p>
          <CopyText text={linkOf(clip, volume, repeat)} />
        </div>
        {may && !clip.factory && (
          <Form onSubmit={() => void rename()} class="media-rename">
            <TextField label={t("name")} value={name} maxLength={NAME_MAX} required onChange={write} />
            <Button type="submit" disabled={name.trim() === clip.name || !name.trim()}>{t("rename")}</Button>
            <Button kind="danger" icon="trash" onClick={() => void remove()}>{t("remove")}</Button>
          </Form>
        )}
      </div>
    </Dialog>
  );
}
