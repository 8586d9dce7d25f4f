/** Which policies decide on an object of a cluster. Pure. */
import type { Resource } from "@atoll/client/resource";
import { type LabelSelectorObject, matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Wanted } from "../compile/compile.ts";
import { nameLabel } from "../compile/policies/envelope.ts";

/** The object that is asked about; it need not exist. */
export interface Subject {
  readonly resource: Resource;
  readonly name: string;
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  /** What is known of the namespace's labels: more may be there. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One policy that decides. */
export interface Decision {
  /** KIND/NAME on the hub. */
  readonly policy: string;
  readonly level: string;
  readonly enforcement: "Enforce" | "Warn" | "Audit";
  /** `maybe`: it depends on labels of the namespace that the hub does not know. */
  readonly holds: "yes" | "maybe";
  /** Another that says all that this one says, as strictly or more. */
  readonly shadowedBy?: string;
  /** Others that say the same, as strictly. */
  readonly equalTo: readonly string[];
}

interface Spec {
  readonly policyName?: string;
  readonly validationActions?: readonly string[];
  readonly matchConstraints?: { readonly resourceRules?: readonly Rule[] };
  readonly matchConditions?: readonly { readonly expression: string }[];
  readonly matchResources?: { readonly namespaceSelector?: LabelSelectorObject };
  readonly validations?: readonly { readonly expression: string }[];
  readonly variables?: readonly object[];
}
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
}
interface Candidate extends Omit<Decision, "shadowedBy" | "equalTo"> {
  readonly says: readonly string[];
  readonly exempts: readonly string[];
}

/** By which a cluster bounds pods beyond admission policies. */
const onPods = ["ResourceQuota", "LimitRange", "NetworkPolicy"];
const enforcements = { Deny: "Enforce", Warn: "Warn", Audit: "Audit" } as const;
const strength = { Enforce: 2, Warn: 1, Audit: 0 } as const;

/** The policies that decide, the strictest first. @param wanted what the cluster is to have */
export function decisionsOn(subject: Subject, wanted: readonly Wanted[]): readonly Decision[] {
  const all = wanted.flatMap((one) => candidateOf(one, subject, wanted));
  return all
    .map(({ says, exempts, ...decision }) => {
      const own = { ...decision, says, exempts };
      const others = all.filter((other) => other.policy !== decision.policy && covers(other, own));
      const equal = others.filter((other) => covers(own, other));
      const above = others.find((other) => !equal.includes(other));
      const shadow = above === undefined ? {} : { shadowedBy: above.policy };
      return { ...decision, ...shadow, equalTo: equal.map(({ policy }) => policy) };
    })
    .toSorted((a, b) => strength[b.enforcement] - strength[a.enforcement]);
}

/** Whether nothing of `b` would be missed beside `a`. */
function covers(a: Candidate, b: Candidate): boolean {
  if (b.says.length === 0 || a.holds !== "yes" || strength[a.enforcement] < strength[b.enforcement]) return false;
  return b.says.every((rule) => a.says.includes(rule)) && a.exempts.every((rule) => b.exempts.includes(rule));
}

function candidateOf(one: Wanted, subject: Subject, wanted: readonly Wanted[]): readonly Candidate[] {
  const { source: policy, level, manifest, eachNamespace } = one;
  const spec = (manifest as { spec?: Spec }).spec ?? {};
  if (onPods.includes(manifest.kind)) {
    const holds = reach(eachNamespace as LabelSelectorObject, subject);
    if (subject.resource.kind !== "Pod" || holds === "no") return [];
    return [{ policy, level, enforcement: "Enforce", holds, says: [], exempts: [] }];
  }
  if (!manifest.kind.endsWith("AdmissionPolicy") || !concerns(spec, subject.resource)) return [];
  const binding = bindingOf(one, wanted);
  const holds = reach(binding?.matchResources?.namespaceSelector, subject);
  if (binding === undefined || holds === "no") return [];
  const action = (binding.validationActions?.[0] ?? "Deny") as keyof typeof enforcements;
  const { says, exempts } = expressionsOf(spec);
  return [{ policy, level, enforcement: enforcements[action], holds, says, exempts }];
}

function bindingOf({ manifest }: Wanted, wanted: readonly Wanted[]): Spec | undefined {
  return wanted
    .filter((other) => other.manifest.kind === `${manifest.kind}Binding`)
    .map((other) => (other.manifest as { spec?: Spec }).spec)
    .find((other) => other?.policyName === manifest.metadata.name);
}

/** Two expressions say the same only where the variables they may use are the same. */
function expressionsOf({ variables = [], validations = [], matchConditions = [] }: Spec) {
  return {
    says: validations.map(({ expression }) => JSON.stringify([expression, variables])),
    exempts: matchConditions.map(({ expression }) => expression),
  };
}

function concerns({ matchConstraints }: Spec, { group, plural }: Resource): boolean {
  return (matchConstraints?.resourceRules ?? []).some(
    ({ apiGroups, resources }) =>
      (apiGroups.includes("*") || apiGroups.includes(group)) &&
      (resources.includes("*") || resources.includes("*/*") || resources.includes(plural)),
  );
}

/** What is in no namespace, every selector lets through. */
function reach(selector: LabelSelectorObject | undefined, { namespace, labels }: Subject): "yes" | "maybe" | "no" {
  if (namespace === "") return "yes";
  const known = { ...labels, [nameLabel]: namespace };
  const requirements = selectorOf(selector) ?? [];
  const unknown = requirements.filter(({ key }) => !(key in known));
  if (
    !matchesLabels(
      requirements.filter((one) => !unknown.includes(one)),
      known,
    )
  )
    return "no";
  return unknown.length === 0 ? "yes" : "maybe";
}
