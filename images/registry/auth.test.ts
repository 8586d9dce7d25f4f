import assert from "node:assert/strict";
import { test } from "node:test";
import { ImagePuller } from "../pull.ts";
import { image, lower, lying, lyingRegistry, platform } from "../testing/lying.ts";
import { testImage } from "../testing/image.ts";
import { keyringOf } from "./keyring.ts";
import { ociManifest } from "./manifest.ts";
import type { RegistrySettings } from "./transport.ts";

test("mirrors are asked first, and the registry itself where they fail", async () => {
  await lying(async (registry, store) => {
    const mirror = await lyingRegistry();
    mirror.offer("v1", image);
    const settings: RegistrySettings = {
      insecure: [registry.host, mirror.host],
      mirrors: { [registry.host]: [`http://${mirror.host}/cache`] },
    };
    const puller = new ImagePuller({ store, settings, platform });
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
    const keyring = keyringOf([{ config: JSON.stringify({ auths: { [registry.host]: { auth } } }) }]);
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
    const keyring = keyringOf([
      { config: JSON.stringify({ auths: { [registry.host]: { identitytoken: "refresh" } } }) },
    ]);
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
    const puller = new ImagePuller({ store, settings, platform });
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
    const keyring = keyringOf([
      { config: JSON.stringify({ auths: { [registry.host]: { username: "u", password: "p" } } }) },
    ]);
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
