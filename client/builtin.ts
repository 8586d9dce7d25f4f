/**
 * The built-in kinds that clients of ours speak about: where each is served, and its type. Only facts, so that a client
 * does not load schemas; the kinds themselves are in api/.
 */
import type * as apiextensions from "@atoll/api/builtin/apiextensions.k8s.io/v1.types";
import type * as apiregistration from "@atoll/api/builtin/apiregistration.k8s.io/v1.types";
import type * as apps from "@atoll/api/builtin/apps/v1.types";
import type * as authorization from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import type * as autoscaling from "@atoll/api/builtin/autoscaling/v2.types";
import type * as batch from "@atoll/api/builtin/batch/v1.types";
import type * as certificates from "@atoll/api/builtin/certificates.k8s.io/v1.types";
import type * as coordination from "@atoll/api/builtin/coordination.k8s.io/v1.types";
import type * as core from "@atoll/api/builtin/core/v1.types";
import type * as discovery from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import type * as events from "@atoll/api/builtin/events.k8s.io/v1.types";
import type * as networking from "@atoll/api/builtin/networking.k8s.io/v1.types";
import type * as policy from "@atoll/api/builtin/policy/v1.types";
import type * as rbac from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import type * as scheduling from "@atoll/api/builtin/scheduling.k8s.io/v1.types";
import type * as storage from "@atoll/api/builtin/storage.k8s.io/v1.types";
import type { ApiObject } from "@atoll/machinery/object";
import type { Resource } from "./resource.ts";

function served<T extends ApiObject>(apiVersion: string, kind: string, plural: string): Resource<T> {
  const slash = apiVersion.indexOf("/");
  const group = apiVersion.slice(0, Math.max(slash, 0));
  return { group, version: apiVersion.slice(slash + 1), kind, plural, namespaced: true };
}

function clusterWide<T extends ApiObject>(apiVersion: string, kind: string, plural: string): Resource<T> {
  return { ...served<T>(apiVersion, kind, plural), namespaced: false };
}

/** `pods` of `v1`. */
export const Pod: Resource<core.Pod> = served("v1", "Pod", "pods");
export type Pod = core.Pod;

/** `nodes` of `v1`. */
export const Node: Resource<core.Node> = clusterWide("v1", "Node", "nodes");
export type Node = core.Node;

/** `namespaces` of `v1`. */
export const Namespace: Resource<core.Namespace> = clusterWide("v1", "Namespace", "namespaces");
export type Namespace = core.Namespace;

/** `services` of `v1`. */
export const Service: Resource<core.Service> = served("v1", "Service", "services");
export type Service = core.Service;

/** `endpoints` of `v1`. */
export const Endpoints: Resource<core.Endpoints> = served("v1", "Endpoints", "endpoints");
export type Endpoints = core.Endpoints;

/** `configmaps` of `v1`. */
export const ConfigMap: Resource<core.ConfigMap> = served("v1", "ConfigMap", "configmaps");
export type ConfigMap = core.ConfigMap;

/** `secrets` of `v1`. */
export const Secret: Resource<core.Secret> = served("v1", "Secret", "secrets");
export type Secret = core.Secret;

/** `serviceaccounts` of `v1`. */
export const ServiceAccount: Resource<core.ServiceAccount> = served("v1", "ServiceAccount", "serviceaccounts");
export type ServiceAccount = core.ServiceAccount;

/** `replicationcontrollers` of `v1`. */
export const ReplicationController: Resource<core.ReplicationController> = served(
  "v1",
  "ReplicationController",
  "replicationcontrollers",
);
export type ReplicationController = core.ReplicationController;

/** `podtemplates` of `v1`. */
export const PodTemplate: Resource<core.PodTemplate> = served("v1", "PodTemplate", "podtemplates");
export type PodTemplate = core.PodTemplate;

/** `persistentvolumes` of `v1`. */
export const PersistentVolume: Resource<core.PersistentVolume> = clusterWide(
  "v1",
  "PersistentVolume",
  "persistentvolumes",
);
export type PersistentVolume = core.PersistentVolume;

