// The outputs of the light: what each is called, its short form in full, and what it shows of which side.

import type { LightName } from "../../types";
import { brightest, DARK, type Side } from "../../ui";

export const MAX_OUTPUTS = 8;
export const KINDS = ["virtual", "ddp", "e131", "artnet", "ws2812", "gpio", "log", "none"] as const;
export type Kind = (typeof KINDS)[number];

/** An output in full; what is missing is as the device has it. */
export interface Output {
  kind: Kind;
  light?: LightName;
  [field: string]: unknown;
}

export type Stored = string | Output;

export interface Stretch {
  side: string;
  first: number;
  count: number;
  light?: LightName | null;
}

export interface TowerLine {
  line: number;
  side: string | null;
  colors: string[];
}

const DDP_PORT = 4048;
const ARTNET_PORT = 6454;
const SIDES = "ABCD";

/** The output that a short text means: "ddp:wled.local". */
export function inFull(stored: Stored): Output {
  if (typeof stored !== "string") return stored;
  const [, kind = "", rest = ""] = /^([^:]*):?(.*)$/s.exec(stored) ?? [];
  return { kind: kind as Kind, ...fields(kind, rest) };
}

function fields(kind: string, rest: string): Record<string, unknown> {
  switch (kind) {
    case "log":
      return { path: rest };
    case "ddp":
      return hostAndPort(rest);
    case "e131": {
      const [universe = "", host = ""] = rest.split("@");
      return { universe: Number(universe), host };
    }
    case "artnet": {
      const [host = "", address = "0"] = rest.split("/");
      return { host, net: Number(address) >> 8, subnet: (Number(address) >> 4) & 15, universe: Number(address) & 15 };
    }
    case "ws2812":
      return { device: rest };
    case "gpio": {
      const lines = rest.slice(rest.lastIndexOf("/") + 1).split(",");
      return { chip: rest.slice(0, rest.lastIndexOf("/")), lines: lines.map((line, n) => ({ line: Number(line), side: lines.length > 1 ? SIDES[n] : null })) };
    }
    default:
      return {};
  }
}

function hostAndPort(text: string): Record<string, unknown> {
  const [, bracketed, name, port] = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? name ?? text; // an IPv6 address without brackets has no port
  return port ? { host, port: Number(port) } : { host };
}

/** What the device calls it in its state: the short text of where it is. */
export function nameOf(output: Output): string {
  const number = (field: string, otherwise = 0): number => (typeof output[field] === "number" ? output[field] : otherwise);
  const text = (field: string, otherwise = ""): string => String(output[field] ?? otherwise);
  const at = (usual: number): string => (number("port", usual) === usual ? text("host") : `${text("host").includes(":") ? `[${text("host")}]` : text("host")}:${number("port")}`);
  switch (output.kind) {
    case "log":
      return `log:${text("path")}`;
    case "ddp":
      return `ddp:${at(DDP_PORT)}`;
    case "e131":
      return `e131:${number("universe", 1)}${text("host") ? `@${text("host")}` : ""}`;
    case "artnet":
      return `artnet:${at(ARTNET_PORT)}/${(number("net") << 8) | (number("subnet") << 4) | number("universe")}`;
    case "ws2812":
      return `ws2812:${text("device", "/dev/spidev0.0")}`;
    case "gpio":
      return `gpio:${text("chip", "gpiochip0")}/${linesOf(output).map(({ line }) => line).join(",")}`;
    default:
      return output.kind;
  }
}

export const linesOf = (output: Output): TowerLine[] => ((output.lines ?? []) as Partial<TowerLine>[]).map(({ line = 0, side = null, colors = [] }) => ({ line, side, colors }));

/** A piece of a drawing: what of which light it shows; share: of the width, from `from` on. */
export interface Piece {
  label: string;
  light: LightName;
  from: number;
  share: number;
  pick: (sides: Side[]) => Side;
}

/** What the lamps of an output show; nothing for one without lamps. */
export function piecesOf(output: Output): Piece[] {
  const light = output.light ?? "SignalingLED";
  const side = (name: string) => (sides: Side[]): Side => sides[SIDES.indexOf(name)] ?? DARK;
  if (output.kind === "gpio") {
    const lines = linesOf(output);
    return lines.map((line, n) => ({ label: line.side ?? "", light, from: n / lines.length, share: 1 / lines.length, pick: (sides) => lit(line, sides, Number(output.threshold ?? 0.1)) }));
  }
  if (!["ddp", "e131", "artnet", "ws2812"].includes(output.kind)) return [];
  const pixels = Number(output.pixels ?? 60);
  const stretches = (output.stretches ?? []) as Stretch[];
  if (stretches.length) return stretches.map((one) => ({ label: one.side, light: one.light ?? light, from: one.first / pixels, share: one.count / pixels, pick: side(one.side) }));
  return [...SIDES].map((name, n) => ({ label: name, light, from: n / 4, share: 1 / 4, pick: side(name) }));
}

/** A lamp that is on or off, with the sides and colours that it follows. */
function lit({ side, colors }: TowerLine, sides: Side[], threshold: number): Side {
  const [color, level] = brightest(sides.filter(([name], n) => (side === null || SIDES[n] === side) && (!colors.length || colors.includes(name))));
  return level >= threshold ? [colors.length ? color : color || "white", 1] : DARK;
}
