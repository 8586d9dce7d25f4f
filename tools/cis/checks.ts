/**
 * Items of the CIS Kubernetes Benchmark (v1.11) that a program can check on a running server, by trying: what a flag
 * promises is worth what the server does. docs/security.md has all items, these among them.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import type { Answer, Target } from "./target.ts";

/** An item, and what is wrong; undefined when nothing is. */
export interface Check {
  readonly ids: readonly string[];
  readonly title: string;
  run(target: Target): Promise<string | undefined>;
}

const attempts = 200;
const nobody = { user: "cis:nobody" };
const node = { user: "system:node:cis", groups: ["system:nodes"] };

function unless(ok: boolean, answer: Answer): string | undefined {
  return ok ? undefined : `answered ${answer.status}: ${answer.text.slice(0, 200)}`;
}

const files: readonly Check[] = [
  {
    ids: ["1.1.11", "1.1.12", "2.7"],
    title: "the data directory and the store are its owner's alone",
    run: ({ data }) =>
      tooOpen([[data, 0o700], ...["store.db", "store.db-wal"].map((name) => [join(data, name), 0o600] as const)]),
  },
  {
    ids: ["1.1.13", "1.1.14", "1.1.15", "1.1.16", "1.1.17", "1.1.18"],
    title: "kubeconfigs are their owner's alone",
    run: async ({ data }) => {
      const names = (await readdir(data)).filter((name) => name.endsWith(".kubeconfig"));
      return await tooOpen(names.map((name) => [join(data, name), 0o600]));
    },
  },
  {
    ids: ["1.1.19", "1.1.20", "1.1.21"],
    title: "keys and certificates are their owner's alone",
    run: async ({ data }) => {
      const folder = join(data, "pki");
      const names = await readdir(folder);
      return await tooOpen([[folder, 0o700], ...names.map((name) => [join(folder, name), 0o600] as const)]);
    },
  },
  {
    ids: ["1.2.16"],
    title: "an audit log is written, its owner's alone",
    run: async ({ data, ask, namespace }) => {
      const path = join(data, "audit", "audit.log");
      // What is done is written down a moment later.
      for (let attempt = 0; attempt < attempts; attempt++) {
        await ask("GET", `/api/v1/namespaces/${namespace}/secrets`);
        const text = await readFile(path, "utf8").catch(() => "");
        if (text.includes(`"namespace":"${namespace}"`)) return await tooOpen([[path, 0o600]]);
      }
      return `${path} does not tell of what is done now`;
    },
  },
];

/** Which files others than their owner may use, or are somebody else's. */
async function tooOpen(wanted: readonly (readonly [path: string, mode: number])[]): Promise<string | undefined> {
  const found = await Promise.all(
    wanted.map(async ([path, mode]) => {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) return [];
      const real = facts.mode & 0o777;
      if ((real & ~mode) !== 0) return [`${path} has mode ${real.toString(8)}`];
      return facts.uid === process.getuid?.() ? [] : [`${path} belongs to ${facts.uid}`];
    }),
  );
  return found.flat().join(", ") || undefined;
}

