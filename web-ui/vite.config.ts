// Built into the Python package, so that the device serves it; `npm run dev` shows it with the
// device at SIPSTROBE behind it.

import { defineConfig } from "vite";

declare const process: { env: Record<string, string | undefined> };

const device = process.env.SIPSTROBE ?? "http://127.0.0.1:8080";
const BUILT = "/static/ui/";

const behind = {
  target: device,
  changeOrigin: true,
  ws: true,
  headers: { origin: device }, // the device answers no pages of other origins
};

export default defineConfig(({ command }) => ({
  base: command === "build" ? BUILT : "/",
  publicDir: false,
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
