// Who is heard before whom: the list in its order, and what is known of each that speaks.

import { useState } from "preact/hooks";
import { status } from "../../live";
import { can } from "../../session";
import { Badge, Button, Card, Empty, IconButton, type Tone } from "../../ui/basics";
import { TextField, Toggle } from "../../ui/fields";
import { Reorder } from "../../ui/lists";
import { Meter } from "../../ui/things";
import { announce } from "../../ui/toast";
import { fixed, level } from "../../words";
import { groupOf, isLoud, isOwn, keyOf, moved, STREAM, toldKey, type Heard, type Ranked, type Source, type Told } from "./model";
import type { Order } from "./order";
import { t } from "./words";

const SHOWN = 50; // sources that are listed at first, and so many more each time
const MANY = 12; // sources from which on somebody may want to find one

type Now = "active" | "hidden" | "idle" | "off";
const TONES: Record<Now, Tone> = { active: "good", hidden: "fair", idle: "neutral", off: "neutral" };

export const nameOf = (source: Source): string => (isOwn(source) ? t(`own_${source.sound}`) : source.label);

export function Sources({ order, enabled, onEdit, onAdd }: { order: Order; enabled: boolean; onEdit: (key: string) => void; onAdd: (kind: "multicast" | "desk_phones") => void }) {
  const [text, find] = useState("");
  const [limit, raise] = useState(SHOWN);
  const { ranked } = order;
  const operator = can("operator");
  const live = toldOf();
  const wanted = text.trim().toLowerCase();
  const found = wanted ? ranked.filter((source) => searched(source).includes(wanted)) : ranked;
  const listed = found.filter((source, n) => n < limit || nowOf(source, live) === "active" || nowOf(source, live) === "hidden");
  const groups = ranked.filter((source) => !isOwn(source)).length;
  const moveTo = (source: Ranked, rank: number): void => {
    order.change((list) => moved(list, keyOf(source), rank));
    const n = Math.min(Math.max(rank, 1), ranked.length);
    announce(t("moved", { name: nameOf(source), n, all: ranked.length }));
  };
  return (
    <Card
      title={t("sources")}
      class="paging-sources"
      actions={operator && (
        <>
          <Button kind="primary" icon="plus" onClick={() => onAdd("multicast")}>{t("add_group")}</Button>
          <Button icon="plus" onClick={() => onAdd("desk_phones")}>{t("add_phones")}</Button>
        </>
      )}
    >
      <p class="hint">{t(enabled ? "sources_hint" : "sources_off")}</p>
      {ranked.length > MANY && <TextField label={t("find")} hideLabel type="search" value={text} onChange={find} placeholder={t("find_hint")} />}
      {wanted && !listed.length && <p class="hint">{t("found_none")}</p>}
      <Reorder
        items={listed}
        itemKey={keyOf}
        name={nameOf}
        label={t("sources")}
        disabled={!operator}
        onMove={(next) => order.change((list) => rearranged(list, listed, next))}
      >
        {(source) => <Row source={source} all={ranked.length} told={live.get(keyOf(source))} operator={operator} order={order} onEdit={onEdit} onRank={moveTo} />}
      </Reorder>
      {found.length > listed.length && (
        <Button kind="quiet" class="paging-more" onClick={() => raise(limit + SHOWN)}>{t("more")}</Button>
      )}
      {groups === 0 && <Empty icon="paging" title={t("empty")}>{t("empty_hint")}</Empty>}
    </Card>
  );
}

/** What the device tells of some, by key. */
function toldOf(): Map<string, Told> {
  const told = status.value;
  const heard = told?.multicast as unknown as Heard | undefined;
  const live = new Map((heard?.told ?? []).map((one) => [toldKey(one), one]));
  if (told !== null) live.set(keyOf(STREAM), told.stream as unknown as Told);
  return live;
}

const searched = (source: Source): string => `${nameOf(source)} ${isOwn(source) ? "" : source.address}`.toLowerCase();

function nowOf(source: Source, live: Map<string, Told>): Now {
  if (!isOwn(source) && source.enabled === false) return "off";
  const state = live.get(keyOf(source))?.state;
  return state === "active" || state === "hidden" ? state : "idle";
}

