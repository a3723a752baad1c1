// How much of a space is in use.

import { vars } from "../../ui/basics";
import { bytes } from "../../words";
import { t } from "./words";

export function Quota({ label, used, limit }: { label: string; used: number; limit: number }) {
  const share = Math.min(1, used / limit);
  return (
    <div class="media-quota" data-grade={share > 0.95 ? "bad" : share > 0.8 ? "fair" : "good"} style={vars({ share })}>
      <div role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * share)}><i /></div>
      <small>{t("quota", { used: bytes(used), limit: bytes(limit) })}</small>
    </div>
  );
}
