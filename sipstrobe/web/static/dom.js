// A few words for making elements and keeping lists of them in step with data.

export const $ = (selector, root = document) => root.querySelector(selector);

/** h("li.call", {title: "…"}, child, "text") */
export function h(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Write only what differs, so that nothing blinks and selections stay. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** One child per item, in the order of the items; children are kept as long as their key lives. */
export function keep(list, items, key, make, update) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const [n, item] of items.entries()) {
    const name = String(key(item, n));
    let child = before.get(name);
    if (child) before.delete(name);
    else {
      child = make(item);
      child.dataset.key = name;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  for (const child of before.values()) child.remove();
}

/** The first press asks, the second does. */
export function askAgain(button, action) {
  if (button.dataset.asked) {
    delete button.dataset.asked;
    setText(button, "Delete");
    action();
    return;
  }
  button.dataset.asked = "yes";
  setText(button, "Really delete?");
  button.addEventListener("blur", () => {
    delete button.dataset.asked;
    setText(button, "Delete");
  }, { once: true });
}