const identity: readonly Check[] = [
  {
    ids: ["1.2.1"],
    title: "who shows nothing gets nothing but health",
    run: async ({ ask }) => {
      const told = await ask("GET", "/api/v1/namespaces", { admin: false });
      if (told.status !== 401) return unless(false, told);
      const health = await ask("GET", "/livez", { admin: false });
      return unless(health.status === 200, health);
    },
  },
  {
    ids: ["1.2.2", "1.2.25"],
    title: "made-up tokens are nobody's",
    run: async ({ ask }) => {
      const told = await ask("GET", "/api/v1/namespaces", { token: "31ada4fd-adec-460c-809a-9e56ceb75269" });
      return unless(told.status === 401, told);
    },
  },
  {
    ids: ["1.2.21", "1.2.22"],
    title: "the token of a service account that is gone is refused",
    run: async ({ ask, namespace }) => {
      const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await ask("POST", accounts, { body: { metadata: { name: "cis" } } });
      const { json } = await ask("POST", `${accounts}/cis/token`, { body: { spec: {} } });
      const { token = "" } = (json["status"] ?? {}) as { token?: string };
      const review = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const alive = await ask("POST", review, { token, body: {} });
      if (alive.status !== 201) return unless(false, alive);
      await ask("DELETE", `${accounts}/cis`);
      const gone = await ask("POST", review, { token, body: {} });
      return unless(gone.status === 401, gone);
    },
  },
  {
    ids: ["1.2.6", "1.2.8"],
    title: "who has no role may do nothing",
    run: async ({ ask, namespace }) => {
      const told = await ask("GET", `/api/v1/namespaces/${namespace}/secrets`, { as: nobody });
      return unless(told.status === 403, told);
    },
  },
  {
    ids: ["1.2.7"],
    title: "a node reads nothing that its pods do not need",
    run: async ({ ask, namespace }) => {
      const told = await ask("GET", `/api/v1/namespaces/${namespace}/secrets/other`, { as: node });
      return unless(told.status === 403, told);
    },
  },
  {
    ids: ["5.1.1"],
    title: "cluster-admin is bound to system:masters alone",
    run: async ({ ask }) => {
      const { json } = await ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings");
      const bindings = json["items"] as readonly { roleRef: { name: string }; subjects?: { name: string }[] }[];
      const bound = bindings
        .filter(({ roleRef }) => roleRef.name === "cluster-admin")
        .flatMap(({ subjects = [] }) => subjects.map(({ name }) => name));
      const others = bound.filter((name) => name !== "system:masters");
      return others.length === 0 ? undefined : `it is bound to ${others.join(", ")}`;
    },
  },
];

const admission: readonly Check[] = [
  {
    ids: ["1.2.3"],
    title: "no Service takes an address that only its writer vouches for (DenyServiceExternalIPs)",
    run: async ({ ask, namespace }) => {
      const spec = { ports: [{ port: 80 }], externalIPs: ["192.0.2.1"] };
      const told = await ask("POST", `/api/v1/namespaces/${namespace}/services?dryRun=All`, {
        body: { metadata: { name: "cis" }, spec },
      });
      return told.status === 403 ? undefined : "one does: give --enable-admission-plugins DenyServiceExternalIPs";
    },
  },
  {
    ids: ["1.2.12"],
    title: "pods get their namespace's service account (ServiceAccount)",
    run: async ({ ask, namespace }) => {
      const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
      await ask("POST", accounts, { body: { metadata: { name: "default" } } });
      const told = await podOf(ask, namespace, {});
      return unless(told.text.includes('"serviceAccountName":"default"'), told);
    },
  },
  {
    ids: ["1.2.11"],
    title: "images are asked for anew (AlwaysPullImages)",
    run: async ({ ask, namespace }) => {
      const told = await podOf(ask, namespace, { containers: [{ ...hardened, imagePullPolicy: "Never" }] });
      const isAlways = told.status === 201 && told.text.includes('"imagePullPolicy":"Always"');
      return isAlways ? undefined : "they need not be: give --enable-admission-plugins AlwaysPullImages";
    },
  },
  {
    ids: ["1.2.13"],
    title: "nothing is made in a namespace that is not there (NamespaceLifecycle)",
    run: async ({ ask }) => {
      const told = await ask("POST", "/api/v1/namespaces/cis-missing/configmaps?dryRun=All", {
        body: { metadata: { name: "x" } },
      });
      if (told.status !== 404) return unless(false, told);
      const kept = await ask("DELETE", "/api/v1/namespaces/kube-system?dryRun=All");
      return unless(kept.status === 403, kept);
    },
  },
  {
    ids: ["1.2.14"],
    title: "a node does not choose what pods come to it (NodeRestriction)",
    run: async ({ ask }) => {
      const labels = { "node-restriction.kubernetes.io/x": "y" };
      const told = await ask("POST", "/api/v1/nodes?dryRun=All", {
        as: node,
        body: { metadata: { name: "cis", labels } },
      });
      return unless(told.status === 403 && told.text.includes("not allowed to set the following labels"), told);
    },
  },
  {
    ids: ["5.2.1", "5.2.2", "5.2.3", "5.2.4", "5.2.5", "5.2.6", "5.2.9", "5.2.10", "5.2.11", "5.2.12"],
    title: "a namespace of the restricted level refuses what is not (PodSecurity)",
    run: async ({ ask, namespace }) => {
      const good = await podOf(ask, namespace, {});
      if (good.status !== 201) return unless(false, good);
      const context = (given: object) => ({
        containers: [{ ...hardened, securityContext: { ...hardened.securityContext, ...given } }],
      });
      const hostile: readonly object[] = [
        context({ privileged: true }),
        { hostPID: true },
        { hostIPC: true },
        { hostNetwork: true },
        context({ allowPrivilegeEscalation: true }),
        context({ capabilities: { add: ["NET_RAW"] } }),
        context({ windowsOptions: { hostProcess: true } }),
        { volumes: [{ name: "v", hostPath: { path: "/" } }] },
        { containers: [{ ...hardened, ports: [{ containerPort: 80, hostPort: 80 }] }] },
        context({ runAsUser: 0 }),
      ];
      for (const spec of hostile) {
        const told = await podOf(ask, namespace, spec);
        if (told.status !== 403 && told.status !== 422) return `${JSON.stringify(spec)}: answered ${told.status}`;
      }
      return undefined;
    },
  },
];

