/** The command palette: any page by a few letters of its name. Ctrl K opens it. */
import { Modal, ModalBody, ModalVariant, SearchInput } from "@patternfly/react-core";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useState } from "react";
import { matching } from "@atoll/portal/view/matching";
import { useEntries } from "./entries.ts";

const wordsId = "palette-words";

/** @param onChange opens and closes it */
export function Palette({ isOpen, onChange }: { isOpen: boolean; onChange: (isOpen: boolean) => void }) {
  useEffect(() => {
    const open = (event: globalThis.KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onChange(true);
    };
    addEventListener("keydown", open);
    return () => removeEventListener("keydown", open);
  }, [onChange]);
  if (!isOpen) return null;
  return (
    <Modal
      isOpen
      onClose={() => onChange(false)}
      variant={ModalVariant.small}
      aria-label="Go to"
      position="top"
      elementToFocus={`#${wordsId}`}
    >
      <ModalBody>
        <Choices onDone={() => onChange(false)} />
      </ModalBody>
    </Modal>
  );
}

function Choices({ onDone }: { onDone: () => void }) {
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const entries = [...useEntries("workloads"), ...useEntries("infrastructure"), ...useEntries("fleet")];
  const found = matching(entries, words, ({ title }) => title).slice(0, 10);

  function go(href: string) {
    onDone();
    void navigate({ to: href });
  }

  function onKey(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((now) => Math.min(Math.max(now + step, 0), found.length - 1));
    }
    const chosen = found[at];
    if (event.key === "Enter" && chosen !== undefined) go(chosen.href);
  }

  return (
    // The keys move the choice while the words keep the focus.
    <div onKeyDown={onKey} className="palette">
      <SearchInput
        searchInputId={wordsId}
        aria-label="Page"
        placeholder="Go to…"
        value={words}
        onChange={(_, value) => {
          setWords(value);
          setAt(0);
        }}
        onClear={() => setWords("")}
      />
      <ul aria-label="Pages">
        {found.map(({ title, href }, index) => (
          <li key={href}>
            <button type="button" className={index === at ? "is-chosen" : ""} onClick={() => go(href)}>
              {title}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
