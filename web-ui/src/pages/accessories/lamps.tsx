// The lamps of an output as they are lit just now, in the order in which they hang.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { follow, join, Lamp, Strobe, vars } from "../../ui";
import { piecesOf, type Output } from "./outputs";
import { t } from "./words";

const LABELLED = 0.04; // share of the width, from which on a piece has room for its letter

export function Lamps({ output }: { output: Output }) {
  const pieces = useMemo(() => piecesOf(output), [JSON.stringify(output)]);
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const lamps = [...(row.current?.querySelectorAll("i") ?? [])];
    return follow(
      lamps.map(({ style }, n) => ({
        ...pieces[n]!,
        lamp: new Lamp((paint, level) => {
          if (level) style.setProperty("--paint", paint);
          style.setProperty("--level", String(level));
        }),
      })),
    );
  }, [pieces]);
  if (output.kind === "virtual") return <div class="accessories-twin"><Strobe label={t("lamps_label")} /></div>;
  if (!pieces.length) return null;
  return (
    <div ref={row} class={join("accessories-lamps", output.kind === "gpio" && "accessories-tower")} role="img" aria-label={t("lamps_label")}>
      {pieces.map(({ from, share, label }, n) => (
        <span key={n} style={vars({ from, share })}>
          <i />
          {share >= LABELLED && <b>{label}</b>}
        </span>
      ))}
    </div>
  );
}
