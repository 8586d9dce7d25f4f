/** The welcome pod: a small web page, from an image built of what the host has, so that there is something to look at. */
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Namespace, Node, Pod, Service, ServiceAccount } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { buildImage } from "@atoll/images/build/build";
import { ImageStore } from "@atoll/images/store/store";
import { systemClock } from "@atoll/machinery/clock";

/** Where the pod is. */
export const welcomePod = { namespace: "welcome", name: "hello" } as const;

const image = "atoll.local/welcome:v1";
const busybox = "/bin/busybox";
const port = 8080;
const lookEveryMs = 50;
const connectMs = 1_000;
const patienceMs = 60_000;
const podsPatienceMs = 5_000;

const page = `<!doctype html>
<title>Atoll</title>
<h1>Hello from a pod</h1>
<p>This page is served from a virtual machine of its own, started for this pod alone.</p>
`;

/** Source: busybox(1), httpd */
const containerfile = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "/bin"]
RUN ["/bin/mkdir", "-m", "1777", "/tmp"]
COPY index.html /www/index.html
CMD ["httpd", "-f", "-v", "-p", "${port}", "-h", "/www"]
`;

/** Builds the image unless it is there. @throws {ImageBuildFailed} */
export async function buildWelcomeImage(data: string): Promise<void> {
  const store = await ImageStore.open({ dir: join(data, "images"), clock: systemClock });
  if ((await store.list()).some(({ names }) => names.includes(image))) return;
  const folder = await mkdtemp(join(tmpdir(), "atoll-welcome-"));
  try {
    await copyFile(busybox, join(folder, "busybox"));
    await writeFile(join(folder, "index.html"), page);
    await writeFile(join(folder, "Containerfile"), containerfile);
    await buildImage(folder, image, { store });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes the namespace, the pod and a Service before it, as far as they are missing. */
export async function createWelcomePod(client: Client): Promise<void> {
  const { namespace, name } = welcomePod;
  const labels = { app: name };
  await unlessThere(client.create(Namespace, { metadata: { name: namespace } }));
  await until(async () => await isThere(client.get(ServiceAccount, toKey(namespace, "default"))));
  const container = { name: "web", image, ports: [{ containerPort: port }] };
  await unlessThere(client.create(Pod, { metadata: { name, namespace, labels }, spec: { containers: [container] } }));
  const ports = [{ port: 80, targetPort: port }];
  await unlessThere(client.create(Service, { metadata: { name, namespace }, spec: { selector: labels, ports } }));
}

/** How many pods of the node are ready, or over, once all are: but not for those that never will be. */
export async function readyPods(client: Client, node: string): Promise<{ ready: number; all: number }> {
  let bound: readonly Pod[] = [];
  const look = async () => {
    bound = (await client.list(Pod, { fieldSelector: `spec.nodeName=${node}` })).items;
    return bound.every(isSettled);
  };
  await until(look, podsPatienceMs).catch(() => undefined);
  return { ready: bound.filter(isSettled).length, all: bound.length };
}

/** Resolves when the node's own API answers, which logs and exec go through: its certificate comes from the cluster. */
export async function untilNodeServes(client: Client, name: string): Promise<void> {
  await until(async () => {
    const { status } = await client.get(Node, toKey("", name));
    const host = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    return host !== undefined && port !== undefined && (await answers(host, port));
  });
}

async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((done) => {
    const socket = connect({ host, port, timeout: connectMs }, () => {
      socket.destroy();
      done(true);
    });
    for (const event of ["error", "timeout"]) socket.once(event, () => done(false));
  });
}

/** Resolves when the welcome pod is ready. */
export async function untilWelcomePodReady(client: Client): Promise<void> {
  const { namespace, name } = welcomePod;
  await until(async () => isReady(await client.get(Pod, toKey(namespace, name))));
}

const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

const isSettled = (pod: Pod): boolean =>
  isReady(pod) || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

async function unlessThere(making: Promise<unknown>): Promise<void> {
  await making.catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

async function isThere(getting: Promise<unknown>): Promise<boolean> {
  return await getting.then(
    () => true,
    (error: unknown) => {
      if (isNotFound(error)) return false;
      throw error;
    },
  );
}

/** @throws {Error} it takes too long */
async function until(condition: () => Promise<boolean>, limitMs = patienceMs): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + limitMs;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`it took longer than ${limitMs / 1000} s`);
    await systemClock.sleep(lookEveryMs);
  }
}
