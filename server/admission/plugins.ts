/** The admission plugins, in the order in which they run. */
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { namespaceLifecycle } from "./namespacelifecycle.ts";
import { priorities } from "./priority.ts";
import { serviceAccounts } from "./serviceaccount.ts";
import { defaultTolerations } from "./tolerations.ts";

/** Source: the order of kube-apiserver's own (pkg/kubeapiserver/options/plugins.go) */
export function admissionPlugins(catalogue: Catalogue): readonly AdmissionPlugin[] {
  return [namespaceLifecycle(catalogue), serviceAccounts(catalogue), priorities(catalogue), defaultTolerations];
}
