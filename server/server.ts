/**
 * The API server: storage, catalogue, stages and listener put together.
 *
 *     listener → exchange → [count, authenticate, audit, impersonate, fairness, authorize, aggregation, resources, …] → reply
 */
import type { Kind } from "@atoll/api/kind";
import type { Clock } from "@atoll/machinery/clock";
import type { Store } from "@atoll/storage/store";
import { Admission } from "./admission/admission.ts";
import { AdmissionMetrics } from "./admission/metrics.ts";
import { admissionPlugins } from "./admission/plugins.ts";
import { Aggregator } from "./aggregation/aggregator.ts";
import { Auditor, type AuditOptions } from "./audit/auditor.ts";
import { CertificateAuthenticator } from "./authenticate/certificates.ts";
import type { Authentication } from "./authenticate/oidc/configuration.ts";
import { authentication } from "./authenticate/authentication.ts";
import { impersonate } from "./authenticate/impersonation.ts";
import { AuthenticationMetrics } from "./authenticate/metrics.ts";
import { authenticate } from "./authenticate/stage.ts";
import { FrontProxyAuthenticator } from "./authenticate/frontproxy.ts";
import type { Followed } from "./configuration/followed.ts";
import { Authorization, type ConfiguredAuthorization } from "./authorize/authorization.ts";
import { AuthorizationMetrics } from "./authorize/metrics.ts";
import { authorize, demand } from "./authorize/stage.ts";
import { discovery } from "./routes/discovery.ts";
import type { Stage } from "./exchange.ts";
import { CustomResources } from "./crd/controller.ts";
import { ensureExtensionAuthentication } from "./bootstrap/extensionauthentication.ts";
import { ensureFlowControl } from "./bootstrap/flowcontrol.ts";
import { ensureKubernetesService } from "./bootstrap/kubernetes.ts";
import { ensureNamespaces } from "./bootstrap/namespaces.ts";
import { ensurePriorityClasses } from "./bootstrap/priorityclasses.ts";
import { ensureRbac } from "./bootstrap/rbac.ts";
import type { OwnPolicy } from "./bootstrap/rbacown.ts";
import { ensureServiceCidr } from "./bootstrap/servicecidr.ts";
import { Fairness } from "./fairness/fairness.ts";
import { Listener } from "./http/listener.ts";
import { Outlet } from "./http/outlet.ts";
import { pipeline } from "./pipeline.ts";
import type { Pki } from "./pki/folder.ts";
import { proxies } from "./proxy/handlers.ts";
import { upgrades } from "./proxy/upgrade.ts";
import { Catalogue } from "./registry/catalogue.ts";
import { OwnershipRules } from "./registry/managers.ts";
import { root } from "./routes/root.ts";
import { reviewHandlers } from "./reviews/handlers.ts";
import { type HealthCheck, health, ping } from "./routes/health.ts";
import { Metrics } from "./routes/metrics.ts";
import { openid } from "./routes/openid.ts";
import { openapi } from "./routes/openapi.ts";
import { resources, type SubresourceHandlers } from "./routes/resources.ts";
import { unserved } from "./routes/unserved.ts";
import { version } from "./routes/version.ts";
import { AddressRange } from "./services/addresses.ts";
import { Claims } from "./services/claims.ts";
import { WebhookClient } from "./webhook/client.ts";

