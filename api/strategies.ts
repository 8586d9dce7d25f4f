/**
 * In what each built-in kind differs from the others, by `GROUP/KIND`; the core's group is "". A kind that is not
 * here has no rules of its own. Each stands in api/GROUP/KIND.ts, "core" being the folder of the group "".
 */
import { mutatingAdmissionPolicy } from "./admissionregistration.k8s.io/mutatingadmissionpolicy.ts";
import { mutatingAdmissionPolicyBinding } from "./admissionregistration.k8s.io/mutatingadmissionpolicybinding.ts";
import { mutatingWebhookConfiguration } from "./admissionregistration.k8s.io/mutatingwebhookconfiguration.ts";
import { validatingAdmissionPolicy } from "./admissionregistration.k8s.io/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBinding } from "./admissionregistration.k8s.io/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfiguration } from "./admissionregistration.k8s.io/validatingwebhookconfiguration.ts";
import { customResourceDefinition } from "./apiextensions/customresourcedefinition.ts";
import { apiService } from "./apiregistration.k8s.io/apiservice.ts";
import { controllerRevision } from "./apps/controllerrevision.ts";
import { daemonSet } from "./apps/daemonset.ts";
import { deployment } from "./apps/deployment.ts";
import { replicaSet } from "./apps/replicaset.ts";
import { statefulSet } from "./apps/statefulset.ts";
import { horizontalPodAutoscaler } from "./autoscaling/horizontalpodautoscaler.ts";
import { cronJob } from "./batch/cronjob.ts";
import { job } from "./batch/job.ts";
import { certificateSigningRequest } from "./certificates.k8s.io/certificatesigningrequest.ts";
import { lease } from "./coordination.k8s.io/lease.ts";
import { configMap } from "./core/configmap.ts";
import { coreEvent, newEvent } from "./core/event.ts";
import { limitRange } from "./core/limitrange.ts";
import { endpoints } from "./core/endpoints.ts";
import { namespace } from "./core/namespace.ts";
import { node } from "./core/node.ts";
import { persistentVolume } from "./core/persistentvolume.ts";
import { persistentVolumeClaim } from "./core/persistentvolumeclaim.ts";
import { pod } from "./core/pod.ts";
import { podTemplate } from "./core/podtemplate.ts";
import { resourceQuota } from "./core/resourcequota.ts";
import { replicationController } from "./core/replicationcontroller.ts";
import { secret } from "./core/secret.ts";
import { service } from "./core/service.ts";
import { serviceAccount } from "./core/serviceaccount.ts";
import { endpointSlice } from "./discovery.k8s.io/endpointslice.ts";
import { flowSchema } from "./flowcontrol.apiserver.k8s.io/flowschema.ts";
import { priorityLevelConfiguration } from "./flowcontrol.apiserver.k8s.io/prioritylevelconfiguration.ts";
import { ingress } from "./networking.k8s.io/ingress.ts";
import { ingressClass } from "./networking.k8s.io/ingressclass.ts";
import { ipAddress } from "./networking.k8s.io/ipaddress.ts";
import { networkPolicy } from "./networking.k8s.io/networkpolicy.ts";
import { serviceCidr } from "./networking.k8s.io/servicecidr.ts";
import { runtimeClass } from "./node.k8s.io/runtimeclass.ts";
import { podDisruptionBudget } from "./policy/poddisruptionbudget.ts";
import { clusterRole } from "./rbac.authorization.k8s.io/clusterrole.ts";
import { clusterRoleBinding } from "./rbac.authorization.k8s.io/clusterrolebinding.ts";
import { role } from "./rbac.authorization.k8s.io/role.ts";
import { roleBinding } from "./rbac.authorization.k8s.io/rolebinding.ts";
import { deviceClass } from "./resource.k8s.io/deviceclass.ts";
import { resourceClaim } from "./resource.k8s.io/resourceclaim.ts";
import { resourceClaimTemplate } from "./resource.k8s.io/resourceclaimtemplate.ts";
import { resourceSlice } from "./resource.k8s.io/resourceslice.ts";
import { priorityClass } from "./scheduling.k8s.io/priorityclass.ts";
import { csiDriver } from "./storage.k8s.io/csidriver.ts";
import { csiNode } from "./storage.k8s.io/csinode.ts";
import { csiStorageCapacity } from "./storage.k8s.io/csistoragecapacity.ts";
import { storageClass } from "./storage.k8s.io/storageclass.ts";
import { volumeAttachment } from "./storage.k8s.io/volumeattachment.ts";
import { volumeAttributesClass } from "./storage.k8s.io/volumeattributesclass.ts";
import type { Strategy } from "./kind.ts";