/** The whole list, after some of it that were shown have been put in another order. */
function rearranged(list: readonly Ranked[], shown: readonly Ranked[], next: readonly Ranked[]): Source[] | null {
  const at = next.findIndex((source, n) => source !== shown[n]);
  if (at < 0) return null;
  const down = next[at] === shown[at + 1]; // what stood here has gone down
  const source = down ? shown[at]! : next[at]!;
  const to = next.indexOf(source);
  const neighbour = down ? next[to - 1] : next[to + 1];
  const others = list.filter((one) => keyOf(one) !== keyOf(source));
  const beside = others.findIndex((one) => neighbour && keyOf(one) === keyOf(neighbour));
  return beside < 0 ? null : moved(list, keyOf(source), beside + (down ? 2 : 1));
}

interface RowProps {
  source: Ranked;
  all: number;
  told: Told | undefined;
  operator: boolean;
  order: Order;
  onEdit: (key: string) => void;
  onRank: (source: Ranked, rank: number) => void;
}

function Row({ source, all, told, operator, order, onEdit, onRank }: RowProps) {
  const name = nameOf(source);
  const key = keyOf(source);
  const now = nowOf(source, told ? new Map([[key, told]]) : new Map());
  return (
    <div class="paging-row" data-state={now} data-broken={told?.problem ? "" : undefined}>
      <span class="paging-rank figures" title={t("rank_of", { n: source.rank, all })}>{source.rank}</span>
      <div class="paging-what">
        <span class="paging-name">
          <strong>{name}</strong>
          {now !== "idle" && <Badge dot tone={TONES[now]}>{t(`state_${now}`)}</Badge>}
        </span>
        <small class="paging-where">{whereOf(source)}</small>
        <small class="paging-talker">{talkerOf(told)}</small>
      </div>
      {now === "active" && isLoud(told?.level_db) && <Meter small value={told.level_db} label={t("level", { name })} />}
      {operator && (
        <div class="paging-acts">
          {!isOwn(source) && (
            <Toggle hideLabel label={t("listen_to", { name })} checked={source.enabled !== false} onChange={(enabled) => order.change((list) => list.map((one) => (keyOf(one) === key ? { ...one, enabled } : one)))} />
          )}
          <IconButton small icon="up" label={`${t("rank_field")} ${source.rank - 1}: ${name}`} disabled={source.rank === 1} onClick={() => onRank(source, source.rank - 1)} />
          <IconButton small icon="down" label={`${t("rank_field")} ${source.rank + 1}: ${name}`} disabled={source.rank === all} onClick={() => onRank(source, source.rank + 1)} />
          {!isOwn(source) && <IconButton small icon="edit" label={t("edit_who", { name })} onClick={() => onEdit(key)} />}
        </div>
      )}
    </div>
  );
}

function whereOf(source: Source): string {
  if (isOwn(source)) return t(`own_${source.sound}_hint`);
  const latency = source.latency === "low" || source.latency === "ultra_low" ? t(`latency_${source.latency}`) : "";
  return [
    source.kind === "desk_phones" && t("channel", { n: source.channel ?? 0 }),
    groupOf(source),
    source.interface,
    typeof source.playout_delay === "number" ? t("together", { ms: `${source.playout_delay} ms` }) : latency,
    source.srtp_key && t("encrypted"),
    source.profile,
  ].filter(Boolean).join(" · ");
}

/** What is known of who speaks there, and what keeps it from being heard. */
function talkerOf(told: Told | undefined): string {
  if (!told) return "";
  return [
    told.problem,
    told.caller_id,
    told.state !== "idle" && told.sender && t("from", { sender: told.sender }),
    told.state !== "idle" && isLoud(told.level_db) && level(told.level_db),
    typeof told.offset_ms === "number" && t("from_clock", { ms: `${told.offset_ms > 0 ? "+" : ""}${fixed(told.offset_ms)}` }),
    ...(["unknown_codec", "undecipherable", "invalid", "strangers"] as const).map((what) => (told[what] ? t(what, { n: told[what] }) : "")),
  ].filter(Boolean).join(" · ");
}
