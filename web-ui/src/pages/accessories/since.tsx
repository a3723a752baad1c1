// When something was switched, by whom, and what follows from it.

import { useState } from "preact/hooks";
import { Link } from "../../router";
import { can } from "../../session";
import type { Link as Cause } from "../../types";
import { Button, Chain, linkWords, Time } from "../../ui";
import "./since.css";
import { t } from "./words";

const RULES_SHOWN = 4;

/** Who it was: the rule that decided, else what came from outside. */
function who(why: readonly Cause[]): string {
  const rule = why.find(({ kind }) => kind === "rule");
  if (rule) return t("by_rule", { rule: rule.name });
  const outside = why.at(-1)!;
  if (outside.name === "start") return t("by_start");
  const person = /^\S+ \S+ by (.+) from (\S+)$/.exec(String(outside.items.words));
  if (outside.name !== "http" || !person) return linkWords(outside);
  return t("by_person", { name: person[1]!, address: person[2]! });
}

/** Since when it is so, and by whom; the whole chain of causes when asked. */
export function Since({ why }: { why: readonly Cause[] }) {
  const [open, show] = useState(false);
  if (!why.length) return null;
  return (
    <div class="since">
      <small>
        <Time at={why[0]!.at} seconds /> · {who(why)}{" "}
      </small>
      <Button small kind="quiet" aria-expanded={open} onClick={() => show(!open)}>
        {t("why")}
      </Button>
      {open && <Chain links={why} />}
    </div>
  );
}

/** The rules that it is used in, and the way to a first one: a query of #/rules/new. */
export function UsedBy({ rules, make }: { rules: readonly string[]; make: string }) {
  if (!rules.length)
    return (
      <p class="used-by">
        {t("unused")} {can("operator") && <Link path={`/rules/new?${make}`}>{t("make_rule")}</Link>}
      </p>
    );
  return (
    <p class="used-by">
      {t("used")}{" "}
      {rules.slice(0, RULES_SHOWN).map((rule, at) => (
        <span key={rule}>
          {at > 0 && ", "}
          <Link path={`/rules/edit/${encodeURIComponent(rule)}`}>{rule}</Link>
        </span>
      ))}
      {rules.length > RULES_SHOWN && " …"}
    </p>
  );
}