/** Where a server tells what went wrong in it. */
export interface Log {
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface ServerOptions {
  readonly store: Store;
  readonly kinds: readonly Kind[];
  readonly pki: Pki;
  readonly clock: Clock;
  readonly log: Log;
  /** Address to listen on. */
  readonly bind: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Range of Service addresses, as 10.96.0.0/12. */
  readonly serviceCidr: string;
  /** Address at which others reach this server. */
  readonly advertise: string;
  readonly subresources: SubresourceHandlers;
  /** Whose tokens are taken beside the server's own, and what nobody in particular may ask. */
  readonly authentication?: Followed<Authentication> | undefined;
  /** Where it is written who asked for what; absent: nowhere. */
  readonly audit?: AuditOptions | undefined;
  /** Who decides what may be done, if not nodes' rules and roles alone. */
  readonly authorization?: ConfiguredAuthorization | undefined;
  /** Roles of what runs beside this server. */
  readonly policies?: readonly OwnPolicy[] | undefined;
  /** Requests at work at once, those of exempt levels aside; absent: 100. */
  readonly seats?: number | undefined;
  /** Admission plugins beside the usual ones, by name (server/admission/wanted.ts). */
  readonly admissionPlugins?: readonly string[] | undefined;
  /** Atoll's version, shown at /version. */
  readonly version: string;
}

/** A server that listens. */
export interface Server {
  readonly port: number;
  readonly catalogue: Catalogue;
  close(): Promise<void>;
}

const closeGraceMs = 5_000;

/** Starts a server; it serves when the promise resolves. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { clock, log, pki } = options;
  const catalogue = new Catalogue(options.store);
  serveBuiltins(catalogue, options.kinds);
  const serviceRange = new AddressRange(options.serviceCidr);
  const listening = { port: options.port };
  const webhooks = new WebhookClient(catalogue);
  const guards = guardsOf(options, { catalogue, serviceRange, webhooks });
  const aggregator = new Aggregator({
    catalogue,
    clock,
    certificate: pki.frontProxyClient,
    registry: guards.metrics.registry,
    onError: (error) => log.error({ err: error }, "aggregation fell behind"),
  });
  const handle = pipeline({
    stages: stagesOf(options, { catalogue, listening, aggregator, ...guards }),
    clock,
    outlet: new Outlet(clock),
    onFailure: (error, what) => log.error({ err: error, request: what }, "request failed"),
  });
  const listener = new Listener({
    clock,
    bind: options.bind,
    port: options.port,
    // With the authority's own certificate: who knows its hash, and nothing else yet, can tell this server by it.
    tls: {
      cert: `${pki.server.cert}\n${pki.ca.cert}`,
      key: pki.server.key,
      clientCa: `${pki.ca.cert}\n${pki.frontProxyCa.cert}`,
    },
    onRequest: (request, response) => void handle(request, response),
    onUpgrade: upgrades(handle),
  });
  await prepare(options, catalogue, guards);
  const custom = new CustomResources({
    catalogue,
    clock,
    webhooks,
    onError: (error, what) => log.error({ err: error, definition: what }, "custom resource definition failed"),
  });
  await custom.start();
  await aggregator.start();
  const port = await listener.listen();
  listening.port = port;
  await ensureKubernetesService(catalogue, clock, { serviceIp: serviceRange.at(0), address: options.advertise, port });
  return {
    port,
    catalogue,
    async close() {
      guards.authorization.close();
      guards.fairness.close();
      guards.admission.close();
      await aggregator.close();
      await custom.close();
      catalogue.close();
      webhooks.close();
      await listener.close(closeGraceMs);
    },
  };
}

/** What has to be there, and to be known, before anybody is served. */
async function prepare(options: ServerOptions, catalogue: Catalogue, guards: Guards): Promise<void> {
  const { clock, pki, policies, serviceCidr } = options;
  await Promise.all([
    ensureNamespaces(catalogue, clock),
    ensurePriorityClasses(catalogue, clock),
    ensureFlowControl(catalogue, clock),
    ensureServiceCidr(catalogue, clock, serviceCidr),
    ensureRbac(catalogue, clock, policies),
    guards.authorization.start(),
    guards.fairness.start(),
    guards.admission.start(),
  ]);
  const authorities = { clientCa: pki.ca.cert, frontProxyCa: pki.frontProxyCa.cert };
  await ensureExtensionAuthentication(catalogue, clock, authorities);
}

/** Who decides what may be done, and when. */
interface Guards {
  readonly metrics: Metrics;
  readonly decisions: AuthorizationMetrics;
  readonly fairness: Fairness;
  readonly authorization: Authorization;
  readonly admission: Admission;
}

interface GuardParts {
  readonly catalogue: Catalogue;
  readonly serviceRange: AddressRange;
  readonly webhooks: WebhookClient;
}

function guardsOf(options: ServerOptions, { catalogue, ...parts }: GuardParts): Guards {
  const { clock, log, seats, authorization: configured } = options;
  const fellBehind = (what: string) => (error: unknown) => log.error({ err: error }, `${what} fell behind`);
  const metrics = new Metrics(clock, catalogue);
  const { registry } = metrics;
  const decisions = new AuthorizationMetrics(registry);
  const authorization = new Authorization({
    catalogue,
    clock,
    configured,
    metrics: decisions,
    onError: fellBehind("authorization"),
  });
  const { authorizers, rbac } = authorization;
  const onError = fellBehind("admission");
  const claims = new Claims({ store: options.store, clock });
  const wanted = options.admissionPlugins ?? [];
  const plugins = {
    ...parts,
    wanted,
    claims,
    authorizers,
    rbac,
    clock,
    onError,
    metrics: new AdmissionMetrics(registry),
  };
  const admission = new Admission(admissionPlugins(catalogue, plugins));
  const fairness = new Fairness({ catalogue, clock, registry, seats, onError: fellBehind("fairness") });
  return { metrics, decisions, fairness, authorization, admission };
}

interface Parts extends Guards {
  readonly catalogue: Catalogue;
  readonly aggregator: Aggregator;
  /** The port is known only once the server listens. */
  readonly listening: { readonly port: number };
}

/** What every request goes through, in this order. */
function stagesOf(options: ServerOptions, parts: Parts): readonly Stage[] {
  const { store, clock, pki } = options;
  const { catalogue, listening, aggregator, metrics, fairness, authorization, admission } = parts;
  const { authorizers } = authorization;
  const { tokens, bearers, isOpen } = authentication(options, catalogue);
  const handlers = new Map([
    ...options.subresources,
    ...proxies(pki),
    ...reviewHandlers({ tokens, bearers, store }, authorizers),
  ]);
  const recognized = new AuthenticationMetrics(metrics.registry);
  const stage = authenticate(
    [
      new FrontProxyAuthenticator(clock, pki.frontProxyCa.cert),
      new CertificateAuthenticator(clock, pki.ca.cert),
      bearers,
    ],
    { isOpen, clock },
  );
  const identify = recognized.counting(stage);
  const auditor = options.audit === undefined ? undefined : new Auditor(options.audit, clock, metrics.registry);
  return [
    metrics.count,
    ...(auditor === undefined ? [identify] : [auditor.watching(identify), auditor.follow]),
    impersonate(authorizers),
    fairness.stage,
    authorize(authorizers, (verdict) => parts.decisions.attempted(verdict)),
    aggregator.stage,
    resources({ catalogue, clock, ownership: new OwnershipRules(), admission, demand: demand(authorizers) }, handlers),
    openid(tokens, () => `${options.advertise}:${listening.port}`),
    health({ live: [ping], ready: [ping, storeCheck(store)] }),
    version(options.version),
    metrics.serve,
    root(catalogue),
    discovery(catalogue, aggregator.remotes),
    openapi(aggregator.openApi, options.version),
    unserved(catalogue),
  ];
}

/** Versions of one resource, and groups that share one, are served from the version that is stored as itself. */
function serveBuiltins(catalogue: Catalogue, kinds: readonly Kind[]): void {
  const home = ({ group, plural, storedAs }: Kind) => `${storedAs?.group ?? group}/${plural}`;
  for (const versions of Map.groupBy(kinds, home).values()) {
    const stored = versions.find(({ virtual, storedAs }) => virtual !== true && storedAs === undefined);
    catalogue.serve(versions, stored);
  }
}

function storeCheck(store: Store): HealthCheck {
  return { name: "etcd", check: () => store.healthy() };
}
