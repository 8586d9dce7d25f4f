/**
 * logs, exec, attach, cp, port-forward and top's figures with real kubectl, through the API server and the kubelet's API. The programs are
 * processes of this machine in a folder of their own: what is tested here is everything between kubectl and the machines.
 */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Pod } from "@atoll/api/builtin/core/v1.types";
import { Node, Pod as Pods } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import { clientPath } from "@atoll/processes/clients";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import { silent } from "@atoll/runtime/log";
import { issue } from "@atoll/server/pki/authority";
import { authorizeBy } from "@atoll/spherelet/kubelet/access";
import type { KubeletRuntime, Program, Wish } from "@atoll/spherelet/kubelet/runtime";
import { type KubeletServer, startKubelet } from "@atoll/spherelet/kubelet/server";

const folder = await mkdtemp(join(tmpdir(), "atoll-streams-"));
const sizes: { columns: number; rows: number }[] = [];
let pods: Pod[] = [];

/** A program of this machine as one in a container. */
function programOf(command: readonly string[], wish: Wish): Program {
  const [file = "", ...args] = wish.tty ? ["script", "-qefc", command.join(" "), "/dev/null"] : command;
  const child = spawn(file, args, { cwd: folder, detached: true });
  const exited = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 137)));
  });
  exited.catch(() => undefined);
  child.stdin.on("error", () => undefined);
  async function* output(): AsyncGenerator<{ source: "output" | "errors"; bytes: Buffer }> {
    const queue: { source: "output" | "errors"; bytes: Buffer }[] = [];
    let wake = Promise.withResolvers<void>();
    let open = true;
    const push = (source: "output" | "errors") => (bytes: Buffer) => {
      queue.push({ source, bytes });
      wake.resolve();
    };
    child.stdout.on("data", push("output"));
    child.stderr.on("data", push("errors"));
    child.on("close", () => {
      open = false;
      wake.resolve();
    });
    child.on("error", () => {
      open = false;
      wake.resolve();
    });
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) yield next;
      else if (!open) return;
      else {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  }
  return {
    output: output(),
    write: (bytes) => new Promise((resolve) => child.stdin.write(bytes, () => resolve())),
    endInput: () => child.stdin.end(),
    resize: (size) => void sizes.push(size),
    exited,
    close: () => {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    },
  };
}

const runtime: KubeletRuntime = {
  pods: () => pods,
  async log({ container }, { follow, tailLines }, signal) {
    if (container === "b")
      throw new StatusError("BadRequest", 'container "b" in pod "web" is waiting to start: ContainerCreating');
    async function* lines(): AsyncGenerator<Buffer> {
      const all = ["one\n", "two\n", "three\n"];
      for (const line of all.slice(tailLines === undefined ? 0 : -tailLines)) yield Buffer.from(line);
      for (let i = 0; follow && i < 3 && !signal.aborted; i++) {
        await systemClock.sleep(50);
        yield Buffer.from(`more ${i}\n`);
      }
    }
    return await Promise.resolve(lines());
  },
  exec: async (_, command, wish) => await Promise.resolve(programOf(command, wish)),
  attach: async (_, wish) => await Promise.resolve(programOf(["cat"], wish)),
  dial: (_, port) =>
    new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(socket));
      socket.once("error", reject);
    }),
  usage: async () => await Promise.resolve([]),
};

let harness: Harness;
let kubelet: KubeletServer;
let closeTransport: () => void;

before(async () => {
  harness = await startHarness();
  const transport = transportTo(harness);
  const client = clientOf(harness, transport);
  const { ca } = harness.pki;
  const wish = {
    commonName: "system:node:n1",
    organizations: ["system:nodes"],
    usage: "server",
    names: ["127.0.0.1"],
    days: 1,
  } as const;
  const pair = await issue(ca, wish, systemClock.nowMs());
  kubelet = await startKubelet({
    runtime,
    node: "n1",
    clock: systemClock,
    log: silent,
    authorize: authorizeBy(client, systemClock, "n1"),
    tls: { ...pair, clientCa: ca.cert },
    bind: "127.0.0.1",
    port: 0,
  });
  await makeNamespace(client, "shop");
  const node = await client.create(Node, { metadata: { name: "n1" } });
  const addresses = [{ type: "InternalIP", address: "127.0.0.1" }];
  const status = {
    ...node.status,
    addresses,
    daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
  } as Node["status"];
  await client.setStatus(Node, { object: node, status });
  const containers = [
    { name: "a", image: "x", stdin: true },
    { name: "b", image: "x" },
  ];
  const metadata = { name: "web", namespace: "shop", annotations: { "kubectl.kubernetes.io/default-container": "a" } };
  const made = await client.create(Pods, { metadata, spec: { nodeName: "n1", containers } });
  await client.setStatus(Pods, { object: made, status: { ...made.status, phase: "Running" } as Pod["status"] });
  await client.create(Pods, { metadata: { name: "lost", namespace: "shop" }, spec: { nodeName: "n1", containers } });
  pods = [await client.get(Pods, toKey("shop", "web"))];
  closeTransport = () => transport.close();
});

