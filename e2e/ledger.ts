/**
 * Writers that remember what they were told, and followers that must miss nothing: the same load for a server that is
 * killed, and for servers whose store loses members.
 */
import assert from "node:assert/strict";
import { Agent, request } from "node:https";
import { type Answer, sendThrough } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";

/** Where a server is now, and how to speak to it as its admin. */
export interface Place {
  readonly port: number;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
}

const collection = "/api/v1/namespaces/default/configmaps";
const label = "ledger";
const retryMs = 20;

interface Held {
  /** Undefined: there is no such object. */
  readonly value: string | undefined;
  /** Of the write that made it so; undefined when the answer did not say, as for a deletion. */
  readonly revision: string | undefined;
}

interface ConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: { readonly value?: string };
}

/** What was acknowledged, and what nobody knows about. */
export class Ledger {
  readonly held = new Map<string, Held>();
  /** Writes without an answer: the object is as before, or as it was tried to be. */
  readonly unanswered = new Map<string, Held>();
  readonly revisions = new Set<string>();
  total = 0;

  acknowledged(name: string, value: string | undefined, answer: Answer): string | undefined {
    const { resourceVersion } = (answer.json as unknown as ConfigMap).metadata;
    const revision = value === undefined ? undefined : resourceVersion;
    if (revision !== undefined) {
      assert.ok(!this.revisions.has(revision), `revision ${revision} was used twice`);
      this.revisions.add(revision);
    }
    this.held.set(name, { value, revision });
    this.total++;
    return revision;
  }

  /** Every acknowledged write is there; one without an answer is there whole or not at all. */
  check(items: readonly ConfigMap[]): void {
    const found = new Map(items.map((item) => [item.metadata.name, item]));
    for (const name of new Set([...this.held.keys(), ...this.unanswered.keys()])) {
      const now = found.get(name);
      const states = [this.held.get(name) ?? { value: undefined, revision: undefined }, this.unanswered.get(name)];
      const fits = states.some((state) => state !== undefined && isAs(now, state));
      assert.ok(fits, `${name}: ${JSON.stringify(states)} was acknowledged or tried, found ${JSON.stringify(now)}`);
    }
    for (const name of found.keys()) assert.ok(this.held.has(name) || this.unanswered.has(name), `who made ${name}?`);
  }
}

function isAs(found: ConfigMap | undefined, { value, revision }: Held): boolean {
  if (found === undefined || value === undefined) return found === undefined && value === undefined;
  return found.data?.value === value && (revision === undefined || found.metadata.resourceVersion === revision);
}

/** Writes as fast as it is answered, one object after the other once an answer has not come. */
export class Writer {
  readonly #ledger: Ledger;
  readonly #place: () => Place | undefined;
  readonly #id: string;
  #objects = 0;
  #steps = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(id: string, ledger: Ledger, place: () => Place | undefined) {
    this.#id = id;
    this.#ledger = ledger;
    this.#place = place;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const place = this.#place();
      if (place === undefined) {
        await systemClock.sleep(retryMs);
        continue;
      }
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ...place.tls });
      try {
        while (!this.#stopped && this.#place() === place) await this.#step({ agent, port: place.port });
      } finally {
        agent.destroy();
      }
    }
  }

  async #step(to: { agent: Agent; port: number }): Promise<void> {
    const name = `${this.#id}-${this.#objects}`;
    const { value: before, revision = "" } = this.#ledger.held.get(name) ?? { value: undefined };
    const step = this.#steps++;
    const value = before !== undefined && step % 7 === 0 ? undefined : `${this.#id} ${step}`;
    const metadata = {
      name,
      labels: { [label]: "true" },
      ...(before === undefined ? {} : { resourceVersion: revision }),
    };
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { value, filler: "x".repeat(800) } };
    const [method, path] = methodOf(name, before, value);
    this.#ledger.unanswered.set(name, { value, revision: undefined });
    try {
      const answer = await sendThrough({ ...to, method, path }, value === undefined ? {} : { body });
      if (answer.status >= 500 || answer.status === 429) throw new Error(answer.text);
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      this.#ledger.acknowledged(name, value, answer);
      this.#ledger.unanswered.delete(name);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // Nobody knows what came of it, and it may still come: the object is left alone from now on.
      this.#objects++;
      await systemClock.sleep(retryMs);
    }
  }
}

