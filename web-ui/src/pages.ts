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
  { path: "/sip", title: { en: "SIP", de: "SIP" }, icon: "phone", role: "viewer", load: () => import("./pages/sip") },
  { path: "/calls", title: { en: "Calls", de: "Anrufe" }, icon: "calls", role: "viewer", load: () => import("./pages/calls") },
  { path: "/paging", title: { en: "Paging", de: "Durchsagen" }, icon: "paging", role: "viewer", load: () => import("./pages/paging") },
  { path: "/rules", title: { en: "Rules", de: "Regeln" }, icon: "rules", role: "viewer", load: () => import("./pages/rules") },
  { path: "/schedules", title: { en: "Schedules", de: "Zeitpläne" }, icon: "schedules", role: "viewer", load: () => import("./pages/schedules") },
  { path: "/recipients", title: { en: "Recipients", de: "Empfänger" }, icon: "recipients", role: "viewer", load: () => import("./pages/recipients") },
  { path: "/triggers", title: { en: "Manual triggers", de: "Handauslöser" }, icon: "triggers", role: "viewer", load: () => import("./pages/triggers") },
  { path: "/mqtt", title: { en: "MQTT", de: "MQTT" }, icon: "mqtt", role: "viewer", load: () => import("./pages/mqtt") },
  { path: "/accessories", title: { en: "Accessories", de: "Zubehör" }, icon: "accessories", role: "viewer", load: () => import("./pages/accessories") },
  { path: "/users", title: { en: "Accounts", de: "Konten" }, icon: "user", role: "viewer", group: "system", load: () => import("./pages/system/users") },
  { path: "/certificates", title: { en: "Certificates", de: "Zertifikate" }, icon: "lock", role: "administrator", group: "system", load: () => import("./pages/system/certificates") },
  { path: "/time", title: { en: "Time and place", de: "Zeit und Ort" }, icon: "clock", role: "viewer", group: "system", load: () => import("./pages/system/time") },
  { path: "/audit", title: { en: "Who did what", de: "Bedienprotokoll" }, icon: "eye", role: "administrator", group: "system", load: () => import("./pages/system/audit") },
  { path: "/log", title: { en: "Log", de: "Protokoll" }, icon: "list", role: "administrator", group: "system", load: () => import("./pages/system/log") },
  { path: "/maintenance", title: { en: "Maintenance", de: "Wartung" }, icon: "system", role: "administrator", group: "system", load: () => import("./pages/system/maintenance") },
  { path: "/config", title: { en: "Plain config", de: "Einzelwerte" }, icon: "wrench", role: "administrator", group: "system", load: () => import("./pages/system/config") },
];
