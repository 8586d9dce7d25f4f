/** CustomPolicy: rules of one's own, or a ready recipe. */
import type { CustomPolicy } from "@atoll/api/fleet/v1alpha1/custompolicy";
import { admissionPolicy, type Judgement, onCreateAndUpdate } from "./admission.ts";
import type { Envelope, Output } from "./envelope.ts";
import { quoted } from "./image.ts";

type Spec = CustomPolicy["spec"];

const onServices = [{ ...onCreateAndUpdate, apiGroups: [""], resources: ["services"] }];
const onIngresses = [{ ...onCreateAndUpdate, apiGroups: ["networking.k8s.io"], resources: ["ingresses"] }];
const onBindings = [
  {
    ...onCreateAndUpdate,
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["rolebindings", "clusterrolebindings"],
  },
];

/** What the recipe says. */
export function customObjects({ spec }: CustomPolicy, envelope: Envelope): readonly Output[] {
  return admissionPolicy(envelope, judgementOf(spec));
}

function judgementOf(spec: Spec): Judgement {
  switch (spec.recipe) {
    case "BlockNodePort":
      return only(
        onServices,
        "object.spec.?type.orValue('ClusterIP') != 'NodePort'",
        "Services of type NodePort are not allowed",
      );
    case "BlockExternalIPs":
      return only(onServices, "size(object.spec.?externalIPs.orValue([])) == 0", "external IPs are not allowed");
    case "RequireHttps":
      return only(
        onIngresses,
        "size(object.spec.?tls.orValue([])) > 0 && object.spec.?rules.orValue([]).all(r," +
          " object.spec.tls.exists(t, size(t.?hosts.orValue([])) == 0 || r.?host.orValue('') in t.hosts))",
        "an Ingress must have TLS for each of its hosts",
      );
    case "BlockRoleSubjects": {
      const blocked = (spec.subjects ?? []).map(({ kind, name }) => quoted(`${kind}/${name}`)).join(", ");
      const rule = `object.?subjects.orValue([]).all(s, !((s.kind + '/' + s.name) in [${blocked}]))`;
      return only(onBindings, rule, "this subject must not be bound to a role");
    }
    case "BlockResources":
      return only(given(spec), "request.operation == 'UPDATE'", "this kind of object is not allowed here");
    case "RequireLabels":
      return { rules: given(spec), validations: (spec.labels ?? []).map(requiredLabel) };
    case "Rules":
      return { rules: given(spec), validations: spec.rules ?? [] };
  }
}

function only(rules: Judgement["rules"], expression: string, message: string): Judgement {
  return { rules, validations: [{ expression, message }] };
}

function given({ resources = [] }: Spec): Judgement["rules"] {
  return resources.map((rule) => ({ ...onCreateAndUpdate, ...rule }));
}

function requiredLabel({ key, pattern }: { readonly key: string; readonly pattern?: string }) {
  const has = `${quoted(key)} in object.metadata.?labels.orValue({})`;
  const matches =
    pattern === undefined ? "" : ` && object.metadata.labels[${quoted(key)}].matches(${quoted(`^(${pattern})$`)})`;
  return {
    expression: has + matches,
    message: `label ${key} is required${pattern === undefined ? "" : `, like ${pattern}`}`,
  };
}
