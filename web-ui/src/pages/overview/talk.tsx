// Push to talk: hold the button, and the device says what you say; and hear the room meanwhile.

import { useEffect, useRef, useState } from "preact/hooks";
import { status } from "../../live";
import { can } from "../../session";
import { announce, Button, Card, Meter, Notice, Toggle } from "../../ui";
import "./talk.css";
import { TalkError, TalkLine, type Trouble } from "./talk_line";
import { t } from "./talk_words";

const LOOK = 80; // milliseconds from one look at the level to the next
const NAMES_MAX = 3;

type Phase = "idle" | "connecting" | "ready" | "talking";

/** The line, as long as somebody uses it; what is wrong with it, in words. */
function useLine() {
  const line = useRef<TalkLine | null>(null);
  const held = useRef(false);
  const mounted = useRef(true);
  const [phase, enter] = useState<Phase>("idle");
  const [trouble, tell] = useState("");

  const close = (): void => {
    line.current?.close();
    line.current = null;
    if (mounted.current) enter("idle");
  };
  const lose = (why: Trouble): void => {
    close();
    if (mounted.current) tell(t(why));
  };
  /** A line that does this, in place of one that does not. */
  const want = async (talk: boolean, listen: boolean): Promise<TalkLine | null> => {
    const now = line.current;
    if (now && (!talk || now.canTalk) && now.listening === listen) return now;
    close();
    enter("connecting");
    tell("");
    try {
      const made = await TalkLine.open({ talk, listen });
      if (!mounted.current) return made.close(), null;
      made.onEnd = lose;
      line.current = made;
      tell(listen && !made.listening ? made.words : "");
      enter("ready");
      return made;
    } catch (error) {
      if (mounted.current) {
        enter("idle");
        tell(error instanceof TalkError ? t(error.trouble) : (error as Error).message);
      }
      return null;
    }
  };
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
      line.current?.close();
    };
  }, []);
  return { line, held, phase, enter, trouble, want, close, lose };
}

export default function Talk() {
  const { line, held, phase, enter, trouble, want, close, lose } = useLine();
  const [listens, listen] = useState(false);
  const talkers = status.value?.talk ?? [];
  const hasMicrophone = Boolean(status.value?.microphone.input);
  const seen = useRef("");

  const own = talkers.find(({ id }) => id === line.current?.id);
  useEffect(() => {
    if (own) seen.current = own.id;
    else if (line.current && seen.current === line.current.id) lose("ended");
  }, [own]);
  if (!can("operator")) return null;

  const press = async (): Promise<void> => {
    if (held.current || phase === "connecting") return;
    held.current = true;
    const fresh = !line.current?.canTalk;
    const made = await want(true, listens && hasMicrophone);
    if (!made) return void (held.current = false);
    if (!held.current) return fresh ? announce(t("again")) : undefined;
    made.speak(true);
    enter("talking");
  };
  const release = (): void => {
    if (!held.current) return;
    held.current = false;
    line.current?.speak(false);
    if (phase === "talking") enter("ready");
  };
  const turn = async (on: boolean): Promise<void> => {
    listen(on);
    if (on) {
      if (!(await want(Boolean(line.current?.canTalk), true))?.listening) listen(false);
    } else if (line.current?.canTalk) await want(true, false);
    else close();
  };
  const others = talkers.filter(({ id, talking }) => talking && id !== line.current?.id).map(({ who }) => who);
  return (
    <Card title={t("title")} class="talk" actions={phase === "ready" && <Button small icon="close" onClick={() => (listen(false), close())}>{t("disconnect")}</Button>}>
      <TalkButton phase={phase} onPress={() => void press()} onRelease={release} />
      <Level line={line.current} on={phase === "talking"} />
      <p class="hint" aria-live="polite">{others.length ? t("others", { names: others.slice(0, NAMES_MAX).join(", "), n: others.length }) : t("hint")}</p>
      <Toggle label={t("listen")} hint={hasMicrophone ? t("listenHint") : t("noMicrophone")} checked={listens && hasMicrophone} disabled={!hasMicrophone || phase === "connecting" || phase === "talking"} onChange={(on) => void turn(on)} />
      {trouble && <Notice tone="bad" live>{trouble}</Notice>}
    </Card>
  );
}

/** Held by pointer, space or enter; a click that was none of them, as of a screen reader, switches. */
function TalkButton({ phase, onPress, onRelease }: { phase: Phase; onPress: () => void; onRelease: () => void }) {
  const byHand = useRef(false);
  const isKey = (event: KeyboardEvent): boolean => event.key === " " || event.key === "Enter";
  return (
    <Button
      kind="primary"
      icon="mic"
      class="talk-button"
      aria-pressed={phase === "talking"}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        byHand.current = true;
        onPress();
      }}
      onPointerUp={onRelease}
      onPointerCancel={onRelease}
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        if (!event.repeat) onPress();
      }}
      onKeyUp={(event) => isKey(event) && (event.preventDefault(), onRelease())}
      onBlur={onRelease}
      onClick={() => {
        if (!byHand.current) (phase === "talking" ? onRelease : onPress)();
        byHand.current = false;
      }}
    >
      {phase === "talking" ? t("talking") : phase === "connecting" ? t("connecting") : t("hold")}
    </Button>
  );
}

function Level({ line, on }: { line: TalkLine | null; on: boolean }) {
  const [level, show] = useState(-100);
  useEffect(() => {
    if (!line || !on) return show(-100);
    const looking = setInterval(() => show(line.loudness()), LOOK);
    return () => clearInterval(looking);
  }, [line, on]);
  return <Meter value={level} label={t("yourLevel")} />;
}
