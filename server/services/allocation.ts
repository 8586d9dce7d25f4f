/**
 * Services get their cluster addresses and node ports as they are written, each to one Service only.
 * Runs as the last mutating admission plugin, where upstream's storage allocates.
 * Source: k8s.io/kubernetes/pkg/registry/core/service/storage (alloc.go)
 */
import { randomInt } from "node:crypto";
import type { Service, ServiceSpec } from "@atoll/api/builtin/core/v1.types";
import { hasClusterIp, hasNodePorts, service } from "@atoll/api/core/service";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";
import type { AdmissionPlugin, AdmissionRequest } from "../admission/admission.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { invalid } from "../registry/invalid.ts";
import type { AddressRange } from "./addresses.ts";
import type { Claims } from "./claims.ts";
import { claimsOf, InUse } from "./inuse.ts";

const pluginName = "ServiceAllocation";
const firstNodePort = 30_000;
const nodePorts = 2_768;

/** Gives out what Services need. */
export function serviceAllocation(catalogue: Catalogue, { serviceRange, claims }: AllocationOptions): AdmissionPlugin {
  let inUse: InUse | undefined;
  return {
    name: pluginName,
    handles: ({ kind, operation, subresource }) =>
      kind.plural === "services" &&
      kind.group === "" &&
      subresource === "" &&
      (operation === "CREATE" || operation === "UPDATE"),
    mutate: async (request) => {
      const services = catalogue.resource("", "services");
      if (services === undefined) return;
      inUse ??= new InUse(services, (owner, freed) => void claims.release(owner, freed));
      await inUse.ready();
      const owner = services.key(request.namespace, request.name);
      const run = new Allocation({ inUse, range: serviceRange, owner, request });
      // What the first run holds must not stand in the second one's way.
      (request.reinvocation.kept.get(pluginName) as Allocation | undefined)?.letGo();
      request.reinvocation.kept.set(pluginName, run);
      if (request.old !== undefined) run.keep(request.old as unknown as Service);
      run.normalize();
      if (isValid(request)) await allocated(run, claims, { inUse, owner, request });
    },
  };
}

/** What is given out, and where it is written down that it is. */
export interface AllocationOptions {
  readonly serviceRange: AddressRange;
  readonly claims: Claims;
}

const mostAttempts = 20;

/** Gives out until nothing of it is another server's meanwhile. */
async function allocated(
  run: Allocation,
  claims: Claims,
  { inUse, owner, request }: Pick<RunOptions, "inUse" | "owner" | "request">,
): Promise<void> {
  const service = request.object as unknown as Service;
  const wanted = structuredClone(service.spec);
  const had = request.old === undefined ? [] : claimsOf(request.old as unknown as Service);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    run.allocate();
    if (request.dryRun) return;
    const fresh = run.held.filter((claim) => !had.includes(claim));
    const lost = await claims.take(owner, fresh);
    if (lost.length === 0) {
      request.undo.push(() => void claims.release(owner, fresh));
      return;
    }
    run.letGo();
    for (const claim of lost) request.onSettled(inUse.reserve(claim));
    service.spec = structuredClone(wanted);
  }
  throw new StatusError("InternalError", "failed to allocate: others took every address or port first");
}

/** Nothing is given out for what is refused anyway; the registry tells why. */
function isValid({ object, old }: AdmissionRequest): boolean {
  const errors = new FieldErrors();
  if (old === undefined) service.validate?.(object as unknown as Service, errors);
  else service.validateUpdate?.(object as unknown as Service, old as unknown as Service, errors);
  return errors.ok;
}

interface RunOptions {
  readonly inUse: InUse;
  readonly range: AddressRange;
  readonly owner: string;
  readonly request: AdmissionRequest;
}

