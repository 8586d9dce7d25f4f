import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOf } from "./digest.ts";
import { ImagePuller, type PullProgress } from "./pull.ts";
import { keyringOf } from "./registry/keyring.ts";
import { ociIndex, ociManifest } from "./registry/manifest.ts";
import type { RegistrySettings } from "./registry/transport.ts";
import { ImageStore } from "./store/store.ts";
import { listing } from "./testing/conversion.ts";
import { startRegistry, type TestRegistry, testToolsMissing } from "./testing/registry.ts";
import { blobsOf, type TestImage, testImage, writeLayout } from "./testing/image.ts";
import { TestClock } from "./testing/clock.ts";

const scratch = mkdtempSync(join(tmpdir(), "pull-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
let stores = 0;

async function newStore(clock?: TestClock): Promise<ImageStore> {
  stores += 1;
  return ImageStore.open({ dir: join(scratch, `store${stores}`), ...(clock === undefined ? {} : { clock }) });
}

interface Blob {
  readonly bytes: Buffer;
  readonly type: string;
}

type Twist = (request: IncomingMessage, response: ServerResponse, blob: Blob) => boolean;

/** A registry that lies where it is told to. Good manners otherwise, ranges too. */
class LyingRegistry {
  readonly requests: string[] = [];
  readonly manifests = new Map<string, Blob>();
  blobs = new Map<string, Blob>();
  twist: Twist | undefined;
  down = false;
  readonly #server: Server;
  host = "";

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.host = typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  offer(tag: string, image: TestImage): void {
    const manifest = { bytes: image.manifest, type: ociManifest };
    this.manifests.set(tag, manifest).set(image.digest, manifest);
    for (const bytes of blobsOf(image)) this.blobs.set(digestOf(bytes), { bytes, type: "application/octet-stream" });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    if (this.down) return void request.socket.destroy();
    const [, kind = "", which = ""] = /\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? "") ?? [];
    const blob = (kind === "manifests" ? this.manifests : this.blobs).get(which);
    if (blob === undefined) return void response.writeHead(404).end();
    if (this.twist?.(request, response, blob) === true) return;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = start > 0 ? { "content-range": `bytes ${start}-${blob.bytes.length - 1}/${blob.bytes.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, {
      "content-type": blob.type,
      "content-length": blob.bytes.length - start,
      ...range,
    });
    response.end(blob.bytes.subarray(start));
  }
}

const running: LyingRegistry[] = [];
after(() => {
  for (const registry of running) registry.stop();
});

async function lyingRegistry(): Promise<LyingRegistry> {
  const registry = await new LyingRegistry().start();
  running.push(registry);
  return registry;
}

const big = randomBytes(300_000).toString("latin1");
const lower = [
  { path: "etc/", type: "5" },
  { path: "etc/x", content: "one" },
];
const upper = [
  { path: "etc/x", content: "two" },
  { path: "big", content: big },
];
const image = testImage([lower, upper], { Cmd: ["/x"] });
const bigLayer = digestOf(image.layers[1] ?? Buffer.alloc(0));

async function lying(
  work: (registry: LyingRegistry, store: ImageStore, puller: ImagePuller, clock: TestClock) => Promise<void>,
) {
  const registry = await lyingRegistry();
  const clock = new TestClock();
  const store = await newStore(clock);
  const pace = { stallMs: 2_000, leastBytes: 65_536, tries: 3, retryMs: 10 };
  const puller = new ImagePuller({
    store,
    clock,
    pace,
    settings: { insecure: [registry.host] },
    platform: { os: "linux", architecture: "amd64" },
  });
  registry.offer("v1", image);
  try {
    await work(registry, store, puller, clock);
  } finally {
    puller.close();
  }
}

test("pull() brings an image by tag and by digest, and records both names", async () => {
  await lying(async (registry, store, puller) => {
    const found = await puller.pull({ image: `${registry.host}/app:v1` });
    assert.deepEqual(found.names, [`${registry.host}/app:v1`, `${registry.host}/app@${image.digest}`]);
    assert.deepEqual(found.config.cmd, ["/x"]);
    assert.deepEqual(await listing(found.erofsPath), { etc: "directory", "etc/x": "file two", big: `file ${big}` });
    const blobs = registry.requests.filter((line) => line.includes("/blobs/")).length;
    assert.equal(blobs, 3);
    await puller.pull({ image: `${registry.host}/app@${image.digest}` });
    assert.equal(
      registry.requests.filter((line) => line.includes("/blobs/")).length,
      blobs,
      "nothing is fetched twice",
    );
    assert.equal((await store.find(image.digest))?.manifest.digest, image.digest);
  });
});

test("pull() of an index takes this platform's image and keeps the index's digest as a name", async () => {
  await lying(async (registry, _store, puller) => {
    const entry = {
      mediaType: ociManifest,
      digest: image.digest,
      size: image.manifest.length,
      platform: { os: "linux", architecture: "amd64" },
    };
    const other = { ...entry, digest: digestOf("other"), platform: { os: "windows", architecture: "amd64" } };
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [other, entry] }));
    registry.manifests.set("multi", { bytes: index, type: ociIndex });
    const found = await puller.pull({ image: `${registry.host}/app:multi` });
    assert.equal(found.manifest.digest, image.digest);
    assert.ok(found.names.includes(`${registry.host}/app@${digestOf(index)}`));
  });
});

test("indexes within indexes without end are refused", async () => {
  await lying(async (registry, _store, puller) => {
    const self = { schemaVersion: 2, mediaType: ociIndex, manifests: [] as unknown[] };
    let bytes = Buffer.from(JSON.stringify(self));
    for (let depth = 0; depth < 8; depth++) {
      registry.manifests.set(digestOf(bytes), { bytes, type: ociIndex });
      const entry = {
        mediaType: ociIndex,
        digest: digestOf(bytes),
        size: bytes.length,
        platform: { os: "linux", architecture: "amd64" },
      };
      bytes = Buffer.from(JSON.stringify({ ...self, manifests: [entry] }));
    }
    registry.manifests.set("deep", { bytes, type: ociIndex });
    await assert.rejects(puller.pull({ image: `${registry.host}/app:deep` }), {
      fault: "Refused",
      message: /indexes within indexes/,
    });
  });
});

test("a manifest that is not the digest asked for is refused and nothing is kept", async () => {
  await lying(async (registry, store, puller) => {
    registry.manifests.set(image.digest, {
      bytes: Buffer.concat([image.manifest, Buffer.from(" ")]),
      type: ociManifest,
    });
    await assert.rejects(puller.pull({ image: `${registry.host}/app@${image.digest}` }), {
      fault: "Refused",
      message: /another manifest/,
    });
    assert.deepEqual(await store.list(), []);
  });
});

test("a blob of other bytes is tried once more, then refused, and never cached", async () => {
  await lying(async (registry, store, puller, clock) => {
    const right = registry.blobs.get(bigLayer);
    assert.ok(right);
    const wrong = Buffer.from(right.bytes);
    wrong.writeUInt8(wrong.readUInt8(wrong.length >> 1) ^ 1, wrong.length >> 1);
    registry.blobs.set(bigLayer, { ...right, bytes: wrong });
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), { fault: "Refused" });
    assert.equal(registry.requests.filter((line) => line.includes(bigLayer)).length, 2);
    assert.equal(await store.blobs.has(bigLayer), false);
    assert.deepEqual(
      readdirSync(join(store.dir, "partial")).filter((name) => name.includes(bigLayer.slice(7))),
      [],
    );
    registry.blobs.set(bigLayer, right);
    clock.jump(11_000);
    await puller.pull({ image: `${registry.host}/app:v1` });
  });
});

test("a blob longer than the manifest says is cut off", async () => {
  await lying(async (registry, store, puller) => {
    registry.twist = (request, response, blob) => {
      if (!request.url?.includes(bigLayer)) return false;
      response.writeHead(200);
      response.write(blob.bytes);
      const more = () => !request.socket.destroyed && response.write(Buffer.alloc(65_536), more);
      more();
      return true;
    };
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), { fault: "Refused", message: /more than/ });
    assert.equal(await store.blobs.has(bigLayer), false);
  });
});

test("a manifest without end is cut off", async () => {
  await lying(async (registry, _store, puller) => {
    registry.twist = (request, response) => {
      if (!request.url?.includes("/manifests/")) return false;
      response.writeHead(200);
      const more = () => !request.socket.destroyed && response.write(Buffer.alloc(1 << 20, " "), more);
      more();
      return true;
    };
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), {
      fault: "Unavailable",
      message: /more than/,
    });
  });
});

test("a download that breaks off goes on where it was", async () => {
  await lying(async (registry, _store, puller) => {
    let broken = 0;
    registry.twist = (request, response, blob) => {
      if (!request.url?.includes(bigLayer) || broken > 0) return false;
      broken += 1;
      response.writeHead(200, { "content-length": blob.bytes.length });
      response.write(blob.bytes.subarray(0, 100_000), () => request.socket.destroy());
      return true;
    };
    const progress: PullProgress[] = [];
    const found = await puller.pull({
      image: `${registry.host}/app:v1`,
      onProgress: (step) => void progress.push(step),
    });
    assert.equal((await listing(found.erofsPath))["big"], `file ${big}`);
    const ranges = registry.requests.filter((line) => line.includes(bigLayer));
    assert.equal(ranges.length, 2);
    assert.match(ranges[1] ?? "", /bytes=[1-9]\d*-$/);
    assert.equal(progress.at(-1)?.phase, "converting");
    const total = image.layers.reduce((sum, { length }) => sum + length, 0);
    assert.ok(progress.some(({ phase, bytes }) => phase === "downloading" && bytes === total));
  });
});

test("a download that another pull began is resumed, also by another process' store", async () => {
  await lying(async (registry, store, puller) => {
    registry.twist = (request, response, blob) => {
      if (!request.url?.includes(bigLayer)) return false;
      const start = Number(/(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, { "content-range": `bytes ${start}-/*` });
      response.write(blob.bytes.subarray(start, start + 50_000), () => request.socket.destroy());
      return true;
    };
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), { fault: "Unavailable" });
    registry.twist = undefined;
    registry.requests.length = 0;
    const again = await ImageStore.open({ dir: store.dir });
    const second = new ImagePuller({
      store: again,
      settings: { insecure: [registry.host] },
      platform: { os: "linux", architecture: "amd64" },
    });
    await second.pull({ image: `${registry.host}/app:v1` });
    second.close();
    const line = registry.requests.find((request) => request.includes(bigLayer)) ?? "";
    assert.ok(Number(/bytes=(\d+)-/.exec(line)?.[1]) >= 100_000, line);
  });
});

test("a registry that answers a range with the whole is understood", async () => {
  await lying(async (registry, _store, puller) => {
    let tries = 0;
    registry.twist = (request, response, blob) => {
      if (!request.url?.includes(bigLayer)) return false;
      tries += 1;
      response.writeHead(200, { "content-length": blob.bytes.length });
      if (tries === 1) response.write(blob.bytes.subarray(0, 100_000), () => request.socket.destroy());
      else response.end(blob.bytes);
      return true;
    };
    await puller.pull({ image: `${registry.host}/app:v1` });
    assert.equal(tries, 2);
  });
});

test("a registry that sends a byte now and then is given up as stalled", async () => {
  await lying(async (registry, store, puller, clock) => {
    registry.twist = (request, response) => {
      if (!request.url?.includes(bigLayer)) return false;
      response.writeHead(200);
      const drip = () => {
        if (request.socket.destroyed) return;
        response.write("x");
        clock.advance(1_000);
        setImmediate(drip);
      };
      drip();
      return true;
    };
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), { fault: "Stalled" });
    assert.equal(await store.blobs.has(bigLayer), false);
  });
});

test("a registry that never answers is given up as stalled", async () => {
  await lying(async (registry, _store, puller, clock) => {
    registry.twist = () => {
      setImmediate(() => clock.advance(31_000));
      return true;
    };
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v1` }), { fault: "Stalled" });
  });
});

test("with the registry down, what is here by digest starts, and everything else backs off from 10 s to 300 s", async () => {
  await lying(async (registry, _store, puller, clock) => {
    const byDigest = `${registry.host}/app@${image.digest}`;
    await puller.pull({ image: byDigest });
    registry.down = true;
    assert.equal((await puller.pull({ image: byDigest })).manifest.digest, image.digest);
    const waits: number[] = [];
    for (let tries = 0; tries < 8; tries++) {
      await assert.rejects(puller.pull({ image: `${registry.host}/app:v2` }), { fault: "Unavailable" });
      const seen = registry.requests.length;
      await assert.rejects(
        puller.pull({ image: `${registry.host}/app:v2` }),
        (error: { fault: string; retryAfterMs: number }) => {
          assert.equal(error.fault, "BackOff");
          waits.push(Math.round(error.retryAfterMs / 1000));
          return true;
        },
      );
      assert.equal(registry.requests.length, seen, "backing off asks nothing");
      clock.jump((waits.at(-1) ?? 0) * 1000 + 100);
    }
    assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300, 300]);
  });
});

test("pulls of the same image at once share one download", async () => {
  await lying(async (registry, _store, puller) => {
    const wish = { image: `${registry.host}/app:v1` };
    const found = await Promise.all([puller.pull(wish), puller.pull(wish), puller.pull(wish)]);
    assert.equal(new Set(found.map(({ erofsPath }) => erofsPath)).size, 1);
    assert.equal(registry.requests.filter((line) => line.includes(bigLayer)).length, 1);
  });
});

test("one who stops waiting does not stop the others; the last one does", async () => {
  await lying(async (registry, store, puller) => {
    const gate = Promise.withResolvers<void>();
    let seen = 0;
    registry.twist = (request, response, blob) => {
      if (!request.url?.includes(bigLayer)) return false;
      seen += 1;
      void gate.promise.then(() => response.writeHead(200).end(blob.bytes));
      return true;
    };
    const first = new AbortController();
    const wish = { image: `${registry.host}/app:v1` };
    const left = puller.pull({ ...wish, signal: first.signal });
    const stays = puller.pull(wish);
    while (seen === 0) await new Promise((resolve) => setImmediate(resolve));
    first.abort(new Error("gone"));
    await assert.rejects(left, /gone/);
    gate.resolve();
    await stays;
    assert.equal((await store.list()).length, 1);
  });
});

test("an image that breaks a rule is refused, keeps no image, and frees its scratch space", async () => {
  await lying(async (registry, store, puller) => {
    registry.offer("evil", testImage([[{ path: "../../x", content: "evil" }]]));
    await assert.rejects(puller.pull({ image: `${registry.host}/app:evil` }), {
      fault: "Refused",
      message: /leaves the image/,
    });
    assert.deepEqual(
      [await store.list(), readdirSync(join(store.dir, "erofs")), readdirSync(store.workDir)],
      [[], [], []],
    );
  });
});

test("a config that names another image's layers does not get them", async () => {
  await lying(async (registry, store, puller) => {
    const secret = await puller.pull({ image: `${registry.host}/app:v1` });
    const thief = testImage([[{ path: "mine", content: "x" }], [{ path: "also", content: "y" }]]);
    const stolen = Buffer.from(
      thief.config.toString().replace(/"diff_ids":\[[^\]]*\]/, `"diff_ids":${JSON.stringify(secret.config.diffIds)}`),
    );
    const manifest = Buffer.from(
      thief.manifest
        .toString()
        .replace(digestOf(thief.config), digestOf(stolen))
        .replace(`"size":${thief.config.length}`, `"size":${stolen.length}`),
    );
    registry.offer("thief", thief);
    registry.blobs.set(digestOf(stolen), { bytes: stolen, type: "" });
    registry.manifests.set("thief", { bytes: manifest, type: ociManifest });
    await assert.rejects(puller.pull({ image: `${registry.host}/app:thief` }), {
      fault: "Refused",
      message: /expands to/,
    });
    assert.equal((await store.list()).length, 1);
  });
});

test("another registry that names a blob it does not have gets nothing of what is here", async () => {
  await lying(async (registry, _store, puller) => {
    await puller.pull({ image: `${registry.host}/app:v1` });
    const other = await lyingRegistry();
    other.manifests.set("v1", { bytes: image.manifest, type: ociManifest });
    const thief = new ImagePuller({
      store: _store,
      settings: { insecure: [other.host] },
      platform: { os: "linux", architecture: "amd64" },
    });
    await assert.rejects(thief.pull({ image: `${other.host}/app:v1` }), { fault: "NotFound" });
    thief.close();
  });
});

test("mirrors are asked first, and the registry itself where they fail", async () => {
  await lying(async (registry, store) => {
    const mirror = await lyingRegistry();
    mirror.offer("v1", image);
    const settings: RegistrySettings = {
      insecure: [registry.host, mirror.host],
      mirrors: { [registry.host]: [`http://${mirror.host}/cache`] },
    };
    const puller = new ImagePuller({ store, settings, platform: { os: "linux", architecture: "amd64" } });
    await puller.pull({ image: `${registry.host}/app:v1` });
    assert.equal(registry.requests.length, 0);
    assert.ok(
      mirror.requests.every(
        (line) => line.startsWith("GET /cache/v2/app/") && line.includes(`?ns=${encodeURIComponent(registry.host)}`),
      ),
    );
    mirror.down = true;
    const newer = testImage([[{ path: "new", content: "new" }]]);
    registry.offer("v2", newer);
    assert.equal((await puller.pull({ image: `${registry.host}/app:v2` })).manifest.digest, newer.digest);
    puller.close();
  });
});

test("a token is fetched where the challenge says, with the pull secret, and used", async () => {
  await lying(async (registry, _store, puller) => {
    const asked: string[] = [];
    registry.twist = (request, response) => {
      if (request.headers.authorization === "Bearer good") return false;
      response.writeHead(401, {
        "www-authenticate": `Bearer realm="http://${registry.host}/token/manifests/token",service="reg",scope="repository:app:pull"`,
      });
      response.end();
      return true;
    };
    registry.manifests.set("token", {
      bytes: Buffer.from('{"token":"good","expires_in":300}'),
      type: "application/json",
    });
    const challenge = registry.twist;
    registry.twist = (request, response, blob) => {
      if (!request.url?.startsWith("/token")) return challenge(request, response, blob);
      asked.push(`${request.url} ${request.headers.authorization}`);
      return false;
    };
    const auth = Buffer.from("me:secret").toString("base64");
    const keyring = keyringOf([JSON.stringify({ auths: { [registry.host]: { auth } } })]);
    await puller.pull({ image: `${registry.host}/app:v1`, keyring });
    assert.equal(asked.length, 1);
    assert.equal(asked[0], `/token/manifests/token?service=reg&scope=repository%3Aapp%3Apull&account=me Basic ${auth}`);
  });
});

test("an identity token is traded for an access token at every pull", async () => {
  await lying(async (registry, _store, puller, clock) => {
    const asked: string[] = [];
    const realm = `http://${registry.host}/token/manifests/token`;
    registry.twist = (request, response) => {
      if (request.method === "POST") {
        let body = "";
        request.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        request.on("end", () => {
          asked.push(body);
          response.end(JSON.stringify({ access_token: `t${asked.length}`, expires_in: 60 }));
        });
        return true;
      }
      if (request.headers.authorization === `Bearer t${asked.length}`) return false;
      response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="reg"` }).end();
      return true;
    };
    registry.manifests.set("token", { bytes: Buffer.alloc(0), type: "" });
    const keyring = keyringOf([JSON.stringify({ auths: { [registry.host]: { identitytoken: "refresh" } } })]);
    await puller.pull({ image: `${registry.host}/app:v1`, keyring });
    clock.jump(61_000);
    registry.offer("v2", testImage([lower], { Cmd: ["2"] }));
    await puller.pull({ image: `${registry.host}/app:v2`, keyring });
    const want =
      "grant_type=refresh_token&refresh_token=refresh&client_id=atoll&service=reg&scope=repository%3Aapp%3Apull";
    assert.deepEqual(asked, [want, want]);
  });
});

test("a proxy of the given environment is used", async () => {
  await lying(async (proxy, store) => {
    const settings = {
      mirrors: { "registry.invalid": ["http://mirror.invalid"] },
      proxyEnvironment: { HTTP_PROXY: `http://${proxy.host}` },
    };
    const puller = new ImagePuller({ store, settings, platform: { os: "linux", architecture: "amd64" } });
    await puller.pull({ image: "registry.invalid/app:v1" });
    puller.close();
    assert.ok(proxy.requests.every((line) => line.startsWith("GET http://mirror.invalid/v2/app/")));
  });
});

test("credentials do not follow a redirect to another host, nor go to a token service without TLS", async () => {
  await lying(async (registry, store, puller) => {
    const elsewhere = await lyingRegistry();
    elsewhere.offer("v1", image);
    const seen: (string | undefined)[] = [];
    elsewhere.twist = (request) => {
      seen.push(request.headers.authorization);
      return false;
    };
    registry.twist = (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      else if (request.url?.includes("/blobs/"))
        response.writeHead(307, { location: `http://${elsewhere.host}${request.url}` }).end();
      else return false;
      return true;
    };
    const keyring = keyringOf([JSON.stringify({ auths: { [registry.host]: { username: "u", password: "p" } } })]);
    await puller.pull({ image: `${registry.host}/app:v1`, keyring });
    assert.deepEqual(new Set(seen), new Set([undefined]));
    registry.twist = (_request, response) => {
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${elsewhere.host}/token"` }).end();
      return true;
    };
    seen.length = 0;
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v2`, keyring }), { fault: "NotFound" });
    registry.manifests.set("v3", { bytes: image.manifest, type: ociManifest });
    await assert.rejects(puller.pull({ image: `${registry.host}/app:v3`, keyring }), {
      fault: "Unauthorized",
      message: /trusted/,
    });
    assert.deepEqual(seen, []);
    assert.equal((await store.list()).length, 1);
  });
});

test("a name that is none is refused before anything is asked", async () => {
  await lying(async (registry, _store, puller) => {
    await assert.rejects(puller.pull({ image: "Not A Name" }), { fault: "InvalidName" });
    assert.equal(registry.requests.length, 0);
  });
});

const missing = testToolsMissing(["docker-registry", "skopeo", "openssl"]);

describe("Debian's docker-registry", missing === false ? {} : { skip: missing }, () => {
  let registry: TestRegistry;
  let settings: RegistrySettings;
  const secret = () =>
    keyringOf([JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } })]);
  const skopeo = (...args: string[]) => execFileSync("skopeo", ["--insecure-policy", ...args], { stdio: "pipe" });

  before(async () => {
    const dir = join(scratch, "registry");
    mkdirSync(dir);
    const [key, certificate] = [join(dir, "key.pem"), join(dir, "cert.pem")];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=test",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        key,
        "-out",
        certificate,
      ],
      { stdio: "pipe" },
    );
    registry = await startRegistry({ dir, password: "me:secret", tls: { certificate, key } });
    settings = { authorities: { [registry.host]: readFileSync(certificate, "utf8") } };
    const layout = join(dir, "image");
    const made = testImage([[{ path: "hello", content: "from the registry" }]]);
    writeLayout(layout, made);
    const to = `docker://${registry.host}/team/app`;
    skopeo("copy", "--dest-creds", "me:secret", "--dest-tls-verify=false", `oci:${layout}`, `${to}:oci`);
    skopeo(
      "copy",
      "--dest-creds",
      "me:secret",
      "--dest-tls-verify=false",
      "--format",
      "v2s2",
      `oci:${layout}`,
      `${to}:docker`,
    );
  });
  after(() => registry?.stop());

  const puller = async (given: RegistrySettings = settings) => {
    const store = await newStore();
    return {
      store,
      puller: new ImagePuller({ store, settings: given, platform: { os: "linux", architecture: "amd64" } }),
    };
  };

  test("gives images of both manifest forms over TLS with a pull secret, by tag and digest", async () => {
    const { puller: one, store } = await puller();
    const oci = await one.pull({ image: `${registry.host}/team/app:oci`, keyring: secret() });
    const docker = await one.pull({ image: `${registry.host}/team/app:docker`, keyring: secret() });
    assert.notEqual(oci.manifest.digest, docker.manifest.digest);
    assert.equal(oci.manifest.mediaType, ociManifest);
    assert.match(docker.manifest.mediaType, /docker/);
    assert.equal(oci.erofsPath, docker.erofsPath);
    assert.deepEqual(await listing(oci.erofsPath), { hello: "file from the registry" });
    await store.remove(`${registry.host}/team/app:oci`);
    const again = await one.pull({ image: `${registry.host}/team/app@${oci.manifest.digest}`, keyring: secret() });
    assert.equal(again.manifest.digest, oci.manifest.digest);
    one.close();
  });

  test("refuses a wrong password, none at all, and a name it does not have", async () => {
    const wrong = keyringOf([JSON.stringify({ auths: { [registry.host]: { username: "me", password: "no" } } })]);
    const { puller: one } = await puller();
    const name = `${registry.host}/team/app:oci`;
    await assert.rejects(one.pull({ image: name, keyring: wrong }), { fault: "Unauthorized" });
    await assert.rejects(one.pull({ image: name }), { fault: "Unauthorized" });
    await assert.rejects(one.pull({ image: `${registry.host}/team/none`, keyring: secret() }), { fault: "NotFound" });
    one.close();
  });

  test("is not believed without its authority, unless it is on the list of insecure ones", async () => {
    const name = `${registry.host}/team/app:oci`;
    const { puller: strict } = await puller({});
    await assert.rejects(strict.pull({ image: name, keyring: secret() }), {
      fault: "Unavailable",
      message: /certificate/,
    });
    const { puller: lax } = await puller({ insecure: [registry.host] });
    await lax.pull({ image: name, keyring: secret() });
    strict.close();
    lax.close();
  });

  test("gives what it has to one of several secrets", async () => {
    const wrong = JSON.stringify({ auths: { [`${registry.host}/team`]: { username: "me", password: "no" } } });
    const right = JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } });
    const { puller: one } = await puller();
    await one.pull({ image: `${registry.host}/team/app:oci`, keyring: keyringOf([wrong, right]) });
    one.close();
  });
});
