/** Helm 4 against the real server: a chart with a CustomResourceDefinition and hooks, from install to uninstall. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { controllers } from "@atoll/controllers/index";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";

const files: Readonly<Record<string, string>> = {
  "Chart.yaml": "apiVersion: v2\nname: tide\nversion: 0.1.0\n",
  "values.yaml": "height: 1\n",
  "crds/tides.yaml": `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tides.sea.example.com}
spec:
  group: sea.example.com
  scope: Namespaced
  names: {plural: tides, singular: tide, kind: Tide}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties: {height: {type: integer, minimum: 0}, moon: {type: string, default: full}}
`,
  "templates/tide.yaml": `
apiVersion: sea.example.com/v1
kind: Tide
metadata: {name: high}
spec: {height: {{ .Values.height }}}
`,
  "templates/config.yaml": `
apiVersion: v1
kind: ConfigMap
metadata: {name: tide-config}
data: {height: "{{ .Values.height }}"}
`,
  "templates/hook.yaml": `
apiVersion: v1
kind: ConfigMap
metadata:
  name: tide-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
data: {ran: "{{ .Release.Revision }}"}
`,
};

let harness: Harness;
let workshop: Workshop;
let folder: string;
let helm: (args: string) => Promise<string>;

before(async () => {
  harness = await startHarness();
  workshop = startControllers(harness, controllers({ ca: harness.tls.ca }));
  folder = await mkdtemp(join(tmpdir(), "atoll-helm-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, "tide", name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text);
  }
  const kubeconfig = join(folder, "kubeconfig");
  const identity = { cert: harness.tls.cert, key: harness.tls.key };
  await writeFile(kubeconfig, formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity }));
  const program = await clientPath("helm");
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    HOME: folder,
    HELM_CACHE_HOME: folder,
    HELM_CONFIG_HOME: folder,
  };
  helm = (args) =>
    new Promise((resolve, reject) => {
      execFile(program, args.split(" "), { env, cwd: folder, timeout: 90_000 }, (error, out, err) =>
        error === null ? resolve(out) : reject(new Error(`helm ${args}: ${err}${out}`)),
      );
    });
});

after(async () => {
  await workshop?.stop();
  await harness?.close();
  await rm(folder, { recursive: true, force: true });
});

const tide = async () => {
  const { json } = await harness.send("GET", "/apis/sea.example.com/v1/namespaces/default/tides/high");
  return json?.["spec"];
};
const hookRevision = async () => {
  const { json } = await harness.send("GET", "/api/v1/namespaces/default/configmaps/tide-hook");
  return (json?.["data"] as Record<string, string> | undefined)?.["ran"];
};

test("helm installs a chart with a CustomResourceDefinition and a hook", async () => {
  assert.match(await helm("install tide ./tide --wait"), /STATUS: deployed/);
  assert.deepEqual(await tide(), { height: 1, moon: "full" });
  assert.equal(await hookRevision(), "1");
});

test("helm upgrades, rolls back and keeps the history", async () => {
  await helm("upgrade tide ./tide --set height=5");
  assert.deepEqual(await tide(), { height: 5, moon: "full" });
  assert.equal(await hookRevision(), "2");
  await helm("rollback tide 1");
  assert.deepEqual(await tide(), { height: 1, moon: "full" });
  assert.match(await helm("history tide"), /Rollback to 1/);
  assert.match(await helm("list"), /tide\s+default\s+3\s/);
});

test("helm is told why an upgrade is refused", async () => {
  await assert.rejects(helm("upgrade tide ./tide --set height=-1"), /spec\.height/);
});

test("helm uninstalls, and leaves the definition as Helm does", async () => {
  await helm("uninstall tide");
  assert.equal((await harness.send("GET", "/apis/sea.example.com/v1/namespaces/default/tides/high")).status, 404);
  assert.equal((await harness.send("GET", "/api/v1/namespaces/default/configmaps/tide-config")).status, 404);
  assert.equal((await harness.send("GET", "/apis/sea.example.com/v1/namespaces/default/tides")).status, 200);
});
