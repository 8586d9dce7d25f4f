/**
 * What a pod or template says that is allowed, and yet will not do what its author thinks.
 * Source: k8s.io/kubernetes/pkg/api/pod/warnings.go
 */
import { Path } from "@atoll/machinery/field";
import { dns1123LabelErrors } from "@atoll/machinery/names";
import type { ObjectMeta } from "@atoll/machinery/object";
import { isIP } from "@atoll/machinery/schema/structural/formats/address";
import type { Affinity, PodSpec, PodTemplateSpec, Volume } from "../../builtin/core/v1.types.ts";
import { appArmorPrefix } from "./annotations.ts";
import { addContainerWarnings } from "./containerwarnings.ts";
import { containersOf } from "./defaults.ts";
import { about } from "./place.ts";

/** Labels of nodes that were renamed. */
const renamed: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Annotations that mean nothing any more. */
const idle: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};

/** Kinds of volumes that are gone or going. */
const oldVolumes: readonly [keyof Volume, string][] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

const noSelector = "a null labelSelector results in matching no pod";

/** Of a pod. */
export function podWarnings({ metadata, spec }: { metadata: ObjectMeta; spec: PodSpec }): string[] {
  return collect(metadata, spec, Path.root);
}

/** Of a template that is new or changed. `at` is its place. */
export function templateWarnings({ metadata, spec }: PodTemplateSpec, at: Path): string[] {
  return collect(metadata, spec, at);
}

/** A name that will be part of pods' names makes a host name, too. */
export function nameWarnings({ name = "" }: ObjectMeta, use: string): string[] {
  const errors = dns1123LabelErrors(name);
  if (errors.length === 0) return [];
  return [
    `metadata.name: this is used in ${use}, which can result in surprising behavior; a DNS label is recommended: [${errors.join(" ")}]`,
  ];
}

function collect(metadata: ObjectMeta, spec: PodSpec, at: Path): string[] {
  const warnings: string[] = [];
  const specPath = at.child("spec");
  addNodeWarnings(spec, specPath, warnings);
  if (metadata.annotations !== undefined) addAnnotationWarnings(metadata, spec, { at: at.child("metadata"), warnings });
  for (const [i, volume] of (spec.volumes ?? []).entries())
    addVolumeWarnings(volume, specPath.child("volumes").index(i), warnings);
  addListWarnings(spec, specPath, warnings);
  addContainerWarnings(spec, specPath, warnings);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(
      about(
        specPath.child("terminationGracePeriodSeconds"),
        `must be >= 0; negative values are invalid and will be treated as 1`,
      ),
    );
  }
  addAffinityWarnings(spec.affinity, specPath.child("affinity"), warnings);
  return warnings;
}

function addNodeWarnings(spec: PodSpec, at: Path, warnings: string[]): void {
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    if (renamed[key] !== undefined) warnings.push(about(at.child("nodeSelector").key(key), renamed[key] ?? ""));
  }
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const here = at.child("topologySpreadConstraints").index(i);
    if (renamed[topologyKey] !== undefined) {
      warnings.push(about(here.child("topologyKey"), `${topologyKey} is ${renamed[topologyKey]}`));
    }
    if (labelSelector === undefined) warnings.push(about(here.child("labelSelector"), noSelector ?? ""));
  }
}

function addAnnotationWarnings(
  { annotations = {} }: ObjectMeta,
  spec: PodSpec,
  { at, warnings }: { at: Path; warnings: string[] },
): void {
  for (const key of Object.keys(annotations)) {
    const here = at.child("annotations").key(key);
    if (idle[key] !== undefined) warnings.push(about(here, idle[key] ?? ""));
    const seccomp = key.startsWith("container.seccomp.security.alpha.kubernetes.io/");
    if (seccomp || key === "seccomp.security.alpha.kubernetes.io/pod") {
      warnings.push(about(here, `non-functional in v1.27+; use the "seccompProfile" field instead`));
    }
    if (!key.startsWith(appArmorPrefix)) continue;
    const name = key.slice(appArmorPrefix.length);
    const container = [...containersOf(spec)].find((each) => each.name === name);
    const own = container?.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    if (own === undefined)
      warnings.push(about(here, `deprecated since v1.30; use the "appArmorProfile" field instead`));
  }
}

