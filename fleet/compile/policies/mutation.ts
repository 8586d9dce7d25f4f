/** MutationPolicy: what is filled in when pods are made. */
import type { MutationPolicy } from "@atoll/api/fleet/v1alpha1/mutationpolicy";
import { mutationPolicy } from "./admission.ts";
import type { Envelope, Output } from "./envelope.ts";
import { quoted } from "./image.ts";

const onPods = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }];

/** Only what the pod does not say itself is filled in. */
export function mutationObjects({ spec }: MutationPolicy, envelope: Envelope): readonly Output[] {
  const { labels, annotations, podSecurityDefaults } = spec;
  const expressions = [
    ...Object.entries(labels ?? {}).map(([key, value]) => missing("labels", key, value)),
    ...Object.entries(annotations ?? {}).map(([key, value]) => missing("annotations", key, value)),
    ...(podSecurityDefaults === true ? [securityDefaults] : []),
  ];
  return mutationPolicy(envelope, { rules: onPods, expressions });
}

function missing(field: "labels" | "annotations", key: string, value: string): string {
  const wanted = `Object{metadata: Object.metadata{${field}: {${quoted(key)}: ${quoted(value)}}}}`;
  return `${quoted(key)} in object.metadata.?${field}.orValue({}) ? Object{} : ${wanted}`;
}

const securityDefaults =
  "Object{spec: Object.spec{securityContext: Object.spec.securityContext{" +
  "runAsNonRoot: object.spec.?securityContext.?runAsNonRoot.orValue(true), " +
  "seccompProfile: Object.spec.securityContext.seccompProfile{" +
  "type: object.spec.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault')}}}}";
