// What runs on each light and the siren, the winner first; why, for how long, and an end to it.

import { command } from "../../api";
import { can } from "../../session";
import type { FunctionName, FunctionState, Operation } from "../../types";
import { attempt, Badge, Button, Card, Duration, functionWords, IconButton, join, patternWords, shortCause, Swatches, Why } from "../../ui";
import { t } from "./words";

const OPERATIONS_MAX = 100; // listed at a time
const SYSTEM = 10; // higher priorities are of the system

export function Lists({ functions, now }: { functions: readonly FunctionState[]; now: number }) {
  const runs = functions.some(({ operations }) => operations.some((one) => one.priority <= SYSTEM));
  const stopAll = (): Promise<boolean> => attempt(() => command("stop-all", { functions: functions.map(({ name }) => name) }));
  return (
    <Card title={t("running")} class="overview-lists" actions={can("operator") && runs && <Button small icon="stop" onClick={() => void stopAll()}>{t("stopAll")}</Button>}>
      {functions.map(({ name, operations }) => (
        <section key={name} data-function={name} aria-label={functionWords(name)}>
          <h3>{functionWords(name)}</h3>
          {operations.length ? (
            <ol>
              {operations.slice(0, OPERATIONS_MAX).map((one) => (
                <Running key={one.id} operation={one} of={name} now={now} />
              ))}
            </ol>
          ) : (
            <p class="overview-none">{t("nothing")}</p>
          )}
        </section>
      ))}
    </Card>
  );
}

function Running({ operation, of, now }: { operation: Operation; of: FunctionName; now: number }) {
  const { id, pattern, priority, shown, colors, profile, seconds_left: left, why } = operation;
  const stop = (): Promise<boolean> => attempt(() => command("stop-operations", { operations: [{ function: of, id }] }));
  return (
    <li class={join("overview-operation", shown && "overview-winner")} data-shown={shown ? "yes" : "no"}>
      <span class="overview-rank" title={t(priority > SYSTEM ? "systemPriority" : "priority", { n: priority })}>
        <span class="hidden">{t(priority > SYSTEM ? "systemPriority" : "priority", { n: priority })}</span>
        <span aria-hidden="true">{priority}</span>
      </span>
      <div class="overview-what">
        <strong>{patternWords(pattern)}</strong> <Swatches colors={colors} /> {profile && <small>{profile}</small>}
        {why.length > 0 && <small class="overview-cause">{shortCause(why)}</small>}
      </div>
      <span class="overview-end">
        {shown && <Badge tone="accent">{t("now")}</Badge>}
        {left !== null && <Duration until={now + left} />}
      </span>
      {can("operator") && priority <= SYSTEM && <IconButton small icon="stop" label={t("stopWhat", { pattern: patternWords(pattern) })} onClick={() => void stop()} />}
      <Why what={{ operation: `${of}/${id}` }} links={why} of={patternWords(pattern)} />
    </li>
  );
}
