// Paging: who is heard before whom, where pages come from, and what goes out from here.

import { useState } from "preact/hooks";
import { Link } from "../../router";
import { can } from "../../session";
import { useSection } from "../../settings";
import { Card, Loading, Notice, PageHead } from "../../ui";
import { isPaged, SourceEditor } from "./editor";
import "./german";
import { isOwn, keyOf, type Multicast, type Paged } from "./model";
import { useOrder } from "./order";
import { PageOutCard, Recorded } from "./out";
import "./paging.css";
import { FromDescription, Receiving, RelayCard } from "./receiving";
import { Sources } from "./sources";
import { t } from "./words";

export default function Paging() {
  const section = useSection<Multicast>("multicast");
  const order = useOrder(section);
  const [open, show] = useState<{ first: Paged; edited: string | null; turn: number } | null>(null);
  if (section.value === null) return section.problems.length ? <Notice tone="bad">{section.problems[0]!.message}</Notice> : <Loading />;
  const begin = (first: Paged, edited: string | null = null): void => show({ first, edited, turn: (open?.turn ?? 0) + 1 });
  const edit = (key: string): void => {
    const { rank: _, ...source } = order.ranked.find((one) => keyOf(one) === key)!;
    if (isPaged(source)) begin(source, key);
  };
  const groups = section.value.sources.flatMap((source) => (isOwn(source) ? [] : [source.address]));
  return (
    <div class="paging">
      <PageHead title={t("title")}>{t("lead")}</PageHead>
      <div class="paging-columns">
        <div class="stack">
          <Sources order={order} enabled={section.value.enabled} onEdit={edit} onAdd={(kind) => begin({ kind } as Paged)} />
          <How />
        </div>
        <div class="stack">
          <Receiving section={section} />
          <PageOutCard groups={groups} />
          <Recorded />
          <RelayCard section={section} />
          <FromDescription onRead={(source) => begin(source)} />
        </div>
      </div>
      {open && can("operator") && <SourceEditor key={open.turn} section={section} first={open.first} edited={open.edited} onClose={() => show(null)} />}
    </div>
  );
}

function How() {
  return (
    <Card title={t("how")} class="paging-how">
      <ul>
        {(["how_1", "how_2", "how_3", "how_4", "how_5"] as const).map((key) => (
          <li key={key}>{t(key)}</li>
        ))}
      </ul>
      <p><Link path="/audio">{t("how_link")}</Link></p>
    </Card>
  );
}
