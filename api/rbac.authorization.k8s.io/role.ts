/** Role. Source: k8s.io/kubernetes/pkg/registry/rbac/role, pkg/apis/rbac/validation (ValidateRole) */
import { Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import type { Role } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkRule } from "./rules.ts";

/** The rules of Roles. */
export const role: Strategy<Role> = {
  revalidatesMetadata: true,
  nameErrors: nameRules.pathSegment,
  createOnUpdate: true,
  validate({ rules }, errors) {
    const at = new Place(errors, Path.root);
    for (const [i, rule] of (rules ?? []).entries()) checkRule(rule, at.item("rules", i), true);
  },
  validateUpdate: (object, _, errors) => role.validate?.(object, errors),
};