async function podOf(ask: Target["ask"], namespace: string, spec: object): Promise<Answer> {
  const body = { metadata: { name: "cis" }, spec: { ...restricted, ...spec } };
  return await ask("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { body });
}

const hardened = {
  name: "c",
  image: "i",
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
};
const restricted = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [hardened],
};

const transport: readonly Check[] = [
  {
    ids: ["1.2.15", "1.3.2", "1.4.1"],
    title: "there is no profiling",
    run: async ({ ask }) => {
      const told = await ask("GET", "/debug/pprof/");
      return unless(told.status === 404, told);
    },
  },
  {
    ids: ["1.2.24", "1.2.29"],
    title: "old TLS and weak ciphers are refused",
    run: async (target) => {
      for (const maxVersion of ["TLSv1", "TLSv1.1"] as const) {
        if (await shakesHands(target, { minVersion: "TLSv1", maxVersion, ciphers: "ALL:@SECLEVEL=0" })) {
          return `it speaks ${maxVersion}`;
        }
      }
      for (const ciphers of [
        "AES128-SHA",
        "AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES256-SHA384",
      ]) {
        if (await shakesHands(target, { maxVersion: "TLSv1.2", ciphers })) return `it takes ${ciphers}`;
      }
      return (await shakesHands(target, {})) ? undefined : "it shakes no hands at all";
    },
  },
  {
    ids: ["1.2.27", "1.2.28"],
    title: "Secrets are stored encrypted",
    run: async ({ ask, namespace, data }) => {
      const mark = "cis-plaintext-mark";
      await ask("POST", `/api/v1/namespaces/${namespace}/secrets`, {
        body: { metadata: { name: "mark" }, stringData: { mark } },
      });
      const stored = await Promise.all(
        ["store.db", "store.db-wal"].map((name) => readFile(join(data, name)).catch(() => Buffer.alloc(0))),
      );
      const readable = [mark, Buffer.from(mark).toString("base64")].some((text) =>
        stored.some((file) => file.includes(text)),
      );
      return readable ? "one can be read in the store: give --encryption-config" : undefined;
    },
  },
];

interface Handshake {
  readonly minVersion?: "TLSv1";
  readonly maxVersion?: "TLSv1" | "TLSv1.1" | "TLSv1.2";
  readonly ciphers?: string;
}

function shakesHands({ url, ca }: Target, how: Handshake): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), ca, servername: "localhost", ...how });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("secureConnect", () => end(true));
    socket.on("error", () => end(false));
  });
}

/** All checks. */
export const checks: readonly Check[] = [...files, ...identity, ...admission, ...transport];
