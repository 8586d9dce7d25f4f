/**
 * What the API does, as stories that run on any store and through any number of servers on it: each request of a story
 * goes to the next server, so what one does the others must show.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request as httpsRequest } from "node:https";
import type { Answer, Harness, SendOptions } from "@atoll/harness/server";

/** A request whose outcome the store could not tell: the story is to be told again, about other objects. */
class Unsure extends Error {
  override readonly name = "Unsure";
}

/** Tells one story, about objects of its own. */
class Teller {
  readonly name = `s-${randomUUID().slice(0, 8)}`;
  readonly #servers: readonly Harness[];
  #next = 0;

  constructor(servers: readonly Harness[]) {
    this.#servers = servers;
  }

  /** The server whose turn it is. */
  server(): Harness {
    const server = this.#servers[this.#next++ % this.#servers.length];
    assert.ok(server !== undefined);
    return server;
  }

  async send(code: number, method: string, path: string, options: SendOptions = {}): Promise<Answer & { body: Body }> {
    const answer = await this.server().send(method, path, options);
    if (answer.status >= 500 && code < 500) throw new Unsure(`${method} ${path}: ${answer.status} ${answer.text}`);
    assert.equal(answer.status, code, `${method} ${path}: ${answer.text}`);
    return { ...answer, body: answer.json as unknown as Body };
  }

  async made(collection: string, data: object = {}, metadata: object = {}): Promise<Body> {
    const body = { metadata: { name: this.name, ...metadata }, ...data };
    return (await this.send(201, "POST", collection, { body })).body;
  }
}

