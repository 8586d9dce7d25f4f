/**
 * Authorization by roles and bindings, kept in step with the four resources as they change.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation/rule.go
 */
import type {
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
} from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import type { Clock } from "@atoll/machinery/clock";
import type { User } from "../../call.ts";
import type { Catalogue } from "../../registry/catalogue.ts";
import { Mirror, type Fed } from "../../registry/mirror.ts";
import type { RequestInfo } from "../../request.ts";
import { aggregated, type Authorizer, noOpinion, type RulesAnswer, type Verdict } from "../stage.ts";
import { Grants } from "./grants.ts";
import { type Asked } from "./rules.ts";

/** What keeps the roles and bindings known. */
export interface RbacOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  /** Told of what failed and is tried again. */
  readonly onError: (error: unknown) => void;
}

const group = "rbac.authorization.k8s.io";

/** Decides by the roles that are bound to a user. Nobody is refused for good: others may allow. */
export class Rbac implements Authorizer {
  readonly grants = new Grants();
  readonly #mirrors: readonly Mirror[];

  constructor({ catalogue, clock, onError }: RbacOptions) {
    const { grants } = this;
    const roles = (plural: string): Fed => ({
      put: (_key, _entry, read) => grants.putRole(read() as Role),
      drop: (key) => {
        const { namespace, name } = catalogue.resource(group, plural)?.place(key) ?? { namespace: "", name: "" };
        grants.dropRole(namespace, name);
      },
    });
    const bindings: Fed = {
      put: (key, _entry, read) => grants.putBinding(key, read() as RoleBinding | ClusterRoleBinding),
      drop: (key) => grants.dropBinding(key),
    };
    const mirror = (plural: string, into: Fed): readonly Mirror[] => {
      const resource = catalogue.resource(group, plural);
      return resource === undefined ? [] : [new Mirror({ resource, clock, into, onError })];
    };
    this.#mirrors = [
      ...mirror("clusterroles", roles("clusterroles")),
      ...mirror("roles", roles("roles")),
      ...mirror("clusterrolebindings", bindings),
      ...mirror("rolebindings", bindings),
    ];
  }

  /** Resolves when all roles and bindings are known. */
  async start(): Promise<void> {
    await Promise.all(this.#mirrors.map((mirror) => mirror.start()));
  }

  close(): void {
    for (const mirror of this.#mirrors) mirror.close();
  }

  authorize(user: User, info: RequestInfo): Verdict {
    const { source, missing } = this.grants.find(user, info.namespace, askedOf(info));
    if (source !== undefined) return { decision: "allow", reason: `RBAC: allowed by ${source.text}` };
    return missing.length === 0 ? noOpinion : { ...noOpinion, reason: `RBAC: ${aggregated(missing)}` };
  }

  rulesFor(user: User, namespace: string): RulesAnswer {
    const rules: PolicyRule[] = [];
    const missing: string[] = [];
    this.grants.visit(user, namespace, {
      rule: ({ written }) => {
        rules.push(written);
        return false;
      },
      missing: (role) => void missing.push(role),
    });
    const errors = missing.length === 0 ? [] : [aggregated(missing)];
    return { rules: rules.map((rule) => ({ ...rule, verbs: rule.verbs ?? [] })), incomplete: false, errors };
  }
}

/** A request as rules see it. */
export function askedOf(info: RequestInfo): Asked {
  const { verb, group: apiGroup, resource, subresource, name, path } = info;
  return {
    verb,
    group: apiGroup,
    resource: subresource === "" ? resource : `${resource}/${subresource}`,
    subresource,
    name,
    path,
    isPath: resource === "" && path !== "",
  };
}
