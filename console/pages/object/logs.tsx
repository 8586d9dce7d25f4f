/** What containers say: followed, found in. */
import { Alert, Button, FormSelect, FormSelectOption, SearchInput, Switch } from "@patternfly/react-core";
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { type Line, type Said, type Source, sourceName, Tail } from "../../live/tail.ts";
import { useObjects } from "../../live/use.ts";
import { matching } from "@atoll/portal/view/matching";
import type { AnyObject } from "../../model/object.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { containersOf } from "./pod.ts";

const everywhere = "";
const podsOfAll = resourceOf("pods");

/** The logs of all pods that a workload selects. */
export function LogsOf({ selector, namespace }: { selector: string; namespace: string }) {
  return podsOfAll === undefined ? null : <Selected resource={podsOfAll} selector={selector} namespace={namespace} />;
}

function Selected({ resource, selector, namespace }: { resource: Resource; selector: string; namespace: string }) {
  const { items } = useObjects(resource, { namespace, labelSelector: selector });
  return <Logs pods={items} />;
}

/** The logs of pods' containers, of one or of all together. */
export function Logs({ pods }: { pods: readonly AnyObject[] }) {
  const sources = useMemo(() => pods.flatMap(sourcesOf), [pods]);
  const [chosen, setChosen] = useState(everywhere);
  const [previous, setPrevious] = useState(false);
  const [words, setWords] = useState("");
  const [isFollowed, setFollowed] = useState(true);
  const wanted = sources.filter((source) => chosen === everywhere || sourceName(source) === chosen);
  const { lines, failure } = useTail(wanted, previous);
  const shown = useMemo(() => matching(lines, words, ({ text }) => text), [lines, words]);

  return (
    <div className="logs">
      <div className="tools">
        <ContainerChoice names={sources.map(sourceName)} value={chosen} onChange={setChosen} />
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
      <Text lines={shown} hasNames={wanted.length > 1} isFollowed={isFollowed} onFollow={setFollowed} />
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
        <div key={line.id} title={line.at}>
          {hasNames && <span className="log-of">{sourceName(line.source)}</span>}
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
      <FormSelectOption value={everywhere} label={names.length === 1 ? (names[0] ?? "") : "All containers"} />
      {names.length > 1 && names.map((name) => <FormSelectOption key={name} value={name} label={name} />)}
    </FormSelect>
  );
}

const sourcesOf = (pod: AnyObject): readonly Source[] =>
  containersOf(pod).map((container) => {
    return { namespace: pod.metadata.namespace ?? "", pod: pod.metadata.name, container };
  });

function useTail(sources: readonly Source[], previous: boolean): Said {
  const tail = useMemo(() => new Tail(previous), [previous]);
  // A value that effects can compare: pods change all the time, their containers seldom.
  const names = sources.map(sourceName).join(",");
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  useEffect(() => tail.follow(sources), [tail, names]);
  useEffect(() => () => tail.close(), [tail]);
  return useSyncExternalStore(tail.subscribe, tail.read);
}