after(async () => {
  closeTransport();
  await kubelet.close();
  await harness.close();
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What kubectl speaks by itself, and what older ones do. */
const carriers = [
  { carrier: "WebSocket", told: {} },
  {
    carrier: "SPDY",
    told: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" },
  },
];
const releases = ["31", "33", "35"].flatMap((release) => carriers.map((each) => ({ release, ...each })));

for (const { release, carrier, told } of releases) {
  describe(`kubectl 1.${release} over ${carrier}`, () => {
    let base: string[];
    let program: string;
    before(async () => {
      program = await clientPath("kubectl", release);
      const file = join(folder, `kubeconfig-${release}-${carrier}`);
      const identity = { cert: harness.tls.cert, key: harness.tls.key };
      await writeFile(file, formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity }));
      base = ["--kubeconfig", file, "-n", "shop"];
    });
    const env = { ...process.env, HOME: folder, ...told };
    const kubectl = (args: readonly string[], input?: string | Buffer): Promise<Outcome> =>
      new Promise((resolve) => {
        const options = { env, timeout: 30_000, cwd: folder, maxBuffer: 1 << 26 };
        const child = execFile(program, [...base, ...args], options, (error, out, err) =>
          resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
        );
        child.stdin?.on("error", () => undefined);
        child.stdin?.end(input);
      });

    test("logs: whole, the end of it, followed, and why there are none", async () => {
      assert.equal((await kubectl(["logs", "web", "-c", "a"])).out, "one\ntwo\nthree\n");
      assert.equal((await kubectl(["logs", "web", "-c", "a", "--tail=1"])).out, "three\n");
      assert.match((await kubectl(["logs", "web", "-f"])).out, /three\nmore 0\nmore 1\nmore 2\n$/);
      assert.match((await kubectl(["logs", "web", "-c", "b"])).err, /waiting to start: ContainerCreating/);
    });

    test("exec: output, errors, exit code, input to its end", async () => {
      const said = await kubectl(["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
      assert.deepEqual([said.code, said.out], [3, "out\n"]);
      assert.match(said.err, /err\n.*exit code 3/s);
      const big = randomBytes(3_000_000).toString("hex");
      const back = await kubectl(["exec", "-i", "web", "--", "cat"], big);
      assert.equal(back.out.length, big.length);
      assert.ok(back.out === big);
    });

    test("exec with a terminal, and its size", async () => {
      sizes.length = 0;
      const exec = [program, ...base, "exec", "-it", "web", "--", "tty"].join(" ");
      const said = await new Promise<string>((resolve) => {
        const typed = ["-qec", `stty rows 41 cols 123; exec ${exec}`, "/dev/null"];
        execFile("script", typed, { env, cwd: folder, timeout: 30_000 }, (_, out) => resolve(out));
      });
      assert.match(said, /\/dev\/pts\/\d+/);
      await eventually("the size arrives", () => sizes.some(({ columns, rows }) => columns === 123 && rows === 41));
    });

    test("exec in a pod that the node does not have, and of a program that does not exist", async () => {
      const lost = await kubectl(["exec", "lost", "--", "true"]);
      assert.notEqual(lost.code, 0);
      assert.match(lost.err, /pod "lost_shop" not found/);
      const none = await kubectl(["exec", "web", "--", "no-such-program"]);
      assert.notEqual(none.code, 0);
      assert.match(none.err, /ENOENT/);
    });

    test("a program whose client goes away ends", async () => {
      const mark = join(folder, `mark-${release}-${carrier}`);
      const args = [...base, "exec", "web", "--", "sh", "-c", `while :; do date +%s%N > ${mark}; sleep 0.02; done`];
      const child = spawn(program, args, { env, cwd: folder });
      const read = () => readFile(mark, "utf8").catch(() => "");
      await eventually("it writes", async () => (await read()) !== "");
      child.kill("SIGKILL");
      await eventually("nothing is written any more", async () => {
        const before = await read();
        await systemClock.sleep(200);
        return before !== "" && (await read()) === before;
      });
    });

    test("it is asked for as such a client does", async () => {
      const { err } = await kubectl(["-v=9", "exec", "web", "--", "true"]);
      assert.match(err, carrier === "SPDY" ? /-XPOST .*\/exec\?/ : /-XGET .*\/exec\?/);
    });

    test("attach sends and receives", async () => {
      const said = await kubectl(["attach", "-i", "web", "-c", "a"], "hello\n");
      assert.match(said.out, /hello/);
    });

    test("cp both ways", async () => {
      const bytes = randomBytes(500_000);
      await writeFile(join(folder, "there.bin"), bytes);
      const from = await kubectl(["cp", "web:there.bin", `back-${release}-${carrier}.bin`]);
      assert.equal(from.code, 0, from.err);
      assert.ok((await readFile(join(folder, `back-${release}-${carrier}.bin`))).equals(bytes));
      const to = await kubectl(["cp", "there.bin", `web:copy-${release}-${carrier}.bin`]);
      assert.equal(to.code, 0, to.err);
      assert.ok((await readFile(join(folder, `copy-${release}-${carrier}.bin`))).equals(bytes));
    });

    test("port-forward: many connections at once, and one to a closed port", async () => {
      const echo = createServer((socket) => socket.pipe(socket));
      await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
      const { port } = echo.address() as AddressInfo;
      const child = spawn(program, [...base, "port-forward", "pod/web", `:${port}`, ":1"], { env });
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
      try {
        const local = async (remote: number) => {
          const pattern = new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${remote}`);
          await eventually(`kubectl forwards ${remote}: ${out}`, () => pattern.test(out), 15_000);
          return Number(pattern.exec(out)?.[1]);
        };
        const at = await local(port);
        const bytes = randomBytes(300_000);
        const once = () =>
          new Promise<Buffer>((resolve, reject) => {
            const chunks: Buffer[] = [];
            let length = 0;
            const socket = connect(at, "127.0.0.1", () => socket.write(bytes));
            socket.on("error", reject);
            socket.on("data", (chunk: Buffer) => {
              chunks.push(chunk);
              length += chunk.length;
              if (length === bytes.length) socket.end();
            });
            socket.on("close", () => resolve(Buffer.concat(chunks)));
          });
        const all = await Promise.all(Array.from({ length: 10 }, once));
        assert.ok(all.every((back) => back.equals(bytes)));
        const closed = await local(1);
        await new Promise<void>((resolve) => {
          const socket = connect(closed, "127.0.0.1");
          socket.on("error", () => undefined);
          socket.on("close", () => resolve());
        });
        await eventually("kubectl says what was wrong", () => /error forwarding port 1 to pod/.test(out));
      } finally {
        child.kill();
        echo.close();
      }
    });
  });
}

function ask(options: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { host: "127.0.0.1", port: kubelet.port, ca: harness.pki.ca.cert, agent: false, ...options },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    request.on("error", reject);
    request.end();
  });
}

test("the kubelet lets in nobody without a certificate, nobody without the right, and no path that hides another", async () => {
  const path = "/containerLogs/shop/web/a";
  assert.equal((await ask({ path })).status, 401);
  const { ca } = harness.pki;
  const eve = await issue(ca, { commonName: "eve", usage: "client", days: 1 }, systemClock.nowMs());
  assert.equal((await ask({ path, ...eve })).status, 403);
  const { cert, key } = harness.pki.kubeletClient;
  assert.equal((await ask({ path, cert, key })).status, 200);
  assert.equal((await ask({ path: "/containerLogs/shop/web/%2e%2e", cert, key })).status, 400);
  assert.equal((await ask({ path: "/containerLogs/shop/..%2f..%2fetc/passwd", cert, key })).status, 400);
});

test("a right to a node's figures is none to its pods, and one to read is none to run", async () => {
  const give = async (user: string, resource: string) => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1";
    const metadata = { name: user };
    const rules = [{ apiGroups: [""], resources: [resource], verbs: ["get"] }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user };
    const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
    await harness.send("POST", `${rbac}/clusterroles`, { body: { metadata, rules } });
    await harness.send("POST", `${rbac}/clusterrolebindings`, { body: { metadata, roleRef, subjects } });
    return await issue(harness.pki.ca, { commonName: user, usage: "client", days: 1 }, systemClock.nowMs());
  };
  const meter = await give("meter", "nodes/metrics");
  const figures = await ask({ path: "/metrics/resource", ...meter });
  assert.equal(figures.status, 200);
  assert.match(figures.body, /^node_cpu_usage_seconds_total [\d.]+ \d+$/m);
  assert.match((await ask({ path: "/metrics", ...meter })).body, /^kubelet_running_pods 1$/m);
  assert.equal((await ask({ path: "/pods", ...meter })).status, 403);
  assert.equal((await ask({ path: "/stats/summary", ...meter })).status, 403);
  const reader = await give("reader", "nodes/proxy");
  for (const path of ["/pods", "/runningpods/", "/healthz", "/containerLogs/shop/web/a"]) {
    assert.equal((await ask({ path, ...reader })).status, 200, path);
  }
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": "v5.channel.k8s.io" };
  const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };
  const path = "/exec/shop/web/a?command=true&output=1";
  assert.equal((await ask({ path, headers: { ...headers, ...key }, ...reader })).status, 403);
});
