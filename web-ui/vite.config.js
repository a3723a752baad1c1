// Built into the Python package, so that the device serves it; `npm run dev` shows it with the
// device at SIPSTROBE behind it.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const device = process.env.SIPSTROBE ?? "http://127.0.0.1:8080";
const BUILT = "/static/ui/";
const SOURCES = ["index.html", "package-lock.json", "package.json", "src", "tsconfig.json", "vite.config.js"];

const behind = {
  target: device,
  changeOrigin: true,
  ws: true,
  headers: { origin: device }, // the device answers no pages of other origins
};

/** All files that the build is made of, by their paths from here. */
function filesOf(folder, names) {
  return names.flatMap((name) => {
    const path = folder ? `${folder}/${name}` : name;
    if (name !== "src" && !folder) return [path];
    const found = readdirSync(join(import.meta.dirname, path), { withFileTypes: true });
    return found.flatMap((entry) => (entry.isDirectory() ? filesOf(path, [entry.name]) : [`${path}/${entry.name}`]));
  });
}

/** Beside what is built lies of what: a test sees at once when that is not what there is. */
const sources = {
  name: "sources",
  generateBundle() {
    const digests = filesOf("", SOURCES)
      .sort()
      .map((path) => [path, createHash("sha256").update(readFileSync(join(import.meta.dirname, path))).digest("hex")]);
    this.emitFile({ type: "asset", fileName: "sources.json", source: `${JSON.stringify(Object.fromEntries(digests), null, 1)}\n` });
  },
};

export default defineConfig(({ command }) => ({
  base: command === "build" ? BUILT : "/",
  publicDir: false,
  plugins: [sources],
  build: {
    outDir: "../sipstrobe/web/static/ui",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    assetsInlineLimit: 0, // the policy of the page allows no data: URLs
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 200,
  },
  server: { proxy: { "^/(api|static|vapix|config|axis-cgi)(/|$)": behind } },
}));
