// Start a profile with one click; press a manual trigger.

import { command } from "../../api";
import { can } from "../../session";
import type { ProfileState, Status } from "../../types";
import { attempt, Badge, Button, Card, Empty, join, patternWords, Swatches } from "../../ui";
import { number } from "../../words";
import { t } from "./words";

export function ProfilesCard({ profiles, may }: { profiles: readonly ProfileState[]; may: boolean }) {
  return (
    <Card title={t("profiles")} class="overview-profiles">
      {profiles.length ? (
        <ul>
          {profiles.map((one) => (
            <Row key={one.name} profile={one} may={may} />
          ))}
        </ul>
      ) : (
        <Empty icon="profiles" title={t("noProfiles")} action={may && <a class="button button-primary" href="#/profiles">{t("makeProfile")}</a>} />
      )}
    </Card>
  );
}

function Row({ profile, may }: { profile: ProfileState; may: boolean }) {
  const { name, description, light, siren, running, warnings = [] } = profile;
  const parts = [light, siren].flatMap((part) => (part ? [`${patternWords(part.pattern)} (${part.priority})`] : []));
  const turn = (): Promise<boolean> => attempt(() => command(running ? "stop-profile" : "start-profile", { profile: name }));
  return (
    <li class={join("overview-profile", running && "overview-running")} data-profile={name}>
      <div class="overview-what">
        <strong>{name}</strong> <Swatches colors={light?.colors ?? []} />
        <small title={description}>{parts.join(" · ") || description}</small>
        {warnings.map((risk) => (
          <Badge key={risk.code} tone="fair">{risk.code === "flash_rate" ? t("fast", { hz: number(profile.flash_rate_hz ?? 0, 1) }) : risk.code === "saturated_red" ? t("red") : risk.words}</Badge>
        ))}
      </div>
      {may && (
        <Button small kind={running ? "primary" : "plain"} icon={running ? "stop" : "play"} aria-label={t(running ? "stopProfile" : "startWhat", { name })} onClick={() => void turn()}>
          {t(running ? "stop" : "start")}
        </Button>
      )}
    </li>
  );
}

export function Triggers({ triggers }: { triggers: Status["triggers"] }) {
  if (!triggers.length) return null;
  return (
    <Card title={t("triggers")}>
      <div class="row overview-triggers">
        {triggers.map(({ trigger, name, active }) => (
          <Button key={trigger} aria-pressed={active} disabled={!can("operator")} onClick={() => void attempt(() => command("set-manual-trigger", { trigger, active: !active }))}>
            {name}
          </Button>
        ))}
      </div>
    </Card>
  );
}