function methodOf(name: string, before: string | undefined, value: string | undefined): [string, string] {
  if (before === undefined) return ["POST", collection];
  return [value === undefined ? "DELETE" : "PUT", `${collection}/${name}`];
}

/** Follows by watches that begin where the last one ended, and keeps the objects as they are told. */
export class WatchFollower {
  readonly objects = new Map<string, ConfigMap>();
  readonly seen = new Set<string>();
  reconnects = 0;
  #revision = 0;
  #stopped = false;
  #cut: (() => void) | undefined;
  readonly #running: Promise<void>;

  constructor(place: () => Place | undefined, revision: string) {
    this.#revision = Number(revision);
    this.#running = this.#run(place);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cut?.();
    await this.#running;
  }

  async #run(place: () => Place | undefined): Promise<void> {
    while (!this.#stopped) {
      const now = place();
      if (now !== undefined) await this.#watch(now).catch(rethrowAssertion);
      this.reconnects++;
      await systemClock.sleep(retryMs);
    }
  }

  #watch({ port, tls }: Place): Promise<void> {
    const path = `${collection}?watch=true&labelSelector=${label}&resourceVersion=${this.#revision}`;
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, path, ...tls, agent: false }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`a watch was answered ${response.statusCode}`));
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          const lines = (rest + chunk).split("\n");
          rest = lines.pop() ?? "";
          try {
            for (const line of lines) this.#take(JSON.parse(line));
          } catch (error) {
            sent.destroy();
            reject(error);
          }
        });
        response.on("error", reject);
        response.on("end", resolve);
      });
      this.#cut = () => sent.destroy();
      sent.on("error", reject);
      sent.end();
    });
  }

  #take({ type, object }: { type: string; object: ConfigMap }): void {
    // A watch that is told to start again is no loss; one that cannot go on from where it was is.
    if (type === "ERROR") {
      assert.ok(!JSON.stringify(object).includes("Expired"), `history is gone: ${JSON.stringify(object)}`);
      throw new Error(JSON.stringify(object));
    }
    const { name, resourceVersion } = object.metadata;
    const revision = Number(resourceVersion);
    assert.ok(revision > this.#revision, `${type} of ${name} at ${revision} after ${this.#revision}`);
    assert.equal(type === "ADDED", !this.objects.has(name), `${type} of ${name}, which the watcher knew otherwise`);
    this.#revision = revision;
    this.seen.add(resourceVersion);
    if (type === "DELETED") this.objects.delete(name);
    else this.objects.set(name, object);
  }

  /** Resolves when what it knows is what the list says. */
  async caughtUp(items: readonly ConfigMap[], patienceMs: number): Promise<void> {
    const wanted = spell(items);
    const deadlineMs = systemClock.monotonicMs() + patienceMs;
    while (spell([...this.objects.values()]) !== wanted) {
      if (systemClock.monotonicMs() > deadlineMs) assert.equal(spell([...this.objects.values()]), wanted);
      await systemClock.sleep(retryMs);
    }
  }
}

function spell(items: readonly ConfigMap[]): string {
  const lines = items.map(({ metadata, data }) => `${metadata.name}@${metadata.resourceVersion}=${data?.value}`);
  return lines.toSorted().join("\n");
}

function rethrowAssertion(error: unknown): void {
  if (error instanceof assert.AssertionError) throw error;
}

/** The objects there are. */
export async function listed({ port, tls }: Place): Promise<{ items: ConfigMap[]; revision: string }> {
  const agent = new Agent(tls);
  try {
    const answer = await sendThrough({ agent, port, method: "GET", path: `${collection}?labelSelector=${label}` }, {});
    assert.equal(answer.status, 200, answer.text);
    const list = answer.json as unknown as { items: ConfigMap[]; metadata: { resourceVersion: string } };
    return { items: list.items, revision: list.metadata.resourceVersion };
  } finally {
    agent.destroy();
  }
}

/** Ends a run: every acknowledged write was told to every watcher once, and what they know is what is there. */
export async function checkAll(ledger: Ledger, followers: readonly WatchFollower[], place: Place): Promise<void> {
  const { items } = await listed(place);
  ledger.check(items);
  for (const follower of followers) {
    await follower.caughtUp(items, 20_000);
    for (const revision of ledger.revisions)
      assert.ok(follower.seen.has(revision), `revision ${revision} was not told`);
    await follower.stop();
  }
}
