// A sentence with its values set off.

import { pieces } from "./model";

export function Sentence({ text, class: name }: { text: string; class?: string }) {
  return (
    <p class={name ?? "rules-sentence"}>
      <Words text={text} />
    </p>
  );
}

export function Words({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((piece, at) => (piece.strong ? <b key={at}>{piece.text}</b> : <span key={at}>{piece.text}</span>))}
    </>
  );
}
