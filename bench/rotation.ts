/**
 * `./atoll bench rotation`: how long a Service goes on leading to a pod that said it is not ready, with real pods on this
 * host. Starts a whole system of its own in a temporary folder. Needs root.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { clientPath } from "@atoll/processes/clients";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const rounds = 10;
const patienceMs = 180_000;
/** Of three pods in turn, as many answers from others mean that one is out. */
const answersInARow = 30;

const manifest = {
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            containers: [
              {
                name: "web",
                image: "atoll.local/welcome:v1",
                command: ["sh", "-c", "cd /tmp; hostname > who; touch ready; exec httpd -f -p 8080 -h /tmp"],
                readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ],
};

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    execFile(program, args, { timeout: patienceMs }, (error, out, err) => {
      if (error === null) done(out.trim());
      else failed(new Error(`${args.join(" ")}: ${out}${err}`));
    });
  });
}

const atoll = async (...args: string[]) => await run(process.execPath, [...process.execArgv, main, ...args]);

async function who(address: string): Promise<string> {
  const answer = await fetch(`http://${address}/who`, { headers: { connection: "close" } }).catch(() => undefined);
  return answer?.ok === true ? (await answer.text()).trim() : "";
}

/** @returns milliseconds from the pod's word until the last answer that it gave */
async function timeRound(
  address: string,
  name: string,
  tell: (file: "rm" | "touch") => Promise<void>,
): Promise<number> {
  await tell("rm");
  const beganMs = systemClock.monotonicMs();
  let lastMs = 0;
  for (let others = 0; others < answersInARow; others++) {
    if ((await who(address)) !== name) continue;
    lastMs = systemClock.monotonicMs() - beganMs;
    others = -1;
    if (lastMs > patienceMs) throw new Error(`${name} is still in rotation`);
  }
  await tell("touch");
  while ((await who(address)) !== name) await systemClock.sleep(50);
  return lastMs;
}

async function measure(data: string): Promise<readonly number[]> {
  const program = await clientPath("kubectl");
  const kubectl = async (...args: string[]) =>
    await run(program, ["--kubeconfig", join(data, "admin.kubeconfig"), ...args]);
  await buildWelcomeImage(data);
  await writeFile(join(data, "bench.json"), JSON.stringify(manifest));
  await kubectl("wait", "--for=create", "serviceaccount/default", `--timeout=${patienceMs}ms`);
  await kubectl("apply", "-f", join(data, "bench.json"));
  await kubectl("rollout", "status", "deployment/web", `--timeout=${patienceMs}ms`);
  const address = await kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");
  const names = (await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = names[round % names.length] ?? "";
    const tell = async (program: "rm" | "touch") => void (await kubectl("exec", name, "--", program, "/tmp/ready"));
    times.push(await timeRound(address, name, tell));
  }
  return times.sort((one, other) => one - other);
}

const data = await mkdtemp(join(tmpdir(), "atoll-bench-rotation-"));
try {
  const anyPorts = ["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"];
  await atoll("up", "--background", "--no-demo", "--data", data, ...anyPorts);
  const times = await measure(data);
  const row = (measured: string, at: number) => ({
    measure: `not ready, then out of rotation, ${measured}`,
    value: (times[Math.min(times.length - 1, Math.floor(times.length * at))] ?? Number.NaN) / 1000,
    unit: "s",
    must: "<= 2",
  });
  const rows = [row("p50", 0.5), row("most", 1)];
  if (process.argv.includes("json")) process.stdout.write(`${JSON.stringify(rows)}\n`);
  for (const { measure: what, value, unit, must } of process.argv.includes("json") ? [] : rows)
    process.stdout.write(`${what.padEnd(40)} ${value.toFixed(2).padStart(9)} ${unit.padEnd(4)} ${must}\n`);
} finally {
  await atoll("down", "--data", data);
  await rm(data, { recursive: true, force: true });
}
