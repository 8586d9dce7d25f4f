/** Who a person is, and whether the hub lets them reach a cluster: its own authentication and authorization decide. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Client } from "@atoll/client/client";
import { StatusError } from "@atoll/machinery/status";
import { agentPrefix } from "../cluster/names.ts";

/** A person, as the hub knows them. */
export interface Person {
  readonly username: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What is asked of which cluster. */
export interface Wish {
  readonly organization: string;
  readonly cluster: string;
  readonly method: string;
}

/** The person's token, if they came by one. */
export function tokenOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer ([^\s]+)$/i.exec(headers.authorization ?? "")?.[1];
}

/** @throws {StatusError} Unauthorized */
export async function personOf(request: IncomingMessage, client: Client): Promise<Person> {
  const bearer = tokenOf(request);
  const person = bearer === undefined ? byCertificate(request) : await byToken(bearer, client);
  if (person === undefined) throw new StatusError("Unauthorized", "present a token or certificate of the hub");
  return person;
}

function byCertificate({ socket }: IncomingMessage): Person | undefined {
  const { authorized } = socket as TLSSocket;
  const { CN: username, O: organizations } = (authorized ? (socket as TLSSocket).getPeerCertificate().subject : {}) as {
    readonly CN?: string | string[];
    readonly O?: string | string[];
  };
  if (typeof username !== "string" || username.startsWith(agentPrefix)) return undefined;
  return { username, groups: [...[organizations ?? []].flat(), "system:authenticated"] };
}

async function byToken(token: string, client: Client): Promise<Person | undefined> {
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
  const path = "/apis/authentication.k8s.io/v1/tokenreviews";
  const { status } = (await client.raw({ method: "POST", path, body })) as {
    readonly status?: { readonly authenticated?: boolean; readonly user?: Person };
  };
  return status?.authenticated === true ? status.user : undefined;
}

const verbs: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** @throws {StatusError} Forbidden: the hub does not let them */
export async function authorize(person: Person, wish: Wish, client: Client): Promise<void> {
  const { organization, cluster, method } = wish;
  const verb = verbs[method] ?? "get";
  const asked = { group: "fleet.atoll.dev", resource: "fleetclusters", subresource: "proxy", verb };
  if (await isAllowed(person, { ...asked, namespace: organization, name: cluster }, client)) return;
  const what = `fleetclusters.fleet.atoll.dev/proxy of ${organization}/${cluster}`;
  throw new StatusError("Forbidden", `${JSON.stringify(person.username)} may not ${verb} ${what}`);
}

/** Whether the hub lets a person do something. @param asked the ResourceAttributes of a SubjectAccessReview */
export async function isAllowed(
  { username: user, ...rest }: Person,
  asked: Readonly<Record<string, string>>,
  client: Client,
): Promise<boolean> {
  const spec = { user, ...rest, resourceAttributes: asked };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
  const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
  const { status } = (await client.raw({ method: "POST", path, body })) as { readonly status?: { allowed?: boolean } };
  return status?.allowed === true;
}