/** `persistentvolumeclaims` of `v1`. */
export const PersistentVolumeClaim: Resource<core.PersistentVolumeClaim> = served(
  "v1",
  "PersistentVolumeClaim",
  "persistentvolumeclaims",
);
export type PersistentVolumeClaim = core.PersistentVolumeClaim;

/** `limitranges` of `v1`. */
export const LimitRange: Resource<core.LimitRange> = served("v1", "LimitRange", "limitranges");
export type LimitRange = core.LimitRange;

/** `resourcequotas` of `v1`. */
export const ResourceQuota: Resource<core.ResourceQuota> = served("v1", "ResourceQuota", "resourcequotas");
export type ResourceQuota = core.ResourceQuota;

/** `deployments` of `apps/v1`. */
export const Deployment: Resource<apps.Deployment> = served("apps/v1", "Deployment", "deployments");
export type Deployment = apps.Deployment;

/** `replicasets` of `apps/v1`. */
export const ReplicaSet: Resource<apps.ReplicaSet> = served("apps/v1", "ReplicaSet", "replicasets");
export type ReplicaSet = apps.ReplicaSet;

/** `statefulsets` of `apps/v1`. */
export const StatefulSet: Resource<apps.StatefulSet> = served("apps/v1", "StatefulSet", "statefulsets");
export type StatefulSet = apps.StatefulSet;

/** `daemonsets` of `apps/v1`. */
export const DaemonSet: Resource<apps.DaemonSet> = served("apps/v1", "DaemonSet", "daemonsets");
export type DaemonSet = apps.DaemonSet;

/** `controllerrevisions` of `apps/v1`. */
export const ControllerRevision: Resource<apps.ControllerRevision> = served(
  "apps/v1",
  "ControllerRevision",
  "controllerrevisions",
);
export type ControllerRevision = apps.ControllerRevision;

/** `jobs` of `batch/v1`. */
export const Job: Resource<batch.Job> = served("batch/v1", "Job", "jobs");
export type Job = batch.Job;

/** `cronjobs` of `batch/v1`. */
export const CronJob: Resource<batch.CronJob> = served("batch/v1", "CronJob", "cronjobs");
export type CronJob = batch.CronJob;

