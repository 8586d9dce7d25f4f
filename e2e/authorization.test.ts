/** What kubectl shows and does of rights, with three releases of it, against the real server with its controllers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { clusterRoleController } from "@atoll/controllers/clusterroles/controller";
import { eventually } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const policy = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: operator}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: operator}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: olga}
`;

for (const release of ["31", "33", "35"]) {
  describe(`kubectl 1.${release}`, () => {
    let harness: Harness;
    let workshop: Workshop;
    let folder: string;
    let run: (args: readonly string[], input?: string) => Promise<Outcome>;

    before(async () => {
      harness = await startHarness();
      workshop = startControllers(harness, [clusterRoleController]);
      folder = await mkdtemp(join(tmpdir(), "atoll-authorization-"));
      const kubeconfig = join(folder, "kubeconfig");
      const { ca, cert, key } = harness.tls;
      await writeFile(
        kubeconfig,
        formatKubeconfig({ server: harness.url, ca, user: "admin", identity: { cert, key } }),
      );
      const program = await clientPath("kubectl", release);
      const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
      run = (args, input = "") =>
        new Promise((resolve) => {
          const child = execFile(program, args, { env, timeout: 60_000 }, (error, out, err) =>
            resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
          );
          child.stdin?.end(input);
        });
    });

    after(async () => {
      await workshop.stop();
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    });

    const kubectl = async (...args: string[]) => {
      const { code, out, err } = await run(args);
      assert.equal(code, 0, `kubectl ${args.join(" ")}: ${err}${out}`);
      return out;
    };

    const canI = async (...args: string[]) => (await run(["auth", "can-i", ...args])).out.trim();

    test("whoami tells who asks, and as whom", async () => {
      assert.match(await kubectl("auth", "whoami"), /Username\s+kubernetes-admin[^]*system:masters/);
      const other = await kubectl("auth", "whoami", "--as=alice", "--as-group=staff", "--as-uid=7", "-o", "json");
      const { userInfo } = JSON.parse(other).status;
      assert.deepEqual(userInfo, { username: "alice", uid: "7", groups: ["staff", "system:authenticated"] });
    });

    test("can-i follows bindings of the roles that everybody knows", async () => {
      assert.equal(await canI("get", "pods", "--as=vera"), "no");
      await kubectl("create", "rolebinding", "vera", "--clusterrole=view", "--user=vera");
      await kubectl("create", "rolebinding", "ed", "--clusterrole=edit", "--serviceaccount=default:ed");
      await kubectl("create", "clusterrolebinding", "root", "--clusterrole=cluster-admin", "--group=roots");
      await eventually("view has its rules", async () => (await canI("get", "pods", "--as=vera")) === "yes");
      await eventually(
        "edit has its rules",
        async () => (await canI("create", "pods", "--as=system:serviceaccount:default:ed")) === "yes",
      );
      assert.equal(await canI("get", "pods", "--subresource=log", "--as=vera"), "yes");
      assert.equal(await canI("get", "secrets", "--as=vera"), "no");
      assert.equal(await canI("delete", "pods", "--as=vera"), "no");
      assert.equal(await canI("get", "pods", "--as=vera", "-n", "kube-system"), "no");
      const ed = "--as=system:serviceaccount:default:ed";
      assert.equal(await canI("delete", "deployments.apps", ed), "yes");
      assert.equal(await canI("create", "rolebindings.rbac.authorization.k8s.io", ed), "no");
      assert.equal(await canI("get", "/metrics", "--as=x", "--as-group=roots"), "yes");
      assert.equal(await canI("get", "/metrics", "--as=vera"), "no");
      assert.equal(await canI("*", "*", "--all-namespaces", "--as=x", "--as-group=roots"), "yes");
    });

    test("can-i --list shows the rules", async () => {
      const list = await kubectl("auth", "can-i", "--list", "--as=vera");
      assert.match(list, /pods\/log\s+\[\]\s+\[\]\s+\[get list watch\]/);
      assert.match(list, /\[\/openapi\/\*\]\s+\[\]\s+\[get\]/);
      assert.doesNotMatch(list, /secrets/);
    });

    test("a refusal names who may not do what, and the exit code says so", async () => {
      const { code, err } = await run(["get", "nodes", "--as=vera"]);
      assert.equal(code, 1);
      const told = 'nodes is forbidden: User "vera" cannot list resource "nodes" in API group "" at the cluster scope';
      assert.equal(err.trim(), `Error from server (Forbidden): ${told}`);
    });

    test("reconcile adds what is missing, and takes away what is too much when told so", async () => {
      const reconcile = async (...args: string[]) => {
        const { code, err } = await run(["auth", "reconcile", "-f", "-", ...args], policy);
        assert.equal(code, 0, err);
      };
      await reconcile();
      assert.equal(await canI("list", "pods", "--as=olga"), "yes");
      const widened = '[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]';
      await kubectl("patch", "clusterrole", "operator", "--type=json", "-p", widened);
      assert.equal(await canI("delete", "pods", "--as=olga"), "yes");
      await reconcile();
      assert.equal(await canI("delete", "pods", "--as=olga"), "yes");
      await reconcile("--remove-extra-permissions", "--remove-extra-subjects");
      assert.equal(await canI("delete", "pods", "--as=olga"), "no");
      assert.equal(await canI("list", "pods", "--as=olga"), "yes");
    });
  });
}
