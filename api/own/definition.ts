/** The CustomResourceDefinition of a kind of our own. */
import type { ApiObject } from "@atoll/machinery/object";
import type { OwnKind } from "./kind.ts";

/** As `atoll crd` prints it and every Kubernetes from 1.25 on takes it. */
export function definitionOf(kind: OwnKind): ApiObject {
  const { group, plural, shortNames = [], version, alsoServed = [], annotations, category = "atoll" } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}`, ...(annotations === undefined ? {} : { annotations }) },
    spec: {
      group,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural,
        singular: kind.kind.toLowerCase(),
        ...(shortNames.length === 0 ? {} : { shortNames }),
        categories: [category],
      },
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      versions: [version, ...alsoServed].map((name) => versionOf(kind, name)),
    },
  };
}

function versionOf({ version, columns, description, schema, longestName }: OwnKind, name: string) {
  const rule = {
    rule: `self.metadata.name.size() <= ${longestName}`,
    message: `metadata.name: must be no more than ${longestName} characters`,
  };
  return {
    name,
    served: true,
    storage: name === version,
    subresources: { status: {} },
    additionalPrinterColumns: columns,
    schema: {
      openAPIV3Schema: {
        type: "object",
        description,
        required: ["spec"],
        ...(longestName === undefined ? {} : { "x-kubernetes-validations": [rule] }),
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { type: "object" },
          // Plain JSON: the mark of what is optional stays behind.
          spec: JSON.parse(JSON.stringify(schema.spec)) as unknown,
          status: JSON.parse(JSON.stringify(schema.status)) as unknown,
        },
      },
    },
  };
}
