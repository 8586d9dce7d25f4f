/** The admission plugins, in the order in which they run. */
import { type AllocationOptions, serviceAllocation } from "../services/allocation.ts";
import type { Rbac } from "../authorize/rbac/authorizer.ts";
import { escalationCheck } from "../authorize/rbac/escalation.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { certificateSubjects } from "./certificaterequests.ts";
import { certificateApproval, certificateSigning } from "./certificatesigners.ts";
import { claimResize } from "./claimresize.ts";
import { type ExtensionOptions, extensionPlugins } from "./extensions.ts";
import { defaultIngressClass } from "./ingressclass.ts";
import { limitRanger } from "./limitranger.ts";
import { namespaceLifecycle } from "./namespacelifecycle.ts";
import { nodeRestriction } from "./noderestriction.ts";
import { ownerReferences } from "./owners.ts";
import { podTopologyLabels } from "./podtopology.ts";
import { podSecurity } from "./podsecurity/plugin.ts";
import { priorities } from "./priority.ts";
import { resourceQuotas } from "./quota/plugin.ts";
import { runtimeClasses } from "./runtimeclass.ts";
import { serviceAccounts } from "./serviceaccount.ts";
import { defaultStorageClass, storageProtection } from "./storage.ts";
import { taintNodes } from "./taintnodes.ts";
import { defaultTolerations } from "./tolerations.ts";
import { wantedPlugins } from "./wanted.ts";

/** What the plugins need to know of this cluster. */
export interface AdmissionOptions extends ExtensionOptions, AllocationOptions {
  readonly rbac: Rbac;
  /** Plugins beside the usual ones, by name. */
  readonly wanted: readonly string[];
}

/** Source: the order of kube-apiserver's own (pkg/kubeapiserver/options/plugins.go) */
export function admissionPlugins(catalogue: Catalogue, options: AdmissionOptions): readonly AdmissionPlugin[] {
  return [
    namespaceLifecycle(catalogue),
    limitRanger(catalogue),
    serviceAccounts(catalogue),
    nodeRestriction(catalogue, options.authorizers),
    taintNodes,
    podSecurity(catalogue),
    priorities(catalogue),
    defaultTolerations,
    defaultStorageClass(catalogue),
    storageProtection,
    ownerReferences(catalogue, options.authorizers),
    claimResize(catalogue),
    runtimeClasses(catalogue),
    certificateApproval(options.authorizers),
    certificateSigning(options.authorizers),
    certificateSubjects,
    defaultIngressClass(catalogue),
    podTopologyLabels(catalogue),
    ...wantedPlugins(options.wanted),
    escalationCheck(options.rbac, options.authorizers),
    ...extensionPlugins(catalogue, options),
    serviceAllocation(catalogue, options),
    resourceQuotas(catalogue, options),
  ];
}
