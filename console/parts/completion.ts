/** Completion in the editor: what the server's description of the kind at the cursor allows there. */
import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  startCompletion,
} from "@codemirror/autocomplete";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { ask, CallFailed } from "../model/call.ts";
import { type Offer, offersAt } from "../model/complete.ts";
import { cursorAt } from "../model/cursor.ts";
import { KindBook } from "../model/openapi.ts";

/** Of one editor. What the server describes is asked for when it is first needed. */
export function completion(): Extension {
  const book = new KindBook(ask);
  return autocompletion({ override: [(context) => complete(context, book)], icons: false, maxRenderedOptions: 60 });
}

async function complete({ state, pos, explicit }: CompletionContext, book: KindBook): Promise<CompletionResult | null> {
  const cursor = cursorAt(state.doc.toString(), pos);
  if (cursor === undefined || (cursor.begun === "" && !explicit)) return null;
  try {
    const offers = await offersAt(cursor, book);
    const options = offers.map(optionOf);
    return { from: pos - cursor.begun.length, options, validFor: /^[\w./-]*$/ };
  } catch (error) {
    // Who cannot be told what is allowed can write all the same.
    if (error instanceof CallFailed) return null;
    throw error;
  }
}

const optionOf = (offer: Offer): Completion => ({
  label: offer.label,
  detail: offer.detail,
  boost: offer.isRequired ? 1 : 0,
  ...(offer.description === "" ? {} : { info: () => paragraph(offer.description) }),
  apply: (view, _, from, to) => write(view, offer, { from, to }),
});

function paragraph(text: string): Node {
  const node = document.createElement("p");
  node.textContent = text;
  return node;
}

/** A key that has its colon keeps it, with what follows. */
function write(view: EditorView, { label, text, goesOn }: Offer, place: { from: number; to: number }): void {
  const after = view.state.doc.lineAt(place.to);
  const isKeyed = /^\s*:/.test(after.text.slice(place.to - after.from));
  const insert = isKeyed ? label : text;
  view.dispatch({ changes: { ...place, insert }, selection: { anchor: place.from + insert.length } });
  if (goesOn && !isKeyed) startCompletion(view);
}
