/**
 * What policies that change are to be tried with on a cluster, and what the clusters' answers say to people. Pure.
 * Source: docs/rfd/0039-trying-policies.md
 */
import type { Trial, Tried, Verdict } from "@atoll/api/fleet/trial";
import type { ApiObject } from "@atoll/machinery/object";
import type { Wanted } from "../compile/compile.ts";
import type { Difference } from "./plan.ts";

/** What changes of the policies that judge objects, or write into them. */
type Stake = Pick<Trial, "before" | "after">;

/** What one cluster said. */
export interface Answer {
  readonly cluster: string;
  /** Or why there is none. */
  readonly verdict: Verdict | string;
  /** Whether who asks may know what breaks policies there. */
  readonly isShown: boolean;
  /** What the cluster is to have after. */
  readonly after: Stake["after"];
}

const kinds = ["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"];
/** Of each sort of lines; what is more is counted. */
const mostLines = 8;
/** Characters of names in one line. */
const mostOfNames = 150;

/** @returns undefined: nothing that judges objects changes there */
export function stakeOf({ was, next, changes }: Pick<Difference, "was" | "next" | "changes">): Stake | undefined {
  const isOne = (id: string) => kinds.some((kind) => id.startsWith(`${kind}/`) || id.startsWith(`${kind}Binding/`));
  const sources = new Set(changes.filter(({ object }) => isOne(object)).map(({ source }) => source));
  if (sources.size === 0) return undefined;
  const of = (wanted: readonly Wanted[]) =>
    wanted
      .filter(({ source, manifest }) => sources.has(source) && isOne(`${manifest.kind}/`))
      .map(({ level: _, ...object }) => object as Stake["after"][number]);
  return { before: of(was), after: of(next) };
}

/** The answers in a line for each that matters; the rest together. */
export function linesOf(answers: readonly Answer[]): readonly string[] {
  const told = answers.flatMap(({ cluster, verdict, isShown, after }) =>
    typeof verdict === "string"
      ? []
      : verdict.tried.map((tried) => ({
          cluster,
          verdict,
          isShown,
          after,
          tried,
          breaks: tried.newly + tried.changed,
        })),
  );
  const shown = told.filter(({ isShown }) => isShown);
  const worst = shown.filter(({ breaks }) => breaks > 0).toSorted((a, b) => b.breaks - a.breaks);
  const other = shown.filter(
    ({ breaks, verdict, tried }) => breaks === 0 && (!verdict.complete || tried.still + tried.mended > 0),
  );
  const named = [...worst, ...other];
  const silent = answers.flatMap(({ cluster, verdict }) =>
    typeof verdict === "string" ? [{ cluster, why: verdict }] : [],
  );
  return [
    ...named
      .slice(0, mostLines)
      .map((each) => `cluster ${each.cluster}: ${sentence(each.tried, each.after)}${rest(each.verdict)}`),
    ...more(named.slice(mostLines)),
    ...hidden(told.filter(({ isShown }) => !isShown)),
    ...clean(shown.filter((each) => !named.includes(each))),
    ...silent.slice(0, mostLines).map(({ cluster, why }) => `cluster ${cluster} does not tell what it has: ${why}`),
    ...unasked(silent.slice(mostLines)),
  ];
}

const consequence: Readonly<Record<string, string>> = {
  Deny: ", refused if made now",
  Warn: ", warned of if made now",
  Audit: ", audited if made now",
};

function sentence({ policy, newly, still, mended, changed, first }: Tried, after: Stake["after"]): string {
  const binding = after.find(({ source, manifest }) => source === policy && "validationActions" in specOf(manifest));
  const actions = binding === undefined ? [] : (specOf(binding.manifest)["validationActions"] as readonly string[]);
  const names = first.length === 0 ? "" : `: ${namesOf(first, newly + changed)}`;
  const also = [
    ...(still > 0 ? [`${still} ${verb(still, "break")} it still`] : []),
    ...(mended > 0 ? [`${mended} ${verb(mended, "break")} it no more`] : []),
  ];
  if (changed > 0) return `${objects(changed)} would be changed by ${policy} if made now${names}`;
  const head =
    newly === 0
      ? `nothing newly breaks ${policy}`
      : `${objects(newly)} newly ${verb(newly, "break")} ${policy}${consequence[actions[0] ?? ""] ?? ""}${names}`;
  return [head, ...also].join("; ");
}

/** As many as there is room for. */
function namesOf(first: readonly string[], total: number): string {
  const fitting = first.filter((_, at) => at === 0 || first.slice(0, at + 1).join(", ").length <= mostOfNames);
  return [...fitting, ...(fitting.length < total ? ["..."] : [])].join(", ");
}

function specOf(manifest: ApiObject): Readonly<Record<string, unknown>> {
  return (manifest["spec"] ?? {}) as Readonly<Record<string, unknown>>;
}

function rest({ complete, looked }: Verdict): string {
  return complete ? "" : ` (of the first ${looked} objects; there was no time for more)`;
}

interface Told {
  readonly cluster: string;
  readonly tried: Tried;
  readonly breaks: number;
}

function more(left: readonly Told[]): readonly string[] {
  if (left.length === 0) return [];
  const of = (count: (tried: Tried) => number) => left.reduce((sum, { tried }) => sum + count(tried), 0);
  const [newly, changed] = [of((tried) => tried.newly), of((tried) => tried.changed)];
  return [`${clusters(left)} more: ${objects(newly)} newly break policies, ${changed} would be changed`];
}

function hidden(left: readonly Told[]): readonly string[] {
  const breaks = left.reduce((sum, each) => sum + each.breaks, 0);
  if (left.length === 0) return [];
  return [
    `${objects(breaks)} newly break policies or would be changed on ${clusters(left)} whose reports you may not read`,
  ];
}

function clean(left: readonly Told[]): readonly string[] {
  return [...Map.groupBy(left, ({ tried }) => tried.policy)].map(([policy, of]) => {
    return `nothing that exists breaks, or is changed by, ${policy} on ${listed(of)}`;
  });
}

function unasked(left: readonly { readonly cluster: string }[]): readonly string[] {
  return left.length === 0 ? [] : [`nor do ${left.length} clusters more: ${listed(left)}`];
}

const mostListed = 5;

function listed(of: readonly { readonly cluster: string }[]): string {
  const names = of.slice(0, mostListed).map(({ cluster }) => cluster);
  return of.length > mostListed ? `${names.join(", ")} and ${of.length - mostListed} more` : names.join(", ");
}

function clusters(of: readonly { readonly cluster: string }[]): string {
  const count = new Set(of.map(({ cluster }) => cluster)).size;
  return `${count} ${count === 1 ? "cluster" : "clusters"}`;
}

function objects(count: number): string {
  return `${count} ${count === 1 ? "object" : "objects"}`;
}

function verb(count: number, word: string): string {
  return count === 1 ? `${word}s` : word;
}
