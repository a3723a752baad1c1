// Around the page: menu, language, appearance, account, connection, and what everybody must see.

import type { ComponentType } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { command } from "../api";
import iconUrl from "../icon.svg";
import { connection, deviceNow, heardAt, status, wallOffset } from "../live";
import { PAGES, type Page, type PageProps } from "../pages";
import { Link, place } from "../router";
import { can, entering, logOut, session } from "../session";
import { choose, theme, type Theme } from "../theme";
import { announce, attempt, Button, Empty, Icon, IconButton, join, Loading, Menu, Notice, useTick } from "../ui";
import { language, LANGUAGES, span, speak, type Language } from "../words";
import { About, ChangePassword } from "./about";
import { t } from "./words";

const SMALL = "menu-small";

/** The page whose path is the longest that the place begins with. */
function pageAt(segments: readonly string[]): { page: Page; rest: string[] } | null {
  const fits = PAGES.filter(({ path }) => {
    const own = path.split("/").filter(Boolean);
    return own.length ? own.every((step, n) => segments[n] === step) : segments.length === 0;
  });
  const page = fits.toSorted((a, b) => b.path.length - a.path.length)[0];
  return page ? { page, rest: segments.slice(page.path.split("/").filter(Boolean).length) } : null;
}

export function Shell() {
  const [small, shrink] = useState(localStorage.getItem(SMALL) === "yes");
  const [open, show] = useState(false); // on a phone
  const [asked, ask] = useState<"about" | "password" | null>(null);
  const found = pageAt(place.value.segments);
  const title = found?.page.title[language.value] ?? "";
  const name = status.value?.device.name ?? "sipstrobe";
  useEffect(() => {
    document.title = title ? `${title} · ${name}` : name;
  }, [title, name]);
  useEffect(() => show(false), [place.value.path]);
  const menu = useRef<HTMLElement>(null);
  useLayoutEffect(() => (open ? watchMenu(menu.current!, () => show(false)) : undefined), [open]);
  const resize = (): void => {
    localStorage.setItem(SMALL, small ? "no" : "yes");
    shrink(!small);
  };
  return (
    <div class={join("shell", small && "shell-small", open && "shell-open")} data-connection={connection.value}>
      <a class="skip button button-primary" href="#content" onClick={(event) => (event.preventDefault(), document.querySelector<HTMLElement>("main")?.focus())}>
        {t("skip")}
      </a>
      <header class="bar">
        <IconButton class="bar-menu" icon="menu" label={t("menu")} aria-expanded={open} aria-controls="menu" onClick={() => show(!open)} />
        <img src={iconUrl} width="28" height="28" alt="" />
        <p class="bar-name">{name}</p>
        <Connection />
        <LanguageMenu />
        <ThemeMenu />
        <IconButton icon="help" label={t("about")} onClick={() => ask("about")} />
        <UserMenu onPassword={() => ask("password")} />
      </header>
      <nav id="menu" class="side" aria-label={t("menu")} ref={menu}>
        <ul>
          {PAGES.filter(({ role }) => can(role)).map((page) => (
            <Entry key={page.path} page={page} current={page === found?.page} />
          ))}
        </ul>
        <IconButton class="side-resize" icon={small ? "right" : "left"} label={t(small ? "expand" : "collapse")} onClick={resize} />
      </nav>
      <main id="content" tabIndex={-1} class="content" data-page={found?.page.path}>
        <Banners />
        {found ? can(found.page.role) ? <Shown key={found.page.path} page={found.page} rest={found.rest} /> : <Empty icon="lock" title={t("notAllowed", { role: t(found.page.role) })} /> : <Nowhere />}
      </main>
      {asked === "about" && <About onClose={() => ask(null)} />}
      {asked === "password" && <ChangePassword onClose={() => ask(null)} />}
    </div>
  );
}

/** An open menu has the focus, and is closed by Escape, by a choice, and from outside. Gives what ends that. */
function watchMenu(menu: HTMLElement, close: () => void): () => void {
  const button = document.querySelector<HTMLElement>(".bar-menu");
  menu.querySelector<HTMLElement>("[aria-current]")?.focus();
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !menu.contains(event.target as Node)) return;
    button?.focus();
    close();
  };
  const outside = ({ target }: Event): void => {
    if (!menu.contains(target as Node) && !button?.contains(target as Node)) close();
  };
  const chosen = ({ target }: Event): void => {
    if (menu.contains(target as Node) && (target as Element).closest("a")) close();
  };
  addEventListener("keydown", key);
  addEventListener("click", chosen);
  addEventListener("pointerdown", outside);
  addEventListener("focusin", outside);
  return () => {
    removeEventListener("keydown", key);
    removeEventListener("click", chosen);
    removeEventListener("pointerdown", outside);
    removeEventListener("focusin", outside);
  };
}

function Entry({ page, current }: { page: Page; current: boolean }) {
  return (
    <li class={page.group === "system" ? "side-system" : undefined}>
      <Link path={page.path} class={join("side-link", current && "side-current")} aria-current={current ? "page" : undefined}>
        <Icon name={page.icon} />
        <span>{page.title[language.value]}</span>
      </Link>
    </li>
  );
}

