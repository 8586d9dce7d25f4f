/**
 * Admission: what may change or refuse a write after it is authorized and decoded. Plugins run in order, first all
 * that mutate, then, once the object is final and valid, all that only judge.
 * Source: k8s.io/apiserver/pkg/admission
 */
import type { Kind } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";
import type { User } from "../call.ts";

/** A write as plugins see it. */
export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** What will be stored; mutating plugins change it in place. Absent for DELETE. */
  readonly object: ApiObject | undefined;
  /** What is stored; frozen. Absent for CREATE. */
  readonly old: ApiObject | undefined;
  readonly user: User;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, as JSON. */
  readonly options: Readonly<Record<string, unknown>> | undefined;
  readonly reinvocation: Reinvocation;
  /** What is to be done if, though admitted, nothing comes of the write. */
  readonly undo: (() => void)[];
  /** Calls back once the request has been answered, whatever came of the write. */
  onSettled(callback: () => void): void;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
  /** Adds an annotation to the request's audit event; the first of a key stays. */
  annotate(key: string, value: string): void;
}

/** Mutating plugins run once more when a late one changed the object; those that did their part see that it is so. */
export interface Reinvocation {
  wanted: boolean;
  running: boolean;
  /** What plugins keep from the first run for the second, by their name. */
  readonly kept: Map<string, unknown>;
}

/** One admission plugin. A throw of StatusError refuses the write. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Resolves when the plugin knows what it goes by. */
  start?(): Promise<void>;
  close?(): void;
  /** Whether the plugin has anything to say; asked first so that others cost nothing. */
  handles(request: AdmissionRequest): boolean;
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}

export class Admission {
  readonly #plugins: readonly AdmissionPlugin[];

  /** @param plugins in the order in which they run */
  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  /** Resolves when all plugins know what they go by. */
  async start(): Promise<void> {
    await Promise.all(this.#plugins.map((plugin) => plugin.start?.()));
  }

  close(): void {
    for (const plugin of this.#plugins) plugin.close?.();
  }

  /** Source: k8s.io/apiserver/pkg/admission/reinvocation.go */
  async mutate(request: AdmissionRequest): Promise<void> {
    await this.#mutateOnce(request);
    if (!request.reinvocation.wanted) return;
    request.reinvocation.running = true;
    await this.#mutateOnce(request);
  }

  async #mutateOnce(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.mutate !== undefined && plugin.handles(request)) await plugin.mutate(request);
    }
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      if (plugin.validate !== undefined && plugin.handles(request)) await plugin.validate(request);
    }
  }
}
