/** A short way to write down roles, for the tables beside this file. */
import type { PolicyRule, Subject } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";

const rbac = "rbac.authorization.k8s.io";

const verbSets: Readonly<Record<string, readonly string[]>> = {
  read: ["get", "list", "watch"],
  write: ["create", "delete", "deletecollection", "patch", "update"],
};

const words = (text: string): string[] => text.split(" ");

/** Verbs, where `read` and `write` stand for the usual ones, in the order of the alphabet. */
function verbsOf(text: string): string[] {
  return [...new Set(words(text).flatMap((verb) => verbSets[verb] ?? [verb]))].sort();
}

/**
 * A rule about resources; words are separated by spaces.
 * @param groups `core` is the group without a name
 */
export function on(groups: string, verbs: string, resources: string, names = ""): PolicyRule {
  return {
    verbs: verbsOf(verbs),
    apiGroups: words(groups).map((group) => (group === "core" ? "" : group)),
    resources: words(resources).sort(),
    ...(names === "" ? {} : { resourceNames: words(names) }),
  };
}

/** A rule about paths. */
export function onPaths(verbs: string, paths: string): PolicyRule {
  return { verbs: verbsOf(verbs), nonResourceURLs: words(paths).sort() };
}

/** Who reports what happened. */
export const events = on("core events.k8s.io", "create patch update", "events");

/** A role; `rules` are absent where they are gathered from roles that carry the label. */
export interface RoleFacts {
  readonly name: string;
  readonly rules?: readonly PolicyRule[];
  /** The `aggregate-to-` label's rest that the roles to gather carry. */
  readonly gathers?: string;
  /** The `aggregate-to-` label's rest that this role carries. */
  readonly joins?: string;
}

/** A binding of a role; by its name unless said otherwise. */
export interface BindingFacts {
  readonly name: string;
  readonly role?: string;
  readonly subjects: readonly Subject[];
}

/** A user as a subject. */
export const user = (name: string): Subject => ({ kind: "User", apiGroup: rbac, name });

/** A group as a subject. */
export const group = (name: string): Subject => ({ kind: "Group", apiGroup: rbac, name });

/** A service account of kube-system as a subject. */
export const account = (name: string): Subject => ({ kind: "ServiceAccount", name, namespace: "kube-system" });