class Allocation {
  readonly #options: RunOptions;
  readonly #service: Service;
  readonly #errors = new FieldErrors();
  readonly #reserved = new Map<string, () => void>();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#service = options.request.object as unknown as Service;
  }

  /** What the Service gets, or has already. */
  get held(): readonly string[] {
    return [...this.#reserved.keys()];
  }

  /** Takes back what allocate() gave. */
  letGo(): void {
    for (const release of this.#reserved.values()) release();
    this.#reserved.clear();
  }

  /** An update that leaves out what was given keeps it. Source: patchAllocatedValues */
  keep(old: Service): void {
    const { spec } = this.#service;
    if (hasClusterIp(old.spec) && hasClusterIp(spec)) keepAddresses(spec, old.spec);
    if (hasNodePorts(old.spec) && hasNodePorts(spec)) keepPorts(spec, old.spec);
  }

  /** The one address and the list of addresses say the same. Source: NormalizeClusterIPs */
  normalize(): void {
    const { spec } = this.#service;
    const { old } = this.#options.request;
    if (old === undefined) {
      if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
      return;
    }
    const { spec: was } = old as unknown as Service;
    if (spec.clusterIP === was.clusterIP) return;
    const listChanged = (spec.clusterIPs?.[0] ?? "") !== (was.clusterIPs?.[0] ?? "");
    if (listChanged) return;
    if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
    else delete spec.clusterIPs;
  }

  /** @throws {StatusError} Invalid when what is asked for is another's, InternalError when nothing is left */
  allocate(): void {
    const { spec } = this.#service;
    if (hasClusterIp(spec)) this.#addresses(spec);
    else for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] as const) delete spec[field];
    if (hasNodePorts(spec)) this.#nodePorts(spec);
    if (spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && !spec.healthCheckNodePort) {
      spec.healthCheckNodePort = this.#freePort("TCP");
    }
    const { request } = this.#options;
    if (!this.#errors.ok) throw invalid(request.kind, request.name, this.#errors);
  }

  #addresses(spec: ServiceSpec): void {
    const wanted = spec.clusterIP || spec.clusterIPs?.[0] || "";
    const headless = wanted === "None";
    spec.clusterIP = wanted === "" ? this.#freeAddress() : wanted;
    if ((spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    setFamilies(spec, headless);
    if (wanted !== "" && !headless) this.#claimAddress(wanted);
  }

  #claimAddress(address: string): void {
    const path = Path.of("spec", "clusterIPs");
    const { range, inUse, owner } = this.#options;
    if (!range.has(address)) {
      const why = `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.cidr}`;
      this.#errors.invalid(path, [address], why);
    } else if (inUse.isTaken(address, owner)) {
      this.#errors.invalid(path, [address], `failed to allocate IP ${address}: provided IP is already allocated`);
    } else this.#hold(address);
  }

  #freeAddress(): string {
    const { range, inUse, owner } = this.#options;
    const from = range.dynamicFrom;
    const dynamic = range.size - from;
    const start = randomInt(dynamic);
    for (let i = 0; i < dynamic + from; i++) {
      // The upper part first, from a random place; what is left for free choice comes last.
      const address = range.at(i < dynamic ? from + ((start + i) % dynamic) : i - dynamic);
      if (!inUse.isTaken(address, owner)) return this.#hold(address);
    }
    throw new StatusError("InternalError", `failed to allocate a serviceIP: range ${range.cidr} is full`);
  }

  #nodePorts(spec: ServiceSpec): void {
    for (const [i, port] of (spec.ports ?? []).entries()) {
      const protocol = port.protocol ?? "TCP";
      if (port.nodePort === undefined || port.nodePort === 0)
        port.nodePort = this.#sharedPort(spec, port.port, protocol);
      else this.#claimPort(port.nodePort, protocol, Path.of("spec", "ports").index(i).child("nodePort"));
    }
  }

  /** The same port of another protocol gets the same node port where it can. */
  #sharedPort(spec: ServiceSpec, number: number, protocol: string): number {
    const twin = spec.ports?.find((each) => each.port === number && each.protocol !== protocol && each.nodePort);
    if (twin?.nodePort && !this.#options.inUse.isTaken(`${twin.nodePort}/${protocol}`, this.#options.owner)) {
      this.#hold(`${twin.nodePort}/${protocol}`);
      return twin.nodePort;
    }
    return this.#freePort(protocol);
  }

  #claimPort(number: number, protocol: string, path: Path): void {
    const { inUse, owner } = this.#options;
    if (number < firstNodePort || number >= firstNodePort + nodePorts) {
      const last = firstNodePort + nodePorts - 1;
      this.#errors.invalid(
        path,
        number,
        `provided port is not in the valid range. The range of valid ports is ${firstNodePort}-${last}`,
      );
    } else if (inUse.isTaken(`${number}/${protocol}`, owner)) {
      this.#errors.invalid(path, number, "provided port is already allocated");
    } else this.#hold(`${number}/${protocol}`);
  }

  #freePort(protocol: string): number {
    const { inUse, owner } = this.#options;
    const start = randomInt(nodePorts);
    for (let i = 0; i < nodePorts; i++) {
      const number = firstNodePort + ((start + i) % nodePorts);
      if (inUse.isTaken(`${number}/${protocol}`, owner)) continue;
      this.#hold(`${number}/${protocol}`);
      return number;
    }
    throw new StatusError("InternalError", "failed to allocate a nodePort: range is full");
  }

  #hold(claim: string): string {
    const { inUse, request } = this.#options;
    const release = inUse.reserve(claim);
    this.#reserved.set(claim, release);
    request.onSettled(release);
    return claim;
  }
}

function keepAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  if (!spec.clusterIP && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
  const unsaid = (spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.clusterIP;
  if (unsaid && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  spec.ipFamilies ??= [...(old.ipFamilies ?? [])];
  spec.ipFamilyPolicy ??= old.ipFamilyPolicy ?? "SingleStack";
}

function keepPorts(spec: ServiceSpec, old: ServiceSpec): void {
  for (const port of spec.ports ?? []) {
    const known = old.ports?.find((each) => each.port === port.port && each.protocol === port.protocol);
    if (!port.nodePort && known?.nodePort !== undefined) port.nodePort = known.nodePort;
  }
  if (!spec.healthCheckNodePort && old.healthCheckNodePort) spec.healthCheckNodePort = old.healthCheckNodePort;
}

/** A headless Service without a selector is whatever its endpoints are. */
function setFamilies(spec: ServiceSpec, headless: boolean): void {
  const open = headless && Object.keys(spec.selector ?? {}).length === 0;
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = open ? ["IPv4", "IPv6"] : ["IPv4"];
  spec.ipFamilyPolicy ??= open ? "RequireDualStack" : "SingleStack";
}
