// The keys of a telephone: each press goes out at once, in the order in which it was pressed.

import { useRef, useState } from "preact/hooks";
import { command, Problem } from "../../api";
import { Button } from "../../ui/basics";
import { Form, TextField } from "../../ui/fields";
import { announce } from "../../ui/toast";
import { t } from "./words";

const KEYS = ["1", "2", "3", "A", "4", "5", "6", "B", "7", "8", "9", "C", "*", "0", "#", "D"] as const;
const SHOWN = 32; // digits that were sent last
const LONGEST = 64; // digits of one order

/** call: null: all that are active. */
export function Keypad({ call, label }: { call: string | null; label: string }) {
  const [sent, say] = useState("");
  const [text, type] = useState("");
  const [wrong, complain] = useState("");
  const busy = useRef(Promise.resolve(true));
  const send = (digits: string): Promise<boolean> => {
    const turn = async (): Promise<boolean> => {
      try {
        await command("send-digits", { call, digits });
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        complain(problem.message);
        return false;
      }
      complain("");
      say((before) => (before + digits).slice(-SHOWN));
      announce(t("sent_digits", { digits }));
      return true;
    };
    busy.current = busy.current.then(turn);
    return busy.current;
  };
  const pressed = (event: KeyboardEvent): void => {
    const key = event.key.toUpperCase();
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (plain && (KEYS as readonly string[]).includes(key) && !(event.target instanceof HTMLInputElement)) void send(key);
  };
  return (
    <div class="calls-keypad" role="group" aria-label={label} onKeyDown={pressed}>
      <div class="calls-keys">
        {KEYS.map((key) => (
          <button key={key} type="button" class="button calls-key" aria-label={t("press", { digit: key })} onClick={() => void send(key)}>
            {key}
          </button>
        ))}
      </div>
      <div class="calls-several">
        <Form class="calls-send" onSubmit={() => void send(text.trim().toUpperCase()).then((done) => done && type(""))}>
          <TextField label={t("several")} hint={t("several_hint")} error={wrong} value={text} onChange={type} placeholder="1234#" maxLength={LONGEST} inputMode="tel" required />
          <Button type="submit">{t("send")}</Button>
        </Form>
        <p class="calls-sent figures">{sent && t("pressed", { digits: sent })}</p>
      </div>
    </div>
  );
}
