/**
 * A CustomResourceDefinition as its rules see it: what all versions say alike is said once, above them.
 * Errors speak of that form, as upstream's do (`spec.validation.openAPIV3Schema`).
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/conversion.go
 */
import { deepEqual } from "@atoll/machinery/equal";
import type { RawSchema } from "@atoll/machinery/schema/structural/raw";
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from "../builtin/apiextensions.k8s.io/v1.types.ts";

export type { CustomResourceDefinition };

/** What versions may say each for itself, or all together. */
export interface Shared {
  /** `{}` is a validation without a schema. */
  readonly schema?: { readonly openAPIV3Schema?: RawSchema };
  readonly subresources?: CustomResourceSubresources;
  readonly additionalPrinterColumns?: readonly CustomResourceColumnDefinition[];
  readonly selectableFields?: readonly SelectableField[];
}

/** A version, less what is shared. */
export interface Version extends Shared {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated: boolean;
  readonly deprecationWarning: string | undefined;
}

/** The spec of a definition. */
export interface Definition {
  readonly group: string;
  readonly scope: string;
  readonly names: CustomResourceDefinitionNames;
  /** Name of the first version; "" when there is none. */
  readonly version: string;
  readonly versions: readonly Version[];
  readonly shared: Shared;
  readonly conversion: CustomResourceConversion | undefined;
  readonly preserveUnknownFields: boolean;
}

const shareable = ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] as const;

/** The form that rules are about. */
export function definitionOf({ spec }: CustomResourceDefinition): Definition {
  const versions = (spec.versions ?? []).map((version) => version ?? ({} as CustomResourceDefinitionVersion));
  const [first] = versions;
  const alike = shareable.filter((field) => versions.every((version) => deepEqual(version[field], first?.[field])));
  const own = shareable.filter((field) => !alike.includes(field));
  return {
    group: spec.group,
    scope: spec.scope,
    names: spec.names,
    version: first?.name ?? "",
    versions: versions.map((version) => ({
      name: version.name ?? "",
      served: version.served === true,
      storage: version.storage === true,
      deprecated: version.deprecated === true,
      deprecationWarning: version.deprecationWarning,
      ...pick(version, own),
    })),
    shared: first === undefined ? {} : pick(first, alike),
    conversion: spec.conversion,
    preserveUnknownFields: spec.preserveUnknownFields === true,
  };
}

function pick(version: CustomResourceDefinitionVersion, fields: readonly (typeof shareable)[number][]): Shared {
  const given = fields.filter((field) => version[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, version[field]])) as Shared;
}

/** Every schema of a definition, with the name of its version; "" for the shared one. */
export function schemasOf(definition: Definition): readonly { readonly version: string; readonly schema: RawSchema }[] {
  const all = [{ name: "", ...definition.shared }, ...definition.versions];
  return all.flatMap(({ name, schema }) =>
    schema?.openAPIV3Schema === undefined ? [] : [{ version: name, schema: schema.openAPIV3Schema }],
  );
}

/** The schema of one version, wherever it is said. */
export function schemaOfVersion(definition: Definition, name: string): RawSchema | undefined {
  const version = definition.versions.find((candidate) => candidate.name === name);
  return (version?.schema ?? definition.shared.schema)?.openAPIV3Schema;
}

/** Whether a condition of the status is True. */
export function hasCondition(status: CustomResourceDefinitionStatus | undefined, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}
