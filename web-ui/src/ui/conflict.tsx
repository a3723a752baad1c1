// What two people changed at the same time, side by side.

import type { ComponentChildren } from "preact";
import type { Section } from "../settings";
import { Button, Notice } from "./basics";
import { t } from "./words";

const ROWS_MAX = 20;

interface Difference {
  path: string;
  mine: unknown;
  theirs: unknown;
}

/** Asks whose is to be kept of what somebody else has changed as well. */
export function MineOrTheirs({ title = t("conflict"), onMine, onTheirs, children }: { title?: string; onMine: () => void; onTheirs: () => void; children?: ComponentChildren }) {
  const actions = (
    <>
      <Button small onClick={onMine}>{t("keepMine")}</Button>
      <Button small kind="primary" onClick={onTheirs}>{t("takeTheirs")}</Button>
    </>
  );
  return <Notice tone="fair" live title={title} actions={actions}>{children}</Notice>;
}

/** Shown where a save was refused because somebody else was faster. onTheirs: forget one's draft. */
export function ConflictNotice<T>({ section, onTheirs, onSaved }: { section: Section<T>; onTheirs: () => void; onSaved?: () => void }) {
  if (section.conflict === null) return null;
  const { mine, theirs } = section.conflict;
  const keep = async (): Promise<void> => {
    if (await section.save(mine, { force: true })) onSaved?.();
  };
  const take = (): void => {
    section.forgive();
    onTheirs();
  };
  return (
    <MineOrTheirs onMine={() => void keep()} onTheirs={take}>
      <p>{t("conflictHint")}</p>
      <table class="conflict">
        <thead>
          <tr>
            <th scope="col">{t("field")}</th>
            <th scope="col">{t("yours")}</th>
            <th scope="col">{t("theirs")}</th>
          </tr>
        </thead>
        <tbody>
          {differences(mine, theirs).slice(0, ROWS_MAX).map((one) => (
            <tr key={one.path}>
              <th scope="row">{one.path || "/"}</th>
              <td>{shown(one.mine)}</td>
              <td>{shown(one.theirs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </MineOrTheirs>
  );
}

const isStruct = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Where what a patch wants differs from what there is. */
function differences(mine: unknown, theirs: unknown, path = ""): Difference[] {
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return [];
  const deep = isStruct(mine) && isStruct(theirs) && Array.isArray(mine) === Array.isArray(theirs);
  if (!deep) return [{ path, mine, theirs }];
  const names = new Set([...Object.keys(mine), ...(Array.isArray(mine) ? Object.keys(theirs) : [])]);
  return [...names].flatMap((name) => differences(mine[name], theirs[name], `${path}/${name}`));
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "object") return JSON.stringify(value).slice(0, 120);
  return typeof value === "boolean" ? t(value ? "on" : "off") : String(value);
}
