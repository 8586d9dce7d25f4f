/**
 * An ingress that names no class gets the default one.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/network/defaultingressclass
 */
import type { Ingress, IngressClass } from "@atoll/api/builtin/networking.k8s.io/v1.types";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin } from "./admission.ts";

const isDefault = "ingressclass.kubernetes.io/is-default-class";
const oldAnnotation = "kubernetes.io/ingress.class";

/** Of several default classes the newest is taken, then the first by name. */
export function defaultIngressClass(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    handles: ({ kind, operation, subresource }) =>
      kind.group === "networking.k8s.io" && kind.plural === "ingresses" && operation === "CREATE" && subresource === "",
    async mutate({ object }) {
      const { metadata, spec } = object as unknown as Ingress;
      if (spec.ingressClassName !== undefined || metadata.annotations?.[oldAnnotation] !== undefined) return;
      const classes = catalogue.resource("networking.k8s.io", "ingressclasses");
      if (classes === undefined) return;
      await classes.cache.loaded();
      const [found] = classes.cache
        .range(classes.prefix(""))
        .map((entry) => classes.cache.object(entry) as unknown as IngressClass)
        .filter((each) => each.metadata.annotations?.[isDefault] === "true")
        .sort(newestFirst);
      if (found?.metadata.name !== undefined) spec.ingressClassName = found.metadata.name;
    },
  };
}

function newestFirst({ metadata: a }: IngressClass, { metadata: b }: IngressClass): number {
  const byTime = String(b.creationTimestamp ?? "").localeCompare(String(a.creationTimestamp ?? ""));
  return byTime === 0 ? String(a.name).localeCompare(String(b.name)) : byTime;
}
