// What the device finds wrong with rules that can be saved all the same.

import { Badge, Notice } from "../../ui";
import type { Warning } from "./model";
import { told } from "../../words";
import { t } from "./words";

const TITLES = { never: "warn_never", no_stop: "warn_no_stop", fight: "warn_fight", loop: "warn_loop" } as const;

export function Warnings({ warnings }: { warnings: readonly Warning[] }) {
  if (warnings.length === 0) return null;
  return (
    <Notice tone="fair">
      <ul class="rules-warnings">
        {warnings.map((one) => (
          <li key={one.path + one.message}>
            <Badge tone="fair">{t(TITLES[one.code])}</Badge> {told(one.message)}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
