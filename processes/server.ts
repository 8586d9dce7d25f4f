/** `atoll server`: the API server alone, in the foreground. */
import { chmod, mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { isIP } from "node:net";
import { builtinKinds } from "@atoll/api/catalog";
import { systemClock } from "@atoll/machinery/clock";
import { optionalPlugins } from "@atoll/server/admission/wanted";
import { openPki } from "@atoll/server/pki/folder";
import { subresourceHandlers } from "@atoll/server/subresources/handlers";
import { type Server, startServer } from "@atoll/server/server";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { writePrivate } from "@atoll/server/pki/private";
import { controllersPolicy, gatewayPolicy, writeAccounts } from "./accounts.ts";
import { apiAddress } from "./apiaddress.ts";
import { formatKubeconfig } from "./kubeconfig.ts";
import { type Logger, openLog } from "./log.ts";
import { type ConfigurationFlags, count, openConfiguration, withConfigurationFlags } from "./configuration.ts";
import { EncryptedStore } from "@atoll/server/encryption/store";
import { untilStopped } from "./signals.ts";
import { nodesPolicy } from "./nodepolicy.ts";
import { openStore } from "./store.ts";
import { type StoreFlags, withStoreFlags } from "./storeflags.ts";
import { atollVersion } from "./version.ts";

interface Options extends ConfigurationFlags, StoreFlags {
  readonly data: string;
  readonly apiPort: number;
  readonly bind: string;
  readonly advertise?: string;
  readonly tlsSan: string[];
  readonly pki?: string;
  readonly serviceCidr: string;
  readonly maxRequestsInflight?: number;
  readonly enableAdmissionPlugins: readonly string[];
}

const defaultPort = 6443;

function parse(args: readonly string[]): Options {
  return withStoreFlags(withConfigurationFlags(flags("atoll server", "The API server alone, in the foreground.")))
    .requiredOption("--data <dir>", "where objects, keys and the admin's kubeconfig are kept")
    .option("--api-port <n>", "port to serve on, 0 for any", port, defaultPort)
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--advertise <addr>", "address that others reach this server at (default: --bind)")
    .option("--tls-san <name...>", "further names and addresses for the server's certificate", [])
    .option("--pki <dir>", "folder of keys, shared by the servers of one cluster (default: DIR/pki)")
    .option("--service-cidr <cidr>", "range of Service addresses", "10.96.0.0/12")
    .option(
      "--max-requests-inflight <n>",
      "requests at work at once, those of exempt levels aside (default: 100)",
      count,
    )
    .option(
      "--enable-admission-plugins <names>",
      `beside the usual ones: ${optionalPlugins.join(",")}`,
      pluginNames,
      [],
    )
    .parse(args, { from: "user" })
    .opts();
}

/** @throws {UsageError} */
function pluginNames(text: string): readonly string[] {
  const names = text.split(",");
  const unknown = names.find((name) => !optionalPlugins.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`${JSON.stringify(unknown)} is none of ${optionalPlugins.join(", ")}`);
}

export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const log = openLog("server");
    const server = await start(options, log);
    const address = options.advertise ?? advertised(options.bind);
    process.stdout.write(`ready https://${bracketed(address)}:${server.port}\n`);
    const signal = await untilStopped();
    log.info({ signal }, "stopping");
    await server.close();
    return 0;
  });
}

async function start(options: Options, log: Logger): Promise<Server> {
  const data = resolve(options.data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  await chmod(data, 0o700);
  const address = options.advertise ?? advertised(options.bind);
  const configuration = await openConfiguration(options, data, log);
  const [pki, inner] = await Promise.all([
    openPki(resolve(options.pki ?? join(data, "pki")), serverNames(options, address), systemClock.nowMs()),
    openStore(options, data, log),
  ]);
  const { authentication, authorization, encryption, audit } = configuration;
  const store = encryption === undefined ? inner : new EncryptedStore(inner, encryption);
  const server = await startServer({
    store,
    pki,
    log,
    kinds: builtinKinds(),
    clock: systemClock,
    bind: options.bind,
    port: options.apiPort,
    serviceCidr: options.serviceCidr,
    advertise: address,
    subresources: subresourceHandlers(),
    version: atollVersion,
    authentication,
    authorization,
    audit,
    seats: options.maxRequestsInflight,
    admissionPlugins: options.enableAdmissionPlugins,
    policies: [controllersPolicy, nodesPolicy, gatewayPolicy],
  });
  const url = `https://${bracketed(address)}:${server.port}`;
  const identity = { server: url, ca: pki.ca.cert, user: "kubernetes-admin", identity: pki.admin };
  await writePrivate(join(data, "admin.kubeconfig"), formatKubeconfig(identity));
  await writeAccounts(data, pki, { url, node: hostname().toLowerCase() });
  return {
    ...server,
    async close() {
      await server.close();
      await configuration.close();
      await store.close();
    },
  };
}

/** The names that clients inside and outside may use. */
function serverNames({ bind, tlsSan, serviceCidr }: Options, address: string): string[] {
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    ...apiAddress(serviceCidr),
  ];
  const listening = isIP(bind) !== 0 && bind !== "0.0.0.0" && bind !== "::" ? [bind] : [];
  return [...new Set(["localhost", "127.0.0.1", hostname(), address, ...listening, ...service, ...tlsSan])];
}

/** Listening everywhere is reached here at the loopback address. */
function advertised(bind: string): string {
  return bind === "0.0.0.0" || bind === "::" ? "127.0.0.1" : bind;
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
