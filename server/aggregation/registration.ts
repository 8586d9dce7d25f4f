/**
 * An APIService for each group and version that this server serves itself: those of built-in kinds are made at the
 * start and may be deleted; those of custom kinds are kept in step with the definitions.
 * Source: k8s.io/kube-aggregator/pkg/controllers/autoregister, k8s.io/kubernetes/pkg/controlplane/controller/crdregistration
 */
import type { APIService } from "@atoll/api/builtin/apiregistration.k8s.io/v1.types";
import { builtinPriorities, customPriority, type GroupPriority } from "@atoll/api/resources";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { plant } from "../bootstrap/plant.ts";
import type { Catalogue } from "../registry/catalogue.ts";
import { clone } from "../registry/versions.ts";
import type { Remotes } from "./remotes.ts";
import { Rounds } from "./rounds.ts";

/** Whether an APIService is kept by this server, and how. Source: autoregister.AutoRegisterManagedLabel */
const label = "kube-aggregator.kubernetes.io/automanaged";
const registration = "apiregistration.k8s.io";
const retryMs = 1_000;

interface Wanted {
  readonly name: string;
  readonly managed: "true" | "onstart";
  readonly spec: APIService["spec"];
}

export interface RegistrationOptions {
  readonly catalogue: Catalogue;
  readonly remotes: Remotes;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export class Registration {
  readonly #options: RegistrationOptions;
  readonly #rounds: Rounds;
  #started = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      round: () => this.#settle(),
      onFailure: (error) => {
        options.onError(error);
        options.clock.after(retryMs, () => this.#rounds.look(), { unref: true });
      },
    });
  }

  /** Resolves when what is served now is registered. */
  async start(): Promise<void> {
    const { catalogue, remotes } = this.#options;
    await this.#settle();
    this.#started = true;
    catalogue.onChange(() => this.#rounds.look());
    remotes.onChange(() => this.#rounds.look());
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #settle(): Promise<void> {
    const { catalogue, remotes } = this.#options;
    const wanted = wantedOf(catalogue);
    const known = new Map(remotes.services().map((service) => [service.metadata.name ?? "", service]));
    const missing = [...wanted.values()].filter(({ name, managed }) => {
      return !known.has(name) && (managed === "true" || !this.#started);
    });
    await Promise.all(missing.map((each) => this.#create(each)));
    for (const [name, service] of known) await this.#keep(service, wanted.get(name));
  }

  async #create({ name, managed, spec }: Wanted): Promise<void> {
    const now = formatTime(this.#options.clock.nowMs());
    const message = "Local APIServices are always available";
    const object: ApiObject = {
      kind: "APIService",
      apiVersion: `${registration}/v1`,
      metadata: { name, labels: { [label]: managed } },
      spec,
      status: {
        conditions: [{ type: "Available", status: "True", lastTransitionTime: now, reason: "Local", message }],
      },
    };
    await plant(this.#options.remotes.resource, object, now);
  }

  /** What users made of a name is theirs. */
  async #keep({ metadata, spec }: APIService, wanted: Wanted | undefined): Promise<void> {
    const managed = metadata.labels?.[label];
    const { resource } = this.#options.remotes;
    const place = { namespace: "", name: metadata.name ?? "" };
    if (managed === "true" && wanted === undefined) {
      await resource.update(place, () => ({ remove: true })).catch(ignoreGone);
    } else if (managed === "true" && wanted !== undefined && !deepEqual(spec, wanted.spec)) {
      const renewed = ({ object }: { object: ApiObject }) => ({ object: { ...clone(object), spec: wanted.spec } });
      await resource.update(place, renewed).catch(ignoreGone);
    }
  }
}

/** Somebody else took it away meanwhile. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
}

/** One for each group and version but the one of APIServices themselves. */
function wantedOf(catalogue: Catalogue): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { group, version, custom } of catalogue.kinds()) {
    const name = `${version}.${group}`;
    if (group === registration || wanted.has(name)) continue;
    const priority = custom === true ? customPriority : (builtinPriorities[`${group}/${version}`] ?? customPriority);
    wanted.set(name, { name, managed: custom === true ? "true" : "onstart", spec: specOf(group, version, priority) });
  }
  return wanted;
}

function specOf(group: string, version: string, priority: GroupPriority): APIService["spec"] {
  return {
    service: null,
    ...(group === "" ? {} : { group }),
    version,
    groupPriorityMinimum: priority.group,
    versionPriority: priority.version,
  };
}
