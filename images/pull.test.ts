import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "./digest.ts";
import { ImagePuller, type PullProgress } from "./pull.ts";
import { ociIndex, ociManifest } from "./registry/manifest.ts";
import { ImageStore } from "./store/store.ts";
import { listing } from "./testing/conversion.ts";
import { testImage } from "./testing/image.ts";
import { big, bigLayer, image, lying, lyingRegistry, platform } from "./testing/lying.ts";

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
      platform,
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
        platform,
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
      platform,
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
      platform,
    });
    await assert.rejects(thief.pull({ image: `${other.host}/app:v1` }), { fault: "NotFound" });
    thief.close();
  });
});

test("a name that is none is refused before anything is asked", async () => {
  await lying(async (registry, _store, puller) => {
    await assert.rejects(puller.pull({ image: "Not A Name" }), { fault: "InvalidName" });
    assert.equal(registry.requests.length, 0);
  });
});
