/**
 * What a fleet object would change on clusters, told to whoever writes it with `--dry-run=server`, as warnings. The hub's API
 * server asks the gateway, by a ValidatingWebhookConfiguration that the gateway writes; so it works with any client and on
 * any Kubernetes. It refuses nothing, and is asked about dry runs alone: when no gateway answers, only the warnings are missing.
 */
import type { Client } from "@atoll/client/client";
import type { Resource } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { previewName } from "../cluster/names.ts";
import { policyKinds } from "../compile/compile.ts";
import { readFleet, replaced, without } from "../explain/organization.ts";
import { type Change, differencesBetween } from "../explain/plan.ts";
import type { Person } from "./people.ts";
import type { PublishedGateway } from "./published.ts";
import { SecretPath } from "./secretpath.ts";
import type { Trials } from "./trial.ts";

const group = "admissionregistration.k8s.io";
/** Characters of one answer's warnings: API servers cut what is longer than 4 KiB altogether. */
const mostTold = 3_800;
/** Of one warning. */
const longestTold = 1_000;
/** Longer than the clusters are waited for. A write that is no dry run never waits for this. */
const timeoutSeconds = 10;
/** Field managers of those who reckon the changes themselves: they are told what the clusters say alone. */
const reckonThemselves = ["atoll-plan", "atoll-console"];

const webhookConfigurations: Resource<ApiObject> = {
  group,
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
};

/** What the hub asks by. Nobody else is answered: who may read this object may ask, and who has the gateways' key knows it. */
export class PreviewPath extends SecretPath {
  /** @param secret the same for all gateways of a hub */
  constructor(secret: string) {
    super("/dry-run/", { secret, purpose: previewName });
  }
}

/** Has the hub ask here about dry runs. @throws {StatusError} Forbidden: the gateway's account may not */
export async function askForPreviews(
  client: Client,
  { url, ca }: PublishedGateway,
  { path }: PreviewPath,
): Promise<void> {
  const object = {
    metadata: { name: previewName },
    webhooks: [
      {
        name: previewName,
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Ignore",
        timeoutSeconds,
        clientConfig: { url: `${url}${path}`, caBundle: Buffer.from(ca).toString("base64") },
        matchConditions: [{ name: "dry-run", expression: "has(request.dryRun) && request.dryRun" }],
        rules: [
          {
            apiGroups: ["fleet.atoll.dev"],
            apiVersions: ["*"],
            operations: ["CREATE", "UPDATE", "DELETE"],
            resources: [
              "clustergroups",
              "fleetclusters",
              "fleetnamespaces",
              "policyexceptions",
              ...policyKinds.map(({ plural }) => plural),
            ],
          },
        ],
      },
    ],
  };
  await client.apply(webhookConfigurations, { object, force: true }, { fieldManager: "atoll-gateway" });
}

/** Source: k8s.io/api/admission/v1 (AdmissionReview) */
interface Review {
  readonly request?: {
    readonly uid?: string;
    readonly operation?: string;
    readonly namespace?: string;
    readonly userInfo?: Partial<Person>;
    readonly options?: { readonly fieldManager?: string } | null;
    readonly object?: ApiObject | null;
    readonly oldObject?: ApiObject | null;
  };
}

/** What answering takes. */
interface Means {
  readonly client: Client;
  readonly clock: Clock;
  readonly trials: Trials;
}

/** Answers an AdmissionReview: always allowed, with what would change, and what that means to what exists, as warnings. */
export async function preview({ client, clock, trials }: Means, review: Review): Promise<object> {
  const { uid = "", operation, namespace = "", userInfo, options, object, oldObject } = review.request ?? {};
  const before = await readFleet(client, namespace, clock.nowMs());
  const given = operation === "DELETE" ? oldObject : object;
  const changed =
    operation === "DELETE" ? without : (fleet: typeof before, objects: ApiObject[]) => replaced(fleet, objects).fleet;
  const differences = given === null || given === undefined ? [] : differencesBetween(before, changed(before, [given]));
  const person = { ...userInfo, username: userInfo?.username ?? "" };
  const said = await trials.tell(person, differences);
  const isKnown = reckonThemselves.includes(options?.fieldManager ?? "");
  const warnings = isKnown
    ? said
    : warningsOf(
        said,
        differences.flatMap(({ changes }) => changes),
      );
  const response = { uid, allowed: true, warnings: warnings.map((line) => line.slice(0, longestTold)) };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

/** What the clusters say, then what changes cluster by cluster; of more than there is room for, how many are not told. */
function warningsOf(trials: readonly string[], changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return ["no cluster would change"];
  const lines = changes.map(
    ({ cluster, does, object, source, level }) => `cluster ${cluster}: ${does} ${object} (${source}, ${level})`,
  );
  const told: string[] = [];
  let room = mostTold - trials.reduce((sum, { length }) => sum + length, 0);
  for (const line of lines) {
    room -= line.length;
    if (room >= 0) told.push(line);
  }
  if (told.length === lines.length) return [...trials, ...lines];
  const clusters = new Set(changes.map(({ cluster }) => cluster)).size;
  const left = lines.length - told.length;
  return [...trials, ...told, `and ${left} changes more, on ${clusters} clusters altogether: atoll plan -f tells all`];
}
