/**
 * Writes the status of ValidatingAdmissionPolicies: which generation was looked at, and what its expressions get wrong
 * about the types of their objects.
 * Source: k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus
 */
import { setImmediate } from "node:timers/promises";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyStatus,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import type { Compiler } from "@atoll/machinery/cel/index";
import type { Clock } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../../registry/catalogue.ts";
import { Mirror } from "../../registry/mirror.ts";
import type { Resource } from "../../registry/resource.ts";
import { clone } from "../../registry/versions.ts";
import { typeWarnings } from "./typechecking.ts";

export interface PolicyStatusOptions {
  readonly catalogue: Catalogue;
  readonly compiler: Compiler;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

export class PolicyStatus {
  readonly #options: PolicyStatusOptions;
  readonly #policies: Resource;
  readonly #mirror: Mirror;
  readonly #due = new Set<string>();
  #busy = false;
  #closed = false;

  constructor(options: PolicyStatusOptions) {
    const { catalogue, clock, onError } = options;
    const policies = catalogue.resource("admissionregistration.k8s.io", "validatingadmissionpolicies");
    if (policies === undefined) throw new TypeError("ValidatingAdmissionPolicies are not served");
    this.#options = options;
    this.#policies = policies;
    const into = { put: (key: string) => this.#look(policies.place(key).name), drop: () => {} };
    this.#mirror = new Mirror({ resource: policies, clock, onError, into });
  }

  start(): Promise<void> {
    return this.#mirror.start();
  }

  close(): void {
    this.#closed = true;
    this.#mirror.close();
  }

  #look(name: string): void {
    this.#due.add(name);
    if (this.#busy) return;
    this.#busy = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    // Checking takes a while: requests come first, also between two policies.
    await setImmediate();
    for (const name of this.#due) {
      if (this.#closed) break;
      this.#due.delete(name);
      await this.#settle(name).catch((error: unknown) => this.#failed(name, error));
      await setImmediate();
    }
    this.#busy = false;
  }

  #failed(name: string, error: unknown): void {
    if (this.#closed || (error instanceof StatusError && error.reason === "NotFound")) return;
    const { clock, onError } = this.#options;
    onError(error);
    clock.after(retryMs, () => this.#look(name), { unref: true });
  }

  async #settle(name: string): Promise<void> {
    const entry = this.#policies.cache.get(this.#policies.key("", name));
    if (entry === undefined) return;
    const policy = this.#policies.cache.object(entry) as unknown as ValidatingAdmissionPolicy;
    const { uid, generation = 0 } = policy.metadata;
    if (policy.status.observedGeneration === generation) return;
    const { compiler, catalogue } = this.#options;
    const warnings = typeWarnings(compiler, catalogue, policy);
    const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
    await this.#policies.update({ namespace: "", name }, ({ object }) => {
      const { metadata } = object;
      if (metadata.uid !== uid || metadata.generation !== generation) return "unchanged";
      const next = clone(object) as ApiObject & { status: ValidatingAdmissionPolicyStatus };
      next.status = { ...next.status, observedGeneration: generation, typeChecking };
      return deepEqual(next.status, object["status"]) ? "unchanged" : { object: next };
    });
  }
}