function addVolumeWarnings(volume: Volume, at: Path, warnings: string[]): void {
  for (const [kind, text] of oldVolumes) {
    if (volume[kind] !== undefined) warnings.push(about(at.child(kind), text ?? ""));
  }
  addPathWarnings(volume.configMap?.items, at.child("configMap"), warnings);
  addPathWarnings(volume.secret?.items, at.child("secret"), warnings);
  addPathWarnings(volume.downwardAPI?.items, at.child("downwardAPI"), warnings);
}

/** Files of one volume that hide each other. */
function addPathWarnings(items: readonly { path: string }[] | undefined, at: Path, warnings: string[]): void {
  const seen: string[] = [];
  for (const { path } of items ?? []) {
    const clean = path.replace(/\/+$/, "");
    const hidden = seen.find(
      (other) => other === clean || other.startsWith(`${clean}/`) || clean.startsWith(`${other}/`),
    );
    if (hidden !== undefined)
      warnings.push(about(at, `overlapping paths: ${JSON.stringify(clean)} with ${JSON.stringify(hidden)}`));
    seen.push(clean);
  }
}

/** Lists in which a thing said twice counts once. */
function addListWarnings(spec: PodSpec, at: Path, warnings: string[]): void {
  const aliases = new Set<string>();
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) {
    const here = at.child("hostAliases").index(i).child("ip");
    if (aliases.has(ip)) warnings.push(about(here, `duplicate ip ${JSON.stringify(ip)}`));
    aliases.add(ip);
    addIpWarnings(ip, here, warnings);
  }
  const secrets = new Set<string>();
  for (const [i, { name = "" }] of (spec.imagePullSecrets ?? []).entries()) {
    const here = at.child("imagePullSecrets").index(i);
    if (name === "") warnings.push(about(here, `invalid empty name ${JSON.stringify(name)}`));
    else if (secrets.has(name)) warnings.push(about(here, `duplicate name ${JSON.stringify(name)}`));
    secrets.add(name);
  }
  for (const [i, server] of (spec.dnsConfig?.nameservers ?? []).entries()) {
    addIpWarnings(server, at.child("dnsConfig").child("nameservers").index(i), warnings);
  }
}

/** Addresses written so that some read them differently. */
function addIpWarnings(ip: string, at: Path, warnings: string[]): void {
  if (!isIP(ip, "sloppy")) return;
  if (!isIP(ip, "strict"))
    warnings.push(
      about(
        at,
        `non-standard IP address ${JSON.stringify(ip)} will be considered invalid in a future Kubernetes release`,
      ),
    );
  else if (/^::ffff:\d+\./i.test(ip)) {
    warnings.push(about(at, `non-standard IP address ${JSON.stringify(ip)}: IPv4-mapped IPv6 address`));
  }
}

const required = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";

function addAffinityWarnings(affinity: Affinity | undefined, at: Path, warnings: string[]): void {
  if (affinity === undefined) return;
  const { nodeAffinity } = affinity;
  const node = at.child("nodeAffinity");
  const terms = (nodeAffinity?.[required]?.nodeSelectorTerms ?? []).map((term, i) => {
    return { term, here: node.child(required).child("nodeSelectorTerms").index(i) };
  });
  const wishes = (nodeAffinity?.[preferred] ?? []).map(({ preference }, i) => {
    return { term: preference, here: node.child(preferred).index(i).child("preference") };
  });
  for (const { term, here } of [...terms, ...wishes]) {
    for (const [i, { key }] of (term.matchExpressions ?? []).entries()) {
      if (renamed[key] === undefined) continue;
      warnings.push(about(here.child("matchExpressions").index(i).child("key"), `${key} is ${renamed[key]}`));
    }
  }
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    for (const [i, { labelSelector }] of (affinity[kind]?.[required] ?? []).entries()) {
      if (labelSelector === undefined)
        warnings.push(about(at.child(kind).child(required).index(i).child("labelSelector"), noSelector ?? ""));
    }
    for (const [i, { podAffinityTerm }] of (affinity[kind]?.[preferred] ?? []).entries()) {
      if (podAffinityTerm.labelSelector !== undefined) continue;
      const here = at.child(kind).child(preferred).index(i).child("podAffinityTerm").child("labelSelector");
      warnings.push(about(here, noSelector ?? ""));
    }
  }
}
