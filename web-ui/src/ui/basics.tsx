// Cards, buttons, badges and what stands where there is nothing yet.

import type { ButtonHTMLAttributes, ComponentChildren, Ref } from "preact";
import { useId } from "preact/hooks";
import { t } from "./words";
import { Icon, type IconName } from "./icon";

/** Custom properties for an element: `style={vars({ level: 0.4 })}` sets --level. */
export const vars = (values: Record<string, string | number | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined).map(([name, value]) => [`--${name}`, String(value)]));

export const join = (...names: (string | false | null | undefined)[]): string => names.filter(Boolean).join(" ");

export interface CardProps {
  title?: ComponentChildren;
  actions?: ComponentChildren; // at the right of the title
  class?: string;
  flush?: boolean; // the content reaches the edges
  children?: ComponentChildren;
  [more: `data-${string}`]: string | undefined;
}

export function Card({ title, actions, class: name, flush, children, ...more }: CardProps) {
  const id = useId();
  return (
    <section class={join("card", flush && "card-flush", name)} aria-labelledby={title ? id : undefined} {...more}>
      {(title || actions) && (
        <header class="card-head">
          {title && <h2 id={id}>{title}</h2>}
          {actions && <div class="card-actions">{actions}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** The head of a page: its title (the only h1), what can be done, and what the page is for. */
export function PageHead({ title, actions, children }: { title: string; actions?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <header class="page-head">
      <h1>{title}</h1>
      {actions}
      {children && <p>{children}</p>}
    </header>
  );
}

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon" | "ref" | "type" | "disabled"> {
  kind?: "plain" | "primary" | "danger" | "quiet";
  icon?: IconName;
  busy?: boolean; // what it has begun is not done
  small?: boolean;
  type?: "button" | "submit" | "reset";
  disabled?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** One that is busy does nothing, and keeps the focus. */
export function Button({ kind = "plain", icon, busy, small, class: name, children, type = "button", ...more }: ButtonProps) {
  const waits = busy ? { "aria-busy": true, "aria-disabled": true, onClick: (event: Event) => event.preventDefault() } : {};
  return (
    <button {...more} {...waits} type={type} class={join("button", `button-${kind}`, small && "button-small", name as string)}>
      {icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

/** A button without words in sight; the label is its name and its tooltip. */
export function IconButton({ icon, label, small, ...more }: { icon: IconName; label: string } & Omit<ButtonProps, "icon" | "label">) {
  return (
    <Button {...more} small={small} kind={more.kind ?? "quiet"} class={join("icon-button", more.class as string)} aria-label={label} title={label}>
      <Icon name={icon} size={small ? 16 : 20} />
    </Button>
  );
}

export type Tone = "neutral" | "good" | "fair" | "bad" | "accent";

/** A word about a state; it says it also without its colour. */
export function Badge({ tone = "neutral", dot, children }: { tone?: Tone; dot?: boolean; children: ComponentChildren }) {
  return (
    <span class="badge" data-tone={tone}>
      {dot && <i aria-hidden="true" />}
      {children}
    </span>
  );
}

/** Something that everybody must see; `tone` also chooses the icon. */
export function Notice({ tone = "neutral", title, actions, children, live }: { tone?: Tone; title?: ComponentChildren; actions?: ComponentChildren; children?: ComponentChildren; live?: boolean }) {
  const icon: IconName = tone === "bad" ? "error" : tone === "fair" || tone === "accent" ? "warning" : tone === "good" ? "check" : "info";
  return (
    <div class="notice" data-tone={tone} role={live ? "status" : undefined}>
      <Icon name={icon} />
      <div class="notice-words">
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
      {actions && <div class="notice-actions">{actions}</div>}
    </div>
  );
}

/** What an empty list says: what it is for, and what to do next. */
export function Empty({ icon, title, children, action }: { icon?: IconName; title: ComponentChildren; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      {icon && <Icon name={icon} size={32} />}
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

export function Loading({ words }: { words?: string }) {
  return (
    <p class="loading" role="status">
      <i aria-hidden="true" />
      {words ?? t("loading")}
    </p>
  );
}
