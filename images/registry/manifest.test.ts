import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestOf } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { choose, type ImageIndex, ociConfig, ociLayer, ociManifest, parseManifest } from "./manifest.ts";

const digest = digestOf("x");
const config = { mediaType: ociConfig, digest, size: 5 };
const layer = { mediaType: `${ociLayer}+gzip`, digest, size: 7 };
const image = { schemaVersion: 2, mediaType: ociManifest, config, layers: [layer] };
const index = "application/vnd.oci.image.index.v1+json";
const entry = (os: string, architecture: string, variant?: string) => ({
  mediaType: ociManifest,
  digest: digestOf(os + architecture + variant),
  size: 1,
  platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
});
const parse = (value: unknown, type?: string) => parseManifest(Buffer.from(JSON.stringify(value)), type, defaultLimits);

test("parseManifest() reads an image of both forms", () => {
  assert.deepEqual(parse(image), { kind: "image", mediaType: ociManifest, config, layers: [layer] });
  const docker = {
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { ...config, mediaType: "application/vnd.docker.container.image.v1+json" },
    layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
  };
  assert.equal(parse(docker, docker.mediaType).kind, "image");
});

test("parseManifest() refuses what it should not trust", () => {
  const cases: [unknown, string][] = [
    [{ ...image, schemaVersion: 1 }, "Unsupported"],
    [{ ...image, mediaType: "text/html" }, "Unsupported"],
    [{ ...image, manifests: [] }, "Malformed"],
    [{ ...image, layers: Array.from({ length: 128 }, () => layer) }, "LimitExceeded"],
    [{ ...image, layers: [{ ...layer, size: 1e14 }] }, "LimitExceeded"],
    [{ ...image, layers: [{ ...layer, size: -1 }] }, "Malformed"],
    [{ ...image, layers: [{ ...layer, digest: "sha256:../../etc/passwd" }] }, "Malformed"],
    [
      { ...image, layers: [{ ...layer, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }] },
      "Unsupported",
    ],
    [{ ...image, layers: [{ ...layer, mediaType: `${ociLayer}+encrypted` }] }, "Unsupported"],
    [{ ...image, config: { ...config, mediaType: "application/vnd.cncf.helm.config.v1+json" } }, "Unsupported"],
    [{ ...image, config: { ...config, size: 1 << 30 } }, "LimitExceeded"],
    [{ ...image, layers: {} }, "Malformed"],
    [[], "Malformed"],
    [null, "Malformed"],
  ];
  for (const [value, code] of cases)
    assert.throws(() => parse(value), { name: "ImageRefused", code }, JSON.stringify(value).slice(0, 200));
  assert.throws(() => parse(image, index), { code: "Malformed" });
  assert.throws(() => parseManifest(Buffer.from("<html>"), undefined, defaultLimits), { code: "Malformed" });
  assert.throws(() => parseManifest(Buffer.alloc(5 << 20), undefined, defaultLimits), { code: "LimitExceeded" });
});

test("choose() takes the platform's image, by variant where there are several, and never an attestation", () => {
  const found = parse({
    schemaVersion: 2,
    mediaType: index,
    manifests: [
      entry("unknown", "unknown"),
      entry("linux", "arm", "v6"),
      entry("linux", "arm", "v7"),
      entry("linux", "amd64"),
    ],
  }) as ImageIndex;
  assert.equal(choose(found, { os: "linux", architecture: "amd64" }).digest, digestOf("linuxamd64undefined"));
  assert.equal(choose(found, { os: "linux", architecture: "arm", variant: "v7" }).digest, digestOf("linuxarmv7"));
  assert.equal(choose(found, { os: "linux", architecture: "arm", variant: "v9" }).digest, digestOf("linuxarmv6"));
  assert.throws(() => choose(found, { os: "linux", architecture: "riscv64" }), {
    code: "Unsupported",
    message: /linux\/amd64/,
  });
});

test("parseManifest() answers any JSON with a manifest or a refusal", () => {
  const odd = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        schemaVersion: fc.constant(2),
        mediaType: fc.constantFrom(ociManifest, index),
        config: fc.jsonValue(),
        layers: fc.jsonValue(),
        manifests: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(odd, (value) => {
      try {
        parse(value);
      } catch (error) {
        assert.ok(error instanceof ImageRefused, String(error));
      }
    }),
  );
});
