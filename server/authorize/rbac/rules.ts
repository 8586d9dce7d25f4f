/**
 * Rules as RBAC matches them, prepared once so that a decision compares and does not parse.
 * Source: k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go, plugin/pkg/auth/authorizer/rbac/rbac.go
 */
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";

/** What is asked, as far as rules care. `resource` holds the subresource, as pods/log; "" for a path. */
export interface Asked {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly path: string;
  readonly isPath: boolean;
}

/** A rule ready to be matched. */
export class Rule {
  readonly #verbs: readonly string[];
  readonly #groups: readonly string[];
  readonly #resources: readonly string[];
  readonly #names: readonly string[];
  readonly #paths: readonly string[];
  readonly #anyVerb: boolean;
  readonly #anyGroup: boolean;
  readonly #anyResource: boolean;

  constructor({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule) {
    this.#verbs = verbs ?? [];
    this.#groups = apiGroups;
    this.#resources = resources;
    this.#names = resourceNames;
    this.#paths = nonResourceURLs;
    this.#anyVerb = this.#verbs.includes("*");
    this.#anyGroup = apiGroups.includes("*");
    this.#anyResource = resources.includes("*");
  }

  /** Whether the rule allows what is asked. */
  allows(asked: Asked): boolean {
    if (!this.#anyVerb && !this.#verbs.includes(asked.verb)) return false;
    if (asked.isPath) return this.#paths.some((path) => pathMatches(path, asked.path));
    return (
      (this.#anyGroup || this.#groups.includes(asked.group)) &&
      (this.#anyResource || this.#resourceMatches(asked)) &&
      (this.#names.length === 0 || this.#names.includes(asked.name))
    );
  }

  /** A resource covers none of its subresources; every resource's subresource of a name is `*` and that name. */
  #resourceMatches({ resource, subresource }: Asked): boolean {
    if (this.#resources.includes(resource)) return true;
    return subresource !== "" && this.#resources.includes(`*/${subresource}`);
  }
}

/** A trailing star stands for any rest. */
export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === "*" || pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.replace(/\*+$/, ""));
}