/** `horizontalpodautoscalers` of `autoscaling/v2`. */
export const HorizontalPodAutoscaler: Resource<autoscaling.HorizontalPodAutoscaler> = served(
  "autoscaling/v2",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
export type HorizontalPodAutoscaler = autoscaling.HorizontalPodAutoscaler;

/** `poddisruptionbudgets` of `policy/v1`. */
export const PodDisruptionBudget: Resource<policy.PodDisruptionBudget> = served(
  "policy/v1",
  "PodDisruptionBudget",
  "poddisruptionbudgets",
);
export type PodDisruptionBudget = policy.PodDisruptionBudget;

/** `endpointslices` of `discovery.k8s.io/v1`. */
export const EndpointSlice: Resource<discovery.EndpointSlice> = served(
  "discovery.k8s.io/v1",
  "EndpointSlice",
  "endpointslices",
);
export type EndpointSlice = discovery.EndpointSlice;

/** `leases` of `coordination.k8s.io/v1`. */
export const Lease: Resource<coordination.Lease> = served("coordination.k8s.io/v1", "Lease", "leases");
export type Lease = coordination.Lease;

/** `events` of `events.k8s.io/v1`. */
export const Event: Resource<events.Event> = served("events.k8s.io/v1", "Event", "events");
export type Event = events.Event;

/** `networkpolicies` of `networking.k8s.io/v1`. */
export const NetworkPolicy: Resource<networking.NetworkPolicy> = served(
  "networking.k8s.io/v1",
  "NetworkPolicy",
  "networkpolicies",
);
export type NetworkPolicy = networking.NetworkPolicy;

/** `ingresses` of `networking.k8s.io/v1`. */
export const Ingress: Resource<networking.Ingress> = served("networking.k8s.io/v1", "Ingress", "ingresses");
export type Ingress = networking.Ingress;

/** `ingressclasses` of `networking.k8s.io/v1`. */
export const IngressClass: Resource<networking.IngressClass> = clusterWide(
  "networking.k8s.io/v1",
  "IngressClass",
  "ingressclasses",
);
export type IngressClass = networking.IngressClass;

/** `storageclasses` of `storage.k8s.io/v1`. */
export const StorageClass: Resource<storage.StorageClass> = clusterWide(
  "storage.k8s.io/v1",
  "StorageClass",
  "storageclasses",
);
export type StorageClass = storage.StorageClass;

/** `volumeattributesclasses` of `storage.k8s.io/v1`. */
export const VolumeAttributesClass: Resource<storage.VolumeAttributesClass> = clusterWide(
  "storage.k8s.io/v1",
  "VolumeAttributesClass",
  "volumeattributesclasses",
);
export type VolumeAttributesClass = storage.VolumeAttributesClass;

/** `volumeattachments` of `storage.k8s.io/v1`. */
export const VolumeAttachment: Resource<storage.VolumeAttachment> = clusterWide(
  "storage.k8s.io/v1",
  "VolumeAttachment",
  "volumeattachments",
);
export type VolumeAttachment = storage.VolumeAttachment;

/** `csinodes` of `storage.k8s.io/v1`. */
export const CSINode: Resource<storage.CSINode> = clusterWide("storage.k8s.io/v1", "CSINode", "csinodes");
export type CSINode = storage.CSINode;

/** `priorityclasses` of `scheduling.k8s.io/v1`. */
export const PriorityClass: Resource<scheduling.PriorityClass> = clusterWide(
  "scheduling.k8s.io/v1",
  "PriorityClass",
  "priorityclasses",
);
export type PriorityClass = scheduling.PriorityClass;

/** `roles` of `rbac.authorization.k8s.io/v1`. */
export const Role: Resource<rbac.Role> = served("rbac.authorization.k8s.io/v1", "Role", "roles");
export type Role = rbac.Role;

/** `rolebindings` of `rbac.authorization.k8s.io/v1`. */
export const RoleBinding: Resource<rbac.RoleBinding> = served(
  "rbac.authorization.k8s.io/v1",
  "RoleBinding",
  "rolebindings",
);
export type RoleBinding = rbac.RoleBinding;

/** `clusterroles` of `rbac.authorization.k8s.io/v1`. */
export const ClusterRole: Resource<rbac.ClusterRole> = clusterWide(
  "rbac.authorization.k8s.io/v1",
  "ClusterRole",
  "clusterroles",
);
export type ClusterRole = rbac.ClusterRole;

/** `clusterrolebindings` of `rbac.authorization.k8s.io/v1`. */
export const ClusterRoleBinding: Resource<rbac.ClusterRoleBinding> = clusterWide(
  "rbac.authorization.k8s.io/v1",
  "ClusterRoleBinding",
  "clusterrolebindings",
);
export type ClusterRoleBinding = rbac.ClusterRoleBinding;

/** `certificatesigningrequests` of `certificates.k8s.io/v1`. */
export const CertificateSigningRequest: Resource<certificates.CertificateSigningRequest> = clusterWide(
  "certificates.k8s.io/v1",
  "CertificateSigningRequest",
  "certificatesigningrequests",
);
export type CertificateSigningRequest = certificates.CertificateSigningRequest;

/** `subjectaccessreviews` of `authorization.k8s.io/v1`: asked, never stored. */
export const SubjectAccessReview: Resource<authorization.SubjectAccessReview> = clusterWide(
  "authorization.k8s.io/v1",
  "SubjectAccessReview",
  "subjectaccessreviews",
);
export type SubjectAccessReview = authorization.SubjectAccessReview;

/** `customresourcedefinitions` of `apiextensions.k8s.io/v1`. */
export const CustomResourceDefinition: Resource<apiextensions.CustomResourceDefinition> = clusterWide(
  "apiextensions.k8s.io/v1",
  "CustomResourceDefinition",
  "customresourcedefinitions",
);
export type CustomResourceDefinition = apiextensions.CustomResourceDefinition;

/** `apiservices` of `apiregistration.k8s.io/v1`. */
export const APIService: Resource<apiregistration.APIService> = clusterWide(
  "apiregistration.k8s.io/v1",
  "APIService",
  "apiservices",
);
export type APIService = apiregistration.APIService;
