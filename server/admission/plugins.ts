/** The admission plugins, in the order in which they run. */
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { namespaceLifecycle } from "./namespacelifecycle.ts";

/** Source: the order of kube-apiserver's own (pkg/kubeapiserver/options/plugins.go) */
export function admissionPlugins(catalogue: Catalogue): readonly AdmissionPlugin[] {
  return [namespaceLifecycle(catalogue)];
}
