/** An editor of YAML with faults at their lines, and the comparison of two texts. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { Fault } from "../model/yaml.ts";
import { completion } from "./completion.ts";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--atoll-tide)" },
  { tag: tags.string, color: "var(--atoll-good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--atoll-busy)" },
  { tag: tags.comment, color: "var(--atoll-quiet)" },
]);

const look: Extension = [
  lineNumbers(),
  yaml(),
  syntaxHighlighting(colours),
  bracketMatching(),
  indentUnit.of("  "),
  EditorView.contentAttributes.of({ "aria-label": "YAML" }),
];

interface EditorProps {
  readonly text: string;
  readonly faults: readonly Fault[];
  onChange(text: string): void;
  /** Ctrl Enter. */
  onSubmit(): void;
}

/** @param props `text`: a text that is not the editor's own takes its place */
export function Editor({ text, faults, onChange, onSubmit }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const told = useRef({ onChange, onSubmit });
  told.current = { onChange, onSubmit };
  const first = useRef(text);

  useEffect(() => {
    if (place.current === null) return;
    const submit = () => {
      told.current.onSubmit();
      return true;
    };
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          look,
          history(),
          indentOnInput(),
          highlightActiveLine(),
          completion(),
          lintGutter(),
          // Escape, then Tab leaves the editor: keys never get caught in it.
          keymap.of([{ key: "Mod-Enter", run: submit }, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) told.current.onChange(state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const { current } = view;
    if (current === null || current.state.doc.toString() === text) return;
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const { current } = view;
    if (current === null) return;
    const end = current.state.doc.length;
    const inside = faults.map(({ from, to, message }) => ({
      from: Math.min(from, end),
      to: Math.min(to, end),
      severity: "error" as const,
      message,
    }));
    current.dispatch(setDiagnostics(current.state, inside));
    const [worst] = inside;
    if (worst !== undefined) current.dispatch({ effects: EditorView.scrollIntoView(worst.from, { y: "center" }) });
  }, [faults]);

  return <div className="editor" ref={place} />;
}

/** What changes from one text to another. */
export function Comparison({ before, after }: { before: string; after: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    const extensions = [
      look,
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
      unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
    ];
    const made = new EditorView({ parent: place.current, state: EditorState.create({ doc: after, extensions }) });
    return () => made.destroy();
  }, [before, after]);
  return <div className="editor comparison" ref={place} />;
}