/** Any object or list, as far as stories look. */
interface Body {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly items?: readonly Body[];
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

type Story = (teller: Teller) => Promise<void>;

const maps = "/api/v1/namespaces/default/configmaps";
const merge = "application/merge-patch+json";
const apply = "application/apply-patch+yaml";

/** The stories by their names. */
export const stories: Readonly<Record<string, Story>> = {
  async "an object is made, read, replaced at its revision and no other, and deleted"(teller) {
    const path = `${maps}/${teller.name}`;
    const first = await teller.made(maps, { data: { v: "1" } });
    assert.deepEqual((await teller.send(200, "GET", path)).body, first);
    await teller.send(409, "POST", maps, { body: { metadata: { name: teller.name } } });
    const second = (await teller.send(200, "PUT", path, { body: { ...first, data: { v: "2" } } })).body;
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    await teller.send(409, "PUT", path, { body: { ...first, data: { v: "3" } } });
    await teller.send(409, "DELETE", path, { body: { preconditions: { uid: "another" } } });
    await teller.send(200, "DELETE", path);
    await teller.send(404, "GET", path);
  },

  async "each kind of patch changes what it names"(teller) {
    const path = `${maps}/${teller.name}`;
    await teller.made(maps, { data: { a: "1", b: "1" } });
    const send = (contentType: string, body: unknown, query = "") =>
      teller.send(200, "PATCH", path + query, { contentType, body });
    await send(merge, { data: { a: "2" } });
    await send("application/strategic-merge-patch+json", { data: { b: null } });
    await send("application/json-patch+json", [{ op: "add", path: "/data/c", value: "3" }]);
    const frame = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: teller.name } };
    const { body } = await send(apply, { ...frame, data: { d: "4" } }, "?fieldManager=one");
    assert.deepEqual(body.data, { a: "2", c: "3", d: "4" });
    const taken = { contentType: apply, body: { ...frame, data: { d: "5" } } };
    await teller.send(409, "PATCH", `${path}?fieldManager=two`, taken);
    await teller.send(200, "PATCH", `${path}?fieldManager=two&force=true`, taken);
  },

  async "a dry run changes nothing"(teller) {
    const path = `${maps}/${teller.name}`;
    await teller.send(201, "POST", `${maps}?dryRun=All`, { body: { metadata: { name: teller.name } } });
    await teller.send(404, "GET", path);
    const made = await teller.made(maps, { data: { v: "1" } });
    await teller.send(200, "PATCH", `${path}?dryRun=All`, { contentType: merge, body: { data: { v: "2" } } });
    await teller.send(200, "DELETE", `${path}?dryRun=All`);
    assert.deepEqual((await teller.send(200, "GET", path)).body, made);
  },

  async "a list in pages shows one moment"(teller) {
    const labels = { story: teller.name };
    const names = [1, 2, 3, 4, 5].map((i) => `${teller.name}-${i}`);
    for (const name of names) await teller.made(maps, {}, { name, labels });
    const list = `${maps}?labelSelector=story%3D${teller.name}&limit=2`;
    const first = (await teller.send(200, "GET", list)).body;
    await teller.send(200, "DELETE", `${maps}/${teller.name}-5`);
    await teller.made(maps, {}, { name: `${teller.name}-6`, labels });
    const told = [...(first.items ?? [])];
    for (let page = first; page.metadata.continue; ) {
      const query = `&continue=${encodeURIComponent(page.metadata.continue)}`;
      page = (await teller.send(200, "GET", list + query)).body;
      told.push(...(page.items ?? []));
    }
    assert.deepEqual(
      told.map(({ metadata }) => metadata.name),
      names,
    );
    const now = (await teller.send(200, "GET", `${maps}?labelSelector=story%3D${teller.name}`)).body;
    assert.deepEqual(
      now.items?.map(({ metadata }) => metadata.name),
      [...names.slice(0, 4), `${teller.name}-6`],
    );
  },

  async "a watch tells what followed a revision, whoever did it, in order"(teller) {
    const made = await teller.made(maps, { data: { v: "1" } });
    const path = `${maps}/${teller.name}`;
    const body = { data: { v: "2" } };
    await teller.send(200, "PATCH", path, { contentType: merge, body });
    await teller.send(200, "DELETE", path);
    const query = `?watch=true&fieldSelector=metadata.name%3D${teller.name}&resourceVersion=${made.metadata.resourceVersion}`;
    const events = await watched(teller.server(), maps + query, 2);
    assert.deepEqual(
      events.map(({ type, object }) => [type, object.data?.["v"]]),
      [
        ["MODIFIED", "2"],
        ["DELETED", "2"],
      ],
    );
  },

  async "a streaming list tells the objects there are, then a bookmark that says so"(teller) {
    await teller.made(maps);
    const query = `?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`;
    const events = await watched(teller.server(), `${maps}${query}&fieldSelector=metadata.name%3D${teller.name}`, 2);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["ADDED", "BOOKMARK"],
    );
  },

  async "a finalizer holds an object until it is taken away"(teller) {
    const path = `${maps}/${teller.name}`;
    await teller.made(maps, {}, { finalizers: ["example.com/hold"] });
    await teller.send(200, "DELETE", path);
    assert.ok((await teller.send(200, "GET", path)).body.metadata.deletionTimestamp !== undefined);
    await teller.send(200, "PATCH", path, { contentType: merge, body: { metadata: { finalizers: null } } });
    await teller.send(404, "GET", path);
  },

  async "a collection is deleted by its selector"(teller) {
    for (const i of [1, 2, 3]) {
      await teller.made(maps, {}, { name: `${teller.name}-${i}`, labels: { story: i === 3 ? "other" : teller.name } });
    }
    await teller.send(200, "DELETE", `${maps}?labelSelector=story%3D${teller.name}`);
    await teller.send(404, "GET", `${maps}/${teller.name}-1`);
    await teller.send(200, "GET", `${maps}/${teller.name}-3`);
  },

  async "what is wrong is refused with its field, and nothing is stored"(teller) {
    const services = "/api/v1/namespaces/default/services";
    const body = { metadata: { name: teller.name }, spec: { ports: [{ port: 70_000 }] } };
    const { json } = await teller.send(422, "POST", services, { body });
    assert.match(JSON.stringify(json), /spec\.ports\[0\]\.port/);
    await teller.send(404, "GET", `${services}/${teller.name}`);
  },

  async "Services get addresses and node ports that no other has"(teller) {
    const services = "/api/v1/namespaces/default/services";
    const given = new Set<unknown>();
    for (const i of [1, 2, 3, 4]) {
      const spec = { type: "NodePort", ports: [{ port: 80 }] };
      const made = await teller.made(services, { spec }, { name: `${teller.name}-${i}` });
      const { clusterIP, ports = [] } = made.spec as { clusterIP: string; ports?: { nodePort: number }[] };
      given.add(clusterIP).add(ports[0]?.nodePort);
    }
    assert.equal(given.size, 8);
  },

  async "a status is written by its own path, and by no other"(teller) {
    const claims = "/api/v1/namespaces/default/pods";
    const spec = { containers: [{ name: "c", image: "i" }], serviceAccountName: "default" };
    await teller.send(201, "POST", claims, {
      body: { metadata: { name: teller.name }, spec: { ...spec, automountServiceAccountToken: false } },
    });
    const body = { status: { message: "told" } };
    await teller.send(200, "PATCH", `${claims}/${teller.name}`, { contentType: merge, body });
    const plain = (await teller.send(200, "GET", `${claims}/${teller.name}`)).json?.["status"];
    assert.equal((plain as { message?: string }).message, undefined);
    await teller.send(200, "PATCH", `${claims}/${teller.name}/status`, { contentType: merge, body });
    const told = (await teller.send(200, "GET", `${claims}/${teller.name}`)).json?.["status"];
    assert.equal((told as { message?: string }).message, "told");
  },
};

interface WatchEvent {
  readonly type: string;
  readonly object: Body;
}

/** The first events of a watch. */
function watched({ url, tls }: Harness, path: string, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(`${url}${path}`, { ...tls, agent: false }, (response) => {
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) events.push(JSON.parse(line) as WatchEvent);
        if (events.length < count) return;
        sent.destroy();
        resolve(events);
      });
      response.on("end", () => reject(new Unsure(`a watch ended after ${events.length} events: ${rest}`)));
    });
    sent.on("error", (error) => reject(events.length < count ? new Unsure(String(error)) : error));
    sent.end();
  });
}

const mostTellings = 6;

/**
 * Tells a story.
 * @param servers on one store; the default ServiceAccount is there
 * @param unsure whether requests may fail because the store is in trouble: the story is then told again from the start
 */
export async function tell(story: Story, servers: readonly Harness[], { unsure }: { unsure: boolean }): Promise<void> {
  for (let telling = 1; ; telling++) {
    try {
      return await story(new Teller(servers));
    } catch (error) {
      if (!unsure || !(error instanceof Unsure) || telling === mostTellings) throw error;
    }
  }
}
