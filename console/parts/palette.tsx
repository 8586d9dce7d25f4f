/** The command palette: any page, object or deed by a few letters of its name. Ctrl K opens it. */
import { Modal, ModalBody, ModalVariant, SearchInput } from "@patternfly/react-core";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTable } from "../live/use.ts";
import { known, type Resource, slugOf } from "../model/resources.ts";
import { paths } from "../paths.ts";
import { chooseTheme, keptTheme } from "../theme/theme.ts";
import { useConsole } from "./context.ts";
import { matching } from "@atoll/portal/view/matching";
import { type Entry, useCustomEntries, useEntries, useFurtherEntries } from "./entries.ts";

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

/** One thing to choose. */
interface Choice {
  readonly title: string;
  /** What it is: a page, a deed, a kind of object. */
  readonly what: string;
  readonly key: string;
  go(): void;
}

const fewLetters = 2;
const mostOfKind = 4;
const mostShown = 12;
const foundKinds = ["pods", "deployments.apps", "services", "nodes", "namespaces", "fleetclusters.fleet.atoll.dev"];

function Choices({ onDone }: { onDone: () => void }) {
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  // What the list below shows: the keys are pressed here, where the words are.
  const shown = useRef<readonly Choice[]>([]);
  const named = matching([...usePages(), ...useDeeds()], words, ({ title }) => title);
  const { serves, rediscover } = useConsole();
  const found = foundKinds.map((slug) => known(slug)).filter(serves);
  const isShort = words.trim().length < fewLetters;
  useEffect(() => {
    void rediscover();
    // Once for each time that it is opened.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  function choose(choice: Choice | undefined) {
    if (choice === undefined) return;
    onDone();
    choice.go();
  }

  function onKey(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((now) => Math.min(Math.max(now + step, 0), shown.current.length - 1));
    }
    if (event.key === "Enter") choose(shown.current[at]);
  }

  return (
    // The keys move the choice while the words keep the focus.
    <div onKeyDown={onKey} className="palette">
      <SearchInput
        searchInputId={wordsId}
        aria-label="Page, object or deed"
        placeholder="A page, an object by its name, something to do…"
        value={words}
        onChange={(_, value) => {
          setWords(value);
          setAt(0);
        }}
        onClear={() => setWords("")}
      />
      {isShort ? (
        <Named named={named.slice(0, mostShown)} at={at} shown={shown} onChoose={choose} />
      ) : (
        <WithObjects
          key={found.map(slugOf).join()}
          named={named.slice(0, mostShown)}
          words={words}
          resources={found}
          at={at}
          shown={shown}
          onChoose={choose}
        />
      )}
    </div>
  );
}

interface ListProps {
  readonly named: readonly Choice[];
  readonly at: number;
  readonly shown: { current: readonly Choice[] };
  onChoose(choice: Choice): void;
}

function Named({ named, at, shown, onChoose }: ListProps) {
  useEffect(() => {
    // oxlint-disable-next-line no-param-reassign -- a ref is there to be written
    shown.current = named;
  }, [named, shown]);
  return (
    <ul aria-label="Choices">
      {named.map((choice, index) => (
        <li key={choice.key}>
          <button type="button" className={index === at ? "is-chosen" : ""} onClick={() => onChoose(choice)}>
            <span>{choice.title}</span>
            <span className="count">{choice.what}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface WithObjectsProps extends ListProps {
  readonly words: string;
  readonly resources: readonly Resource[];
}

/** With objects whose rows have the words: the portal looks through all of them. */
function WithObjects({ named, words, resources, ...props }: WithObjectsProps) {
  const navigate = useNavigate();
  // The kinds are the same as long as it is there.
  const tables = resources.map((resource) => ({ resource, ...useTable(resource, {}, { words, to: mostOfKind }) }));
  const objects = tables.flatMap(({ resource, rows }) =>
    rows.map(({ metadata: { name, namespace, uid } }): Choice => {
      const title = namespace === undefined ? name : `${namespace}/${name}`;
      const go = () => void navigate({ to: paths.object(resource, namespace, name) });
      return { title, what: resource.kind, key: uid, go };
    }),
  );
  return <Named named={[...named, ...objects]} {...props} />;
}

function usePages(): readonly Choice[] {
  const navigate = useNavigate();
  const entries = [...useEntries("workloads"), ...useEntries("infrastructure"), ...useEntries("fleet")];
  const first = [{ title: "Overview", href: paths.home() }, ...entries, { title: "All kinds", href: paths.kinds() }];
  const choices = (what: string, of: readonly Entry[]) =>
    of.map(({ title, href }) => ({ title, what, key: href, go: () => void navigate({ to: href }) }));
  return [
    ...choices("page", first),
    ...choices("custom kind", useCustomEntries()),
    ...choices("kind", useFurtherEntries()),
  ];
}

function useDeeds(): readonly Choice[] {
  const navigate = useNavigate();
  const { signOut } = useConsole();
  const other = keptTheme() === "dark" ? "light" : "dark";
  return [
    { title: "Create from YAML", what: "deed", key: "create", go: () => void navigate({ to: paths.create() }) },
    { title: `Use the ${other} theme`, what: "deed", key: "theme", go: () => chooseTheme(other) },
    { title: "Sign out", what: "deed", key: "out", go: () => void signOut() },
  ];
}
