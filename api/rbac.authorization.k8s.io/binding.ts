/** What RoleBindings and ClusterRoleBindings have in common. Source: k8s.io/kubernetes/pkg/apis/rbac/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import type { ClusterRoleBinding, RoleBinding } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import { age } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { bindingColumns, checkRoleRef, checkSubject, roleCell, setBindingDefaults, subjectCells } from "./rules.ts";

/** The rules of bindings to `roles`, in a namespace or in none. */
export function bindingStrategy<T extends RoleBinding | ClusterRoleBinding>(
  roles: readonly string[],
  isNamespaced: boolean,
): Strategy<T> {
  const validate: NonNullable<Strategy<T>["validate"]> = ({ roleRef, subjects = [] }, errors) => {
    const at = new Place(errors, Path.root);
    checkRoleRef(roleRef, at.child("roleRef"), roles);
    for (const [i, subject] of subjects.entries()) checkSubject(subject, at.item("subjects", i), isNamespaced);
  };
  return {
    revalidatesMetadata: true,
    nameErrors: nameRules.pathSegment,
    createOnUpdate: true,
    setDefaults: setBindingDefaults,
    validate,
    validateUpdate(object, old, errors) {
      validate(object, errors);
      if (!deepEqual(object.roleRef, old.roleRef)) {
        errors.invalid(Path.of("roleRef"), object.roleRef, "cannot change roleRef");
      }
    },
    table: {
      columns: bindingColumns,
      cells: ({ metadata, roleRef, subjects }, nowMs) => [
        metadata.name ?? "",
        roleCell(roleRef),
        age(metadata.creationTimestamp, nowMs),
        ...subjectCells(subjects),
      ],
    },
  };
}
