// What a light does to people who are sensitive to flashes, said wherever it is chosen (SAF-01).

import { status } from "../live";
import type { Risk } from "../types";
import { Notice } from "./basics";
import { t } from "./words";

const WORDS = { flash_rate: "riskFast", saturated_red: "riskRed" } as const;

export function Risks({ risks }: { risks: readonly Risk[] }) {
  if (!risks.length) return null;
  return (
    <Notice tone="fair" live title={t("risk")}>
      {risks.map(({ code, words }) => <p key={code}>{code in WORDS ? t(WORDS[code as keyof typeof WORDS]) : words}</p>)}
    </Notice>
  );
}

/** Of the light of a profile. */
export function ProfileRisk({ name }: { name: string }) {
  return <Risks risks={status.value?.profiles.find((one) => one.name === name)?.warnings ?? []} />;
}