let arrived = false; // at the first page, which the browser itself tells of

/** Another page begins at its top, and is said. */
function arrive(title: string): void {
  if (arrived) {
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
    announce(title);
  }
  arrived = true;
}

const RELOADED = "reloaded"; // in the session's storage: it was tried, and no page was loaded since

/** A page, loaded when it is first looked at. What could not be, since the device was away or is another
 *  version by now, is there with the whole interface loaded anew, which is done by itself and once. */
function Shown({ page, rest }: { page: Page; rest: string[] }) {
  const [Content, set] = useState<ComponentType<PageProps> | null>(null);
  const [failed, fail] = useState(false);
  useEffect(() => {
    let here = true;
    page.load().then(
      (loaded) => {
        sessionStorage.removeItem(RELOADED);
        if (here) set(() => loaded.default);
      },
      () => here && fail(true),
    );
    return () => {
      here = false;
    };
  }, [page]);
  useEffect(() => {
    if (Content) arrive(page.title[language.peek()]);
  }, [Content]);
  const anew = failed && connection.value === "live" && sessionStorage.getItem(RELOADED) === null;
  useEffect(() => {
    if (!anew) return;
    sessionStorage.setItem(RELOADED, "yes");
    location.reload();
  }, [anew]);
  if (failed) return <Notice tone="bad" actions={<Button onClick={() => location.reload()}>{t("reload")}</Button>}>{t("notLoaded")}</Notice>;
  return Content ? <Content rest={rest} query={place.value.query} /> : <Loading />;
}

function Nowhere() {
  return (
    <Empty icon="search" title={t("notFound")} action={<a class="button" href="#/">{t("home")}</a>}>
      {t("notFoundWords")}
    </Empty>
  );
}

function Connection() {
  const state = connection.value;
  return (
    <span class="connection" role="status" data-state={state}>
      <i aria-hidden="true" />
      <span>{t(state)}</span>
    </span>
  );
}

function LanguageMenu() {
  const items = (Object.keys(LANGUAGES) as Language[]).map((one) => ({ label: LANGUAGES[one], checked: one === language.value, onSelect: () => speak(one) }));
  return <Menu hideLabel icon="language" label={t("language")} items={items} />;
}

function ThemeMenu() {
  const words = { auto: t("themeAuto"), light: t("themeLight"), dark: t("themeDark") };
  const items = (Object.keys(words) as Theme[]).map((one) => ({ label: words[one], checked: one === theme.value, onSelect: () => choose(one) }));
  return <Menu hideLabel icon={theme.value === "auto" ? "auto" : theme.value === "dark" ? "moon" : "sun"} label={t("theme")} items={items} />;
}

function UserMenu({ onPassword }: { onPassword: () => void }) {
  const { name, role } = session.value;
  if (name === null) return <Button small onClick={() => (entering.value = true)}>{t("logIn")}</Button>;
  return (
    <Menu
      class="bar-user"
      icon="user"
      label={t("user", { name })}
      items={[
        { label: t("changePassword"), icon: "key", onSelect: onPassword },
        { label: t("logOut"), icon: "logout", onSelect: () => void logOut() },
      ]}
    >
      <span class="bar-who">
        {name} <small>{role && t(role)}</small>
      </span>
    </Menu>
  );
}

/** What everybody must see, whatever page they look at. */
function Banners() {
  return (
    <div class="banners">
      {connection.value === "lost" && <Lost />}
      {status.value?.maintenance.active && <Maintenance until={status.value.maintenance.until} />}
      <Unsecured />
    </div>
  );
}

function Lost() {
  useTick();
  return (
    <Notice tone="bad">
      <span role="timer">{t("lostFor", { time: span(Math.floor(performance.now() / 1000 - heardAt.value)) })}</span>
    </Notice>
  );
}

/** MNT-06, MNT-07. */
function Maintenance({ until }: { until: string | null }) {
  useTick();
  const ends = until === null ? null : Date.parse(until) / 1000 - wallOffset.value - deviceNow();
  const off = (): Promise<boolean> => attempt(() => command("set-maintenance", { active: false }));
  return (
    <Notice tone="accent" title={t("maintenance")} actions={can("operator") && <Button kind="primary" small onClick={() => void off()}>{t("switchOff")}</Button>}>
      {t("maintenanceWords")} {ends === null ? t("maintenanceForever") : t("maintenanceEnds", { time: span(ends) })}
    </Notice>
  );
}

/** What the device advises against, until people say that they know. */
function Unsecured() {
  const [hidden, hide] = useState(sessionStorage.getItem("advice") === "seen");
  const { advice, anonymous } = session.value;
  if (hidden || anonymous || !advice.length) return null;
  const dismiss = (): void => {
    sessionStorage.setItem("advice", "seen");
    hide(true);
  };
  return (
    <Notice actions={<IconButton small icon="close" label={t("dismiss")} onClick={dismiss} />}>
      {advice.map(({ code, words }) => (
        <p key={code}>{code === "unencrypted" ? t("unsecuredShort") : code === "weak_password" ? t("weakPassword") : words}</p>
      ))}
    </Notice>
  );
}
