/**
 * For whom a node may ask tokens: for those to whom its pod shows them, by a volume of the pod's or through a driver of
 * one; or for whom a rule says so.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/noderestriction (validateNodeServiceAccountAudience)
 */
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "@atoll/api/builtin/core/v1.types";
import type { CSIDriver } from "@atoll/api/builtin/storage.k8s.io/v1.types";
import { resourceQuestion } from "../authorize/attributes.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionRequest } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

const verb = "request-serviceaccounts-token-audience";

/** What the check needs to know. */
export interface AudienceOptions {
  readonly catalogue: Catalogue;
  readonly authorizers: readonly Authorizer[];
}

/** @throws {StatusError} Forbidden */
export async function checkAudience(request: AdmissionRequest, pod: Pod, options: AudienceOptions): Promise<void> {
  const { spec } = request.object as { spec?: { audiences?: readonly string[] } };
  const [audience = "", ...more] = spec?.audiences ?? [];
  if (more.length > 0) throw forbidden(request, "node may only request 0 or 1 audiences");
  if (await shows(pod, audience, options.catalogue)) return;
  const { namespace, name, user } = request;
  const question = resourceQuestion({ verb, group: "", version: "v1", resource: audience, namespace, name });
  if (audience !== "" && (await decide(options.authorizers, user, question)).decision === "allow") return;
  const told = `${user.name} is not authorized to request tokens for this audience`;
  throw forbidden(request, `audience ${JSON.stringify(audience)} not found in pod spec volume, ${told}`);
}

async function shows(pod: Pod, audience: string, catalogue: Catalogue): Promise<boolean> {
  for (const volume of pod.spec.volumes ?? []) {
    const sources = volume.projected?.sources ?? [];
    const tokens = sources.flatMap(({ serviceAccountToken }) => serviceAccountToken ?? []);
    if (tokens.some((each) => (each.audience ?? "") === audience)) return true;
    const driver = await driverOf(volume, pod, catalogue);
    if (driver !== undefined && (await asksFor(driver, audience, catalogue))) return true;
  }
  return false;
}

/** The driver of a volume: the pod's own, or that of the volume that its claim is bound to. */
async function driverOf(volume: Volume, { metadata }: Pod, catalogue: Catalogue): Promise<string | undefined> {
  if (volume.csi !== undefined) return volume.csi.driver;
  const own = volume.ephemeral === undefined ? undefined : `${metadata.name}-${volume.name}`;
  const claimName = volume.persistentVolumeClaim?.claimName ?? own;
  if (claimName === undefined) return undefined;
  const at = { namespace: metadata.namespace ?? "", name: claimName };
  const claim = await found<PersistentVolumeClaim>(catalogue, ["", "persistentvolumeclaims"], at);
  const name = claim?.spec.volumeName;
  if (!name) return undefined;
  const bound = await found<PersistentVolume>(catalogue, ["", "persistentvolumes"], { namespace: "", name });
  return bound?.spec.csi?.driver;
}

async function asksFor(name: string, audience: string, catalogue: Catalogue): Promise<boolean> {
  const driver = await found<CSIDriver>(catalogue, ["storage.k8s.io", "csidrivers"], { namespace: "", name });
  return (driver?.spec.tokenRequests ?? []).some((each) => each.audience === audience);
}

async function found<T>(
  catalogue: Catalogue,
  [group, plural]: readonly [group: string, plural: string],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> {
  const resource = catalogue.resource(group, plural);
  if (resource === undefined) return undefined;
  await resource.cache.loaded();
  const entry = resource.cache.get(resource.key(namespace, name));
  return entry === undefined ? undefined : (resource.cache.object(entry) as unknown as T);
}
