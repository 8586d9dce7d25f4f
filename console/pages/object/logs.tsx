/** What containers say: followed, found in. */
import { Alert, Button, FormSelect, FormSelectOption, SearchInput, Switch } from "@patternfly/react-core";
import { useEffect, useMemo, useRef, useState } from "react";
import { CallFailed, send } from "../../model/call.ts";
import { matching } from "../../model/matching.ts";
import type { AnyObject } from "../../model/object.ts";
import { containersOf } from "./pod.ts";

/** Lines kept; older ones are let go. */
const mostLines = 5_000;
const everywhere = "";

interface Line {
  readonly id: number;
  readonly container: string;
  readonly text: string;
}

/** The logs of a pod's containers, of one or of all together. */
export function Logs({ pod }: { pod: AnyObject }) {
  const names = containersOf(pod);
  const [container, setContainer] = useState(names.length === 1 ? (names[0] ?? "") : everywhere);
  const [previous, setPrevious] = useState(false);
  const [words, setWords] = useState("");
  const [isFollowed, setFollowed] = useState(true);
  const chosen = container === everywhere ? names.join(",") : container;
  const { lines, failure } = useLog(pod, chosen, previous);
  const shown = useMemo(() => matching(lines, words, ({ text }) => text), [lines, words]);

  return (
    <div className="logs">
      <div className="tools">
        <ContainerChoice names={names} value={container} onChange={setContainer} />
        <SearchInput
          className="tools-search"
          aria-label="Find in logs"
          placeholder="Find…"
          value={words}
          onChange={(_, value) => setWords(value)}
          onClear={() => setWords("")}
        />
        <Switch label="Before the last restart" isChecked={previous} onChange={(_, value) => setPrevious(value)} />
        {!isFollowed && (
          <Button variant="link" onClick={() => setFollowed(true)}>
            To the newest
          </Button>
        )}
        <span className="count">
          {shown.length} of {lines.length} lines
        </span>
      </div>
      {failure !== "" && <Alert variant="info" isInline title={failure} />}
      <Text lines={shown} hasNames={container === everywhere} isFollowed={isFollowed} onFollow={setFollowed} />
    </div>
  );
}

interface TextProps {
  readonly lines: readonly Line[];
  readonly hasNames: boolean;
  readonly isFollowed: boolean;
  onFollow(isFollowed: boolean): void;
}

function Text({ lines, hasNames, isFollowed, onFollow }: TextProps) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (isFollowed && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines, isFollowed]);
  return (
    <pre
      className="log"
      ref={box}
      // What scrolls has to be reached by keys.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="log"
      aria-label="Log"
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
        onFollow(scrollTop + clientHeight > scrollHeight - 24)
      }
    >
      {lines.map((line) => (
        <div key={line.id}>
          {hasNames && <span className="log-of">{line.container}</span>}
          {line.text}
        </div>
      ))}
    </pre>
  );
}

interface ContainerChoiceProps {
  readonly names: readonly string[];
  readonly value: string;
  onChange(name: string): void;
}

function ContainerChoice({ names, value, onChange }: ContainerChoiceProps) {
  return (
    <FormSelect
      className="tools-namespace"
      aria-label="Container"
      value={value}
      onChange={(_, chosen) => onChange(chosen)}
    >
      {names.length > 1 && <FormSelectOption value={everywhere} label="All containers" />}
      {names.map((name) => (
        <FormSelectOption key={name} value={name} label={name} />
      ))}
    </FormSelect>
  );
}

/** @param chosen names of containers, separated by commas: a value that effects can compare */
function useLog(pod: AnyObject, chosen: string, previous: boolean): { lines: readonly Line[]; failure: string } {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [failure, setFailure] = useState("");
  const { name, namespace = "" } = pod.metadata;
  useEffect(() => {
    const stop = new AbortController();
    let nextId = 0;
    let waiting: Line[] = [];
    setLines([]);
    setFailure("");

    // Chatty containers fill many chunks a frame; the page is drawn once for all of them.
    function flush() {
      const some = waiting;
      waiting = [];
      if (!stop.signal.aborted) setLines((known) => [...known, ...some].slice(-mostLines));
    }
    function take(container: string, texts: readonly string[]) {
      if (waiting.length === 0) requestAnimationFrame(flush);
      waiting.push(...texts.map((text) => ({ id: nextId++, container, text })));
    }
    const follow = async (container: string) => {
      const query = new URLSearchParams({ container, tailLines: "1000", follow: String(!previous) });
      if (previous) query.set("previous", "true");
      const path = `/hub/api/v1/namespaces/${namespace}/pods/${name}/log?${query.toString()}`;
      const answer = await send(path, { accept: "*/*", signal: stop.signal });
      await readLines(answer, (texts) => take(container, texts));
    };
    for (const each of chosen.split(",").filter(Boolean)) {
      follow(each).catch((error: unknown) => {
        if (stop.signal.aborted) return;
        setFailure(error instanceof CallFailed ? error.message : "The log broke off; choose the container again.");
      });
    }
    return () => stop.abort();
  }, [name, namespace, chosen, previous]);
  return { lines, failure };
}

async function readLines({ body }: Response, take: (lines: readonly string[]) => void): Promise<void> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) take(lines);
    if (done) return;
  }
}
