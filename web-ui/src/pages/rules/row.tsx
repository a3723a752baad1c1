// One rule in the list: its sentence, whether it is on, whether it is active, and why.

import { useState } from "preact/hooks";
import { navigate } from "../../router";
import { Badge, Button, Menu, Time, Toggle } from "../../ui";
import { seconds } from "../../words";
import { Why } from "./history";
import { type Known, names } from "./known";
import type { Rule, Standing, Warning } from "./model";
import { sentence } from "./sentence";
import { Sentence } from "./sentence_view";
import { Warnings } from "./warnings";
import { t } from "./words";

interface RowProps {
  rule: Rule;
  known: Known;
  standing: Standing | undefined;
  warnings: readonly Warning[];
  may: boolean;
  onSwitch: (on: boolean) => void;
  onCopy: () => void;
  onDelete: () => void;
}

export function Row({ rule, known, standing, warnings, may, onSwitch, onCopy, onDelete }: RowProps) {
  const [open, show] = useState(false);
  const edit = (): void => navigate(`/rules/edit/${encodeURIComponent(rule.name)}`);
  return (
    <article class="rules-rule" data-active={standing?.active} data-enabled={rule.enabled} aria-label={rule.name}>
      <div class="rules-head">
        <Toggle label={t("switch", { name: rule.name })} hideLabel checked={rule.enabled} disabled={!may} onChange={onSwitch} />
        <h2>{rule.name}</h2>
        <State rule={rule} standing={standing} />
        <div class="rules-buttons">
          <Button small kind="quiet" aria-expanded={open} aria-label={t("why_name", { name: rule.name })} onClick={() => show(!open)}>
            {t("why")}
          </Button>
          {may && (
            <>
              <Button small icon="edit" aria-label={t("edit_name", { name: rule.name })} onClick={edit}>
                {t("edit")}
              </Button>
              <Menu
                label={t("actions", { name: rule.name })}
                icon="more"
                hideLabel
                items={[
                  { label: t("copy"), icon: "copy", onSelect: onCopy },
                  { label: t("delete"), icon: "trash", danger: true, onSelect: onDelete },
                ]}
              />
            </>
          )}
        </div>
      </div>
      <Sentence text={sentence(rule, known.declared.actions, names.value)} />
      <Warnings warnings={warnings} />
      {open && <Why rule={rule} known={known} />}
    </article>
  );
}

function State({ rule, standing }: { rule: Rule; standing: Standing | undefined }) {
  if (!rule.enabled) return <Badge>{t("off")}</Badge>;
  if (standing?.active) {
    return (
      <Badge tone="good" dot>
        {t("active_since")} {standing.begun_time && <Time wall={standing.begun_time} />}
      </Badge>
    );
  }
  if (standing && standing.waits_seconds !== null) return <Badge tone="fair">{t("waits", { time: seconds(standing.waits_seconds) })}</Badge>;
  return <Badge tone="neutral">{t("ready")}</Badge>;
}
