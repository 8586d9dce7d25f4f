/**
 * What a fleet object would change on clusters, told to whoever writes it with `--dry-run=server`, as warnings. The hub's API
 * server asks the gateway, by a ValidatingWebhookConfiguration that the gateway writes; so it works with any client and on
 * any Kubernetes. It refuses nothing, and is asked about dry runs alone: when no gateway answers, only the warnings are missing.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Client } from "@atoll/client/client";
import type { Resource } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { previewName } from "../cluster/names.ts";
import { policyKinds } from "../compile/compile.ts";
import { readFleet, replaced, without } from "../explain/organization.ts";
import { type Change, changesBetween } from "../explain/plan.ts";
import type { PublishedGateway } from "./published.ts";

const group = "admissionregistration.k8s.io";
const below = "/dry-run/";
/** Warnings of one answer; API servers cut what is longer than 4 KiB altogether. */
const mostTold = 20;
const timeoutSeconds = 5;

const webhookConfigurations: Resource<ApiObject> = {
  group,
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
};

/** What the hub asks by. Nobody else is answered: who may read this object may ask, and who has the gateways' key knows it. */
export class PreviewPath {
  readonly #path: string;

  /** @param secret the same for all gateways of a hub */
  constructor(secret: string) {
    this.#path = below + createHmac("sha256", secret).update(previewName).digest("hex");
  }

  get path(): string {
    return this.#path;
  }

  /** Whether a request's path is this one. */
  is(path: string): boolean {
    const [own, other] = [Buffer.from(this.#path), Buffer.from(path)];
    return own.length === other.length && timingSafeEqual(own, other);
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
    readonly object?: ApiObject | null;
    readonly oldObject?: ApiObject | null;
  };
}

/** Answers an AdmissionReview: always allowed, with what would change as warnings. */
export async function preview(client: Client, clock: Clock, review: Review): Promise<object> {
  const { uid = "", operation, namespace = "", object, oldObject } = review.request ?? {};
  const before = await readFleet(client, namespace, clock.nowMs());
  const given = operation === "DELETE" ? oldObject : object;
  const changed =
    operation === "DELETE" ? without : (fleet: typeof before, objects: ApiObject[]) => replaced(fleet, objects).fleet;
  const changes = given === null || given === undefined ? [] : changesBetween(before, changed(before, [given]));
  const response = { uid, allowed: true, warnings: warningsOf(changes) };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

/** Cluster by cluster; of many, how many are not told. */
function warningsOf(changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return ["no cluster would change"];
  const lines = changes.map(
    ({ cluster, does, object, source, level }) => `cluster ${cluster}: ${does} ${object} (${source}, ${level})`,
  );
  if (lines.length <= mostTold) return lines;
  const clusters = new Set(changes.map(({ cluster }) => cluster)).size;
  return [
    ...lines.slice(0, mostTold),
    `and ${lines.length - mostTold} changes more, on ${clusters} clusters altogether: atoll plan -f tells all`,
  ];
}
