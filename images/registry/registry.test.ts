import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ImagePuller } from "../pull.ts";
import { ImageStore } from "../store/store.ts";
import { listing } from "../testing/conversion.ts";
import { testImage, writeLayout } from "../testing/image.ts";
import { startRegistry, type TestRegistry, testToolsMissing } from "../testing/registry.ts";
import { keyringOf } from "./keyring.ts";
import { ociManifest } from "./manifest.ts";
import type { RegistrySettings } from "./transport.ts";

const scratch = mkdtempSync(join(tmpdir(), "registry-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const platform = { os: "linux", architecture: "amd64" };
const missing = testToolsMissing(["docker-registry", "skopeo", "openssl"]);

describe("Debian's docker-registry", missing === false ? {} : { skip: missing }, () => {
  let registry: TestRegistry;
  let settings: RegistrySettings;
  const secret = () =>
    keyringOf([{ config: JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } }) }]);
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
    const store = await ImageStore.open({ dir: mkdtempSync(join(scratch, "store")) });
    return {
      store,
      puller: new ImagePuller({ store, settings: given, platform }),
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
    const wrong = keyringOf([
      { config: JSON.stringify({ auths: { [registry.host]: { username: "me", password: "no" } } }) },
    ]);
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
      message: /nobody whom this host trusts vouches for its certificate; name who does under authorities/,
    });
    const { puller: lax } = await puller({ insecure: [registry.host] });
    await lax.pull({ image: name, keyring: secret() });
    strict.close();
    lax.close();
  });

  test("is believed by what a pull secret says of it, for images by digest alone", async () => {
    const name = `${registry.host}/team/app:oci`;
    const { puller: settled } = await puller();
    const { digest } = (await settled.pull({ image: name, keyring: secret() })).manifest;
    const { puller: strict } = await puller({});
    const config = JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } });
    const vouched = keyringOf([{ config, authority: settings.authorities?.[registry.host] }]);
    const byDigest = `${registry.host}/team/app@${digest}`;
    await assert.rejects(strict.pull({ image: byDigest, keyring: secret() }), { fault: "Unavailable" });
    await assert.rejects(strict.pull({ image: name, keyring: vouched }), { fault: "Unavailable" });
    assert.equal((await strict.pull({ image: byDigest, keyring: vouched })).manifest.digest, digest);
    settled.close();
    strict.close();
  });

  test("gives what it has to one of several secrets", async () => {
    const wrong = JSON.stringify({ auths: { [`${registry.host}/team`]: { username: "me", password: "no" } } });
    const right = JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } });
    const { puller: one } = await puller();
    await one.pull({
      image: `${registry.host}/team/app:oci`,
      keyring: keyringOf([{ config: wrong }, { config: right }]),
    });
    one.close();
  });
});
