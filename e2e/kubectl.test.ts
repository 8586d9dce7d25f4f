/**
 * The tour: what people do with kubectl in their first hour, with three releases of it, against the real server with
 * its controllers.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { controllers } from "@atoll/controllers/index";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const deployment = (replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:1", ports: [{containerPort: 80}]}]}
`;

for (const release of ["31", "33", "35"]) {
  describe(`kubectl 1.${release}`, () => {
    let harness: Harness;
    let workshop: Workshop;
    let folder: string;
    let kubectl: (args: string, input?: string, env?: Record<string, string>) => Promise<Outcome>;

    before(async () => {
      harness = await startHarness();
      workshop = startControllers(harness, controllers({ ca: harness.tls.ca }));
      folder = await mkdtemp(join(tmpdir(), "atoll-kubectl-"));
      const kubeconfig = join(folder, "kubeconfig");
      const identity = { cert: harness.tls.cert, key: harness.tls.key };
      await writeFile(
        kubeconfig,
        formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity }),
      );
      const program = await clientPath("kubectl", release);
      const base = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, TMPDIR: folder };
      kubectl = (args, input, env = {}) =>
        new Promise((resolve) => {
          // Arguments are separated by blanks; a blank within one is written as ␣.
          const list = args.split(" ").map((arg) => arg.replaceAll("␣", " "));
          const child = execFile(program, list, { env: { ...base, ...env }, timeout: 60_000 }, (error, out, err) =>
            resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
          );
          child.stdin?.end(input);
        });
      await harness.send("GET", "/readyz");
      await ok("wait --for=create serviceaccount/default --timeout=30s");
    });

    after(async () => {
      await workshop.stop();
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    });

    const ok = async (args: string, input?: string, env?: Record<string, string>): Promise<string> => {
      const { code, out, err } = await kubectl(args, input, env);
      assert.equal(code, 0, `kubectl ${args}: ${err}${out}`);
      return out;
    };

    test("lists what there is", async () => {
      assert.match(await ok("version"), /Server Version: v1\.36/);
      assert.match(await ok("api-resources"), /deployments +deploy +apps\/v1 +true +Deployment/);
      assert.match(await ok("api-versions"), /^networking\.k8s\.io\/v1$/m);
      assert.match(await ok("get namespaces"), /kube-system +Active/);
      assert.match(await ok("get all -A"), /service\/kubernetes +ClusterIP +10\.96\.0\.1/);
      assert.match(await ok("cluster-info"), /is running at/);
    });

    test("explains kinds and fields", async () => {
      assert.match(await ok("explain deployment.spec.strategy"), /FIELD: strategy <DeploymentStrategy>/);
      assert.match(await ok("explain pod --recursive"), /terminationGracePeriodSeconds/);
    });

    test("creates objects from flags", async () => {
      await ok("create namespace tour");
      await ok("create configmap flags --from-literal=a=b");
      await ok("create secret generic secret --from-literal=a=b");
      await ok("create deployment made --image=registry.example/made:1 --replicas=2");
      await ok("create job once --image=registry.example/job:1");
      await ok("create service clusterip plain --tcp=80:8080");
      await ok("create role reader --verb=get,list --resource=pods");
      await ok("create quota few --hard=pods=30");
      await ok("run single --image=registry.example/single:1 --labels=app=single");
      assert.match(await ok("get pod single"), /single +0\/1 +Pending +0/);
      assert.match(await ok("get deployment made -o wide"), /made +0\/2 .* registry\.example\/made:1 +app=made/);
      assert.equal(await ok("get secret secret -o jsonpath={.data.a}"), "Yg==");
    });

    test("applies, shows the difference, applies again", async () => {
      assert.match(await ok("apply -f -", deployment(2)), /created/);
      const { code, out } = await kubectl("diff -f -", deployment(3));
      assert.equal(code, 1);
      assert.match(out, /^-\s+replicas: 2\n\+\s+replicas: 3$/m);
      assert.match(await ok("apply -f -", deployment(3)), /configured/);
      assert.match(await ok("apply -f -", deployment(3)), /unchanged/);
      assert.equal((await kubectl("diff -f -", deployment(3))).code, 0);
    });

    test("applies on the server's side, and is told of conflicts", async () => {
      assert.match(await ok("apply --server-side -f -", deployment(3)), /serverside-applied/);
      const other = await kubectl("apply --server-side --field-manager=other -f -", deployment(7));
      assert.equal(other.code, 1);
      assert.match(other.err, /conflict/i);
      await ok("apply --server-side --force-conflicts --field-manager=other -f -", deployment(7));
      assert.match(await ok("get deployment web -o yaml --show-managed-fields"), /manager: other/);
    });

    test("patches in three ways", async () => {
      await ok(`patch deployment web -p {"spec":{"replicas":4}}`);
      await ok(`patch deployment web --type=merge -p {"spec":{"paused":true}}`);
      await ok(`patch deployment web --type=json -p [{"op":"remove","path":"/spec/paused"}]`);
      assert.equal(await ok("get deployment web -o jsonpath={.spec.replicas}-{.spec.paused}"), "4-");
      await ok("set image deployment/web web=registry.example/web:2");
      await ok("scale deployment web --replicas=5");
      assert.equal(
        await ok("get deployment web -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].image}"),
        "5/registry.example/web:2",
      );
    });

    test("edits and replaces", async () => {
      await ok("edit configmap flags", undefined, { EDITOR: "sed -i s/a:.b/a:␣c/".replaceAll("␣", "\\ ") });
      assert.equal(await ok("get configmap flags -o jsonpath={.data.a}"), "c");
      const live = await ok("get configmap flags -o json");
      await ok("replace -f -", live.replace('"a": "c"', '"a": "d"'));
      assert.equal(await ok("get configmap flags -o jsonpath={.data.a}"), "d");
      const stale = await kubectl("replace -f -", live.replace('"a": "c"', '"a": "e"'));
      assert.equal(stale.code, 1);
      assert.match(stale.err, /the object has been modified/);
    });

    test("labels, annotates and selects", async () => {
      await ok("label configmap flags tier=front");
      await ok("annotate configmap flags note=hello");
      assert.match(await ok("get configmaps -l tier=front"), /^flags /m);
      assert.doesNotMatch(await ok("get configmaps -l tier!=front"), /^flags /m);
      assert.match(await ok("get configmaps --field-selector metadata.name=flags"), /^flags /m);
      await ok("label configmap flags tier-");
      assert.match((await kubectl("get configmaps -l tier=front")).err, /No resources found/);
    });

    test("prints in every format", async () => {
      assert.equal(JSON.parse(await ok("get configmap flags -o json")).kind, "ConfigMap");
      assert.match(await ok("get configmap flags -o yaml"), /^kind: ConfigMap$/m);
      assert.equal((await ok("get configmap flags -o name")).trim(), "configmap/flags");
      assert.equal(await ok("get configmap flags -o go-template={{.metadata.name}}"), "flags");
      assert.match(await ok("get configmap flags -o custom-columns=N:.metadata.name"), /^N\s+flags\s+$/);
      assert.match(await ok("get configmap flags -o jsonpath-as-json={.data}"), /"a": "d"/);
      assert.match(await ok("get configmap flags --show-labels"), /<none>/);
      assert.match(await ok("get pods,services"), /service\/plain/);
    });

    test("describes", async () => {
      assert.match(await ok("describe deployment web"), /Replicas: +5 desired/);
      assert.match(await ok("describe pod single"), /Status: +Pending/);
      assert.match(await ok("describe service plain"), /Port: +80-8080 +80\/TCP/);
    });

    test("watches and waits", async () => {
      const watching = kubectl("get configmaps --watch --request-timeout=4s -o name");
      const waiting = kubectl("wait --for=jsonpath={.data.a}=later configmap/flags --timeout=30s");
      await ok("create configmap seen --from-literal=x=y");
      await ok(`patch configmap flags -p {"data":{"a":"later"}}`);
      assert.equal((await waiting).code, 0);
      assert.match((await watching).out, /configmap\/seen/);
    });

    test("tells events", async () => {
      await ok("apply -f -", event);
      assert.match(await ok("get events"), /Warning +Tried +pod\/single +it was tried/);
      assert.match(await ok("events --for pod/single"), /it was tried/);
    });

    test("deletes with each propagation", async () => {
      await ok("delete configmap seen");
      await makeOwned("background");
      await ok("delete configmap owner-background --cascade=background");
      await gone("configmap/owned-background");
      await makeOwned("foreground");
      await ok("delete configmap owner-foreground --cascade=foreground --timeout=30s");
      await gone("configmap/owned-foreground");
      await makeOwned("orphan");
      await ok("delete configmap owner-orphan --cascade=orphan --timeout=30s");
      assert.equal((await ok("get configmap owned-orphan -o jsonpath={.metadata.ownerReferences}")).trim(), "");
      await ok("delete pod single --timeout=30s");
      await ok("delete namespace tour --timeout=60s");
    });

    /** Waits until the garbage collector has taken an object. */
    const gone = async (name: string): Promise<void> => {
      const { code, err } = await kubectl(`wait --for=delete ${name} --timeout=30s`);
      assert.ok(code === 0 || err.includes("NotFound"), err);
    };

    /** Makes an owner and what it owns. */
    const makeOwned = async (kind: string): Promise<void> => {
      await ok(`create configmap owner-${kind}`);
      const uid = await ok(`get configmap owner-${kind} -o jsonpath={.metadata.uid}`);
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: `owner-${kind}`, uid, blockOwnerDeletion: true };
      const metadata = { name: `owned-${kind}`, ownerReferences: [owner] };
      await ok("create -f -", JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata }));
    };
  });
}

const event = `
apiVersion: v1
kind: Event
metadata: {name: tried}
involvedObject: {apiVersion: v1, kind: Pod, name: single, namespace: default}
type: Warning
reason: Tried
message: it was tried
source: {component: tour}
firstTimestamp: "2026-01-01T00:00:00Z"
lastTimestamp: "2026-01-01T00:00:00Z"
count: 1
`;