/** Strategies are made for their own object type; only the kind they are listed for calls them. */
export const strategies: Readonly<Record<string, Strategy>> = {
  "/ConfigMap": of(configMap),
  "/Event": of(coreEvent),
  "/LimitRange": of(limitRange),
  "/ResourceQuota": of(resourceQuota),
  "events.k8s.io/Event": of(newEvent),
  "/Endpoints": of(endpoints),
  "/Namespace": of(namespace),
  "/Node": of(node),
  "/PersistentVolume": of(persistentVolume),
  "/PersistentVolumeClaim": of(persistentVolumeClaim),
  "/Pod": of(pod),
  "/PodTemplate": of(podTemplate),
  "/ReplicationController": of(replicationController),
  "/Secret": of(secret),
  "/Service": of(service),
  "/ServiceAccount": of(serviceAccount),
  "admissionregistration.k8s.io/MutatingAdmissionPolicy": of(mutatingAdmissionPolicy),
  "admissionregistration.k8s.io/MutatingAdmissionPolicyBinding": of(mutatingAdmissionPolicyBinding),
  "admissionregistration.k8s.io/MutatingWebhookConfiguration": of(mutatingWebhookConfiguration),
  "admissionregistration.k8s.io/ValidatingAdmissionPolicy": of(validatingAdmissionPolicy),
  "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": of(validatingAdmissionPolicyBinding),
  "admissionregistration.k8s.io/ValidatingWebhookConfiguration": of(validatingWebhookConfiguration),
  "apiextensions.k8s.io/CustomResourceDefinition": of(customResourceDefinition),
  "apiregistration.k8s.io/APIService": of(apiService),
  "apps/ControllerRevision": of(controllerRevision),
  "apps/DaemonSet": of(daemonSet),
  "apps/Deployment": of(deployment),
  "apps/ReplicaSet": of(replicaSet),
  "apps/StatefulSet": of(statefulSet),
  "autoscaling/HorizontalPodAutoscaler": of(horizontalPodAutoscaler),
  "batch/CronJob": of(cronJob),
  "batch/Job": of(job),
  "certificates.k8s.io/CertificateSigningRequest": of(certificateSigningRequest),
  "coordination.k8s.io/Lease": of(lease),
  "discovery.k8s.io/EndpointSlice": of(endpointSlice),
  "flowcontrol.apiserver.k8s.io/FlowSchema": of(flowSchema),
  "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration": of(priorityLevelConfiguration),
  "networking.k8s.io/Ingress": of(ingress),
  "networking.k8s.io/IngressClass": of(ingressClass),
  "networking.k8s.io/IPAddress": of(ipAddress),
  "networking.k8s.io/NetworkPolicy": of(networkPolicy),
  "networking.k8s.io/ServiceCIDR": of(serviceCidr),
  "node.k8s.io/RuntimeClass": of(runtimeClass),
  "policy/PodDisruptionBudget": of(podDisruptionBudget),
  "rbac.authorization.k8s.io/ClusterRole": of(clusterRole),
  "rbac.authorization.k8s.io/ClusterRoleBinding": of(clusterRoleBinding),
  "rbac.authorization.k8s.io/Role": of(role),
  "rbac.authorization.k8s.io/RoleBinding": of(roleBinding),
  "resource.k8s.io/DeviceClass": of(deviceClass),
  "resource.k8s.io/ResourceClaim": of(resourceClaim),
  "resource.k8s.io/ResourceClaimTemplate": of(resourceClaimTemplate),
  "resource.k8s.io/ResourceSlice": of(resourceSlice),
  "scheduling.k8s.io/PriorityClass": of(priorityClass),
  "storage.k8s.io/CSIDriver": of(csiDriver),
  "storage.k8s.io/CSINode": of(csiNode),
  "storage.k8s.io/CSIStorageCapacity": of(csiStorageCapacity),
  "storage.k8s.io/StorageClass": of(storageClass),
  "storage.k8s.io/VolumeAttachment": of(volumeAttachment),
  "storage.k8s.io/VolumeAttributesClass": of(volumeAttributesClass),
};

function of<T>(strategy: Strategy<T>): Strategy {
  return strategy as unknown as Strategy;
}
