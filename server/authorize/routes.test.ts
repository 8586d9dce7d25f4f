/**
 * Every route there is, asked for by somebody without a role and by nobody in particular. A route that is not in the
 * tables below, or answers somebody it should not, fails here.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { after } from "node:test";
import { builtinKinds } from "@atoll/api/catalog";
import type { Kind, Verb } from "@atoll/api/kind";
import { type As, startHarness } from "@atoll/harness/server";

const harness = await startHarness();
after(() => harness.close());
const somebody = await harness.user("somebody");
const nobody = harness.nobody();

/** Who may GET a path: anybody, whoever has a name, or whom a role allows it. */
type Rule = "anybody" | "named" | "granted";

const pathRules: Readonly<Record<string, Rule>> = {
  "/": "granted",
  "/index.html": "granted",
  "/.well-known/openid-configuration": "granted",
  "/api": "named",
  "/api/": "named",
  "/api/v1": "named",
  "/apis": "named",
  "/apis/": "named",
  "/healthz": "anybody",
  "/livez": "anybody",
  "/metrics": "granted",
  "/openapi/v2": "named",
  "/openapi/v3": "named",
  "/openapi/v3/": "named",
  "/openid/v1/jwks": "granted",
  "/readyz": "anybody",
  "/version": "named",
  "/version/": "named",
};

/** What everybody with a name may ask about themselves. */
const own: ReadonlySet<string> = new Set([
  "authentication.k8s.io/selfsubjectreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
]);

/** Paths that the server's source speaks of, and those that its index tells. */
async function paths(): Promise<ReadonlySet<string>> {
  const folder = join(import.meta.dirname, "..", "routes");
  const found = new Set<string>();
  for (const file of await readdir(folder)) {
    if (file.endsWith(".test.ts")) continue;
    const text = await readFile(join(folder, file), "utf8");
    for (const [, path = ""] of text.matchAll(/["'`](\/[\w./-]*)["'`]/g)) found.add(path);
  }
  const index = await harness.send("GET", "/");
  const { paths: told } = index.json as { paths: string[] };
  for (const path of told) if (!path.startsWith("/apis/")) found.add(path);
  return found;
}

const codeOf = async (user: As, method: string, path: string) => (await user.send(method, path)).status;

test("every path has a rule, and keeps it", async () => {
  for (const path of await paths()) {
    const rule = pathRules[path];
    assert.ok(rule !== undefined, `${path} has no rule: say in this table who may ask for it`);
    const named = await codeOf(somebody, "GET", path);
    const unnamed = await codeOf(nobody, "GET", path);
    if (rule === "granted") assert.equal(named, 403, path);
    else assert.ok(named < 400 || named === 404, `${path}: ${named}`);
    assert.equal(unnamed, rule === "anybody" ? 200 : 401, path);
  }
});

test("what is below a path is asked for itself", async () => {
  for (const path of [
    "/livez/ping",
    "/readyz/etcd",
    "/metrics/x",
    "/debug/pprof",
    "/logs",
    "/anything",
    "/version/x",
  ]) {
    assert.equal(await codeOf(somebody, "GET", path), 403, path);
    assert.equal(await codeOf(nobody, "GET", path), 401, path);
  }
});

const methods: Readonly<Record<Verb, string>> = {
  create: "POST",
  delete: "DELETE",
  deletecollection: "DELETE",
  get: "GET",
  list: "GET",
  patch: "PATCH",
  update: "PUT",
  watch: "GET",
};

interface Route {
  readonly method: string;
  readonly path: string;
  readonly verb: string;
}

function* proxiesOf(kind: Kind, many: string): Generator<Route> {
  if (!kind.subresources.some(({ name }) => name === "proxy")) return;
  for (const below of ["/", "/a/b?c=d", "/..%2f..%2fversion"]) {
    yield { method: "GET", path: `${many}/x/proxy${below}`, verb: "get" };
  }
}

/** Every way to ask for a kind: its verbs, those of its subresources, the old way to watch, and paths behind a proxy. */
function* routesOf(kind: Kind): Generator<Route> {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const places = kind.namespaced ? [`${base}/namespaces/default`] : [base];
  for (const place of places) {
    const many = `${place}/${kind.plural}`;
    for (const verb of kind.verbs) {
      const path =
        verb === "list" || verb === "create" || verb === "deletecollection" || verb === "watch" ? many : `${many}/x`;
      yield { method: methods[verb], path: verb === "watch" ? `${path}?watch=1` : path, verb };
    }
    for (const { name, verbs } of kind.subresources) {
      for (const verb of verbs) yield { method: methods[verb], path: `${many}/x/${name}`, verb };
    }
    yield* proxiesOf(kind, many);
  }
  if (kind.verbs.includes("watch")) {
    yield { method: "GET", path: `${base}/watch/${kind.plural}`, verb: "watch" };
    yield {
      method: "GET",
      path: `${base}/watch/${kind.namespaced ? "namespaces/default/" : ""}${kind.plural}/x`,
      verb: "watch",
    };
  }
  if (kind.namespaced && kind.verbs.includes("list"))
    yield { method: "GET", path: `${base}/${kind.plural}`, verb: "list" };
}

test("every verb of every kind and subresource is refused to somebody without a role", async () => {
  let asked = 0;
  for (const kind of builtinKinds()) {
    const open = own.has(`${kind.group}/${kind.plural}`);
    for (const { method, path, verb } of routesOf(kind)) {
      const { status, json } = await somebody.send(method, path);
      asked++;
      if (open) assert.notEqual(status, 403, path);
      else {
        assert.equal(status, 403, `${method} ${path}`);
        assert.match(String(json?.["message"]), new RegExp(`User "somebody" cannot (${verb}|create) resource`), path);
      }
      assert.equal(await codeOf(nobody, method, path), 401, `${method} ${path}`);
    }
  }
  assert.ok(asked > 500, `${asked} routes`);
});

test("a kind that somebody defines is refused like any other", async () => {
  const definition = {
    metadata: { name: "boats.sea.example.com" },
    spec: {
      group: "sea.example.com",
      scope: "Namespaced",
      names: { plural: "boats", singular: "boat", kind: "Boat" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
          subresources: { status: {}, scale: { specReplicasPath: ".spec.n", statusReplicasPath: ".status.n" } },
        },
      ],
    },
  };
  await harness.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", { body: definition });
  const many = "/apis/sea.example.com/v1/namespaces/default/boats";
  for (let i = 0; i < 200 && (await codeOf(harness, "GET", many)) !== 200; i++) await new Promise(setImmediate);
  assert.equal(await codeOf(harness, "GET", many), 200);
  for (const path of [many, `${many}/x`, `${many}/x/status`, `${many}/x/scale`, "/apis/sea.example.com/v1/boats"]) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"]) {
      const status = await codeOf(somebody, method, path).catch(() => 400);
      assert.ok(status === 403 || status === 400, `${method} ${path}: ${status}`);
    }
  }
});
