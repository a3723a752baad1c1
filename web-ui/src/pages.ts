// The pages of the interface, in the order of the menu. One line for each; each is its own chunk.

import type { ComponentType } from "preact";
import type { Role } from "./types";
import type { IconName } from "./ui/icon";

export interface PageProps {
  /** What follows the page's own path: #/sip/accounts/PBX gives ["PBX"]. */
  rest: string[];
  query: URLSearchParams;
}

export interface Page {
  path: string; // "/sip/accounts"
  title: { en: string; de: string };
  icon: IconName;
  role: Role; // the least that may see it
  group?: "device" | "system"; // below which line of the menu
  load: () => Promise<{ default: ComponentType<PageProps> }>;
}

export const PAGES: readonly Page[] = [
  { path: "/", title: { en: "Overview", de: "Übersicht" }, icon: "overview", role: "viewer", load: () => import("./pages/overview") },
  { path: "/profiles", title: { en: "Profiles", de: "Profile" }, icon: "profiles", role: "viewer", load: () => import("./pages/profiles") },
  { path: "/media", title: { en: "Media", de: "Medien" }, icon: "media", role: "viewer", load: () => import("./pages/media") },
  { path: "/audio", title: { en: "Audio", de: "Audio" }, icon: "audio", role: "viewer", load: () => import("./pages/audio") },
];
