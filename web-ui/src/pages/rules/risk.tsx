// What the light that a rule starts does to people who are sensitive to flashes (SAF-01).

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api";
import type { Risk } from "../../types";
import { Icon, ProfileRisk, Risks, uiWords } from "../../ui";
import type { Action } from "./model";

export function ActionRisk({ action }: { action: Action }) {
  if (action.do === "run_light" || action.do === "start_light") return <LightRisk action={action} />;
  if (action.do === "run_profile" || action.do === "start_profile") return <ProfileRisk name={String(action.profile)} />;
  return null;
}

/** Of one that is no profile, as the device knows it; of what is no light yet, nothing can be said. */
function LightRisk({ action: { pattern, colors, speed, intensity } }: { action: Action }) {
  const [risks, tell] = useState<readonly Risk[]>([]);
  const query = new URLSearchParams(
    Object.entries({ colors, speed, intensity }).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, String(value)]])),
  );
  const path = `/patterns/light/${encodeURIComponent(String(pattern))}?${query}`;
  useEffect(() => {
    const gone = new AbortController();
    get<{ warnings: Risk[] }>(path, { signal: gone.signal }).then(({ warnings }) => tell(warnings), () => !gone.signal.aborted && tell([]));
    return () => gone.abort();
  }, [path]);
  return (
    <>
      <p class="hint">
        <Icon name="warning" size={18} /> {uiWords("seizure")}
      </p>
      <Risks risks={risks} />
    </>
  );
}
