/** `atoll console`: the web console alone; `atoll console link`: a one-time link into it. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { offerLink } from "@atoll/portal/links";
import type { OidcOptions } from "@atoll/portal/oidc";
import { startPortal } from "@atoll/portal/portal";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { logTo } from "@atoll/runtime/log";
import { consoleBundle } from "./consolebundle.ts";
import { defaultData } from "./datadir.ts";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { openLog } from "./log.ts";
import { planned } from "./up/settings.ts";
import { untilStopped } from "./signals.ts";
import { atollVersion } from "./version.ts";

interface Options {
  readonly kubeconfig: string;
  readonly port: number;
  readonly bind: string;
  readonly name?: readonly string[];
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly url?: string;
  readonly oidcIssuerUrl?: string;
  readonly oidcClientId?: string;
  readonly oidcClientSecretFile?: string;
  readonly oidcCaFile?: string;
  readonly oidcScope?: readonly string[];
}

function parse(args: readonly string[]): Options {
  return flags("atoll console", "The web console alone, in the foreground. `atoll console link` prints a way in.")
    .requiredOption("--kubeconfig <file>", "the API server, and who the console is there")
    .option("--port <n>", "port to listen on", port, 8443)
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--name <name...>", "further names or addresses for its own certificate")
    .option("--tls-cert-file <file>", "certificate to show instead of one that vouches for itself")
    .option("--tls-private-key-file <file>", "its key")
    .option("--url <url>", "where browsers find the console, for the way back from the identity provider")
    .option("--oidc-issuer-url <url>", "identity provider at which people sign in; the API server must trust it")
    .option("--oidc-client-id <id>", "who the console is there")
    .option("--oidc-client-secret-file <file>", "its secret; without it the console is a public client")
    .option("--oidc-ca-file <file>", "who vouches for the provider (default: the system's authorities)")
    .option("--oidc-scope <scope...>", "what is asked of the provider", ["openid", "email", "groups", "offline_access"])
    .parse(args, { from: "user" })
    .opts();
}

/** @param args flags as above, or `link …`, `build` */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const [first, ...rest] = args;
    if (first === "link") return await link(rest);
    if (first === "build") {
      await consoleBundle();
      return 0;
    }
    return await serve(parse(args));
  });
}

async function serve(options: Options): Promise<number> {
  const log = openLog("console");
  const { context, ca, transport } = await openKubeconfig({ path: options.kubeconfig, clock: systemClock });
  const portal = await startPortal({
    hub: { server: context.server, ca },
    client: new Client({ transport, clock: systemClock, userAgent: `atoll-console/${atollVersion}` }),
    clock: systemClock,
    log: logTo((level, message, fields) => log[level](fields, message)),
    tls: await pairOf(options),
    bind: options.bind,
    port: options.port,
    assets: await consoleBundle(),
    oidc: await oidcOf(options),
  });
  process.stdout.write(`ready https://${options.bind}:${portal.port}\n`);
  const signal = await untilStopped();
  log.info({ signal }, "stopping");
  await portal.close();
  transport.close();
  return 0;
}

async function pairOf({ tlsCertFile, tlsPrivateKeyFile, bind, name = [] }: Options) {
  if (tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined) {
    return { cert: await readFile(tlsCertFile, "utf8"), key: await readFile(tlsPrivateKeyFile, "utf8") };
  }
  const names = [...new Set(["127.0.0.1", "localhost", bind, ...name])];
  return await selfSigned("atoll-console", names, systemClock.nowMs());
}

async function oidcOf(options: Options): Promise<OidcOptions | undefined> {
  const { oidcIssuerUrl: issuer, oidcClientId: clientId, oidcClientSecretFile, oidcCaFile, bind, port: own } = options;
  if (issuer === undefined && clientId === undefined) return undefined;
  if (issuer === undefined || clientId === undefined)
    throw new UsageError("--oidc-issuer-url and --oidc-client-id go together");
  const read = async (file?: string) => (file === undefined ? undefined : (await readFile(file, "utf8")).trim());
  return {
    issuer,
    clientId,
    clientSecret: await read(oidcClientSecretFile),
    ca: await read(oidcCaFile),
    scopes: options.oidcScope ?? [],
    url: options.url ?? `https://${bind}:${own}`,
  };
}

async function link(args: readonly string[]): Promise<number> {
  const { data, url } = flags("atoll console link", "Prints a link that signs in, once, within ten minutes.")
    .option("--data <dir>", "whose admin is to be signed in", defaultData())
    .option("--url <url>", "where the console is (default: where `up` serves it)")
    .parse(args, { from: "user" })
    .opts<{ data: string; url?: string }>();
  const folder = resolve(data);
  const base = url ?? `https://127.0.0.1:${(await planned(folder)).consolePort}`;
  process.stdout.write(`${await consoleLink(folder, base)}\n`);
  return 0;
}

/**
 * A link into the console in the name of a data directory's admin.
 * @param base where the console is, `https://HOST:PORT`
 */
export async function consoleLink(data: string, base: string): Promise<string> {
  const path = join(data, "admin.kubeconfig");
  const admin = await readKubeconfig(path);
  if (admin === undefined) throw new UsageError(`there is no ${path}: is the server up?`);
  const { transport } = await openKubeconfig({ path, clock: systemClock });
  try {
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-console/${atollVersion}` });
    const { cert, key } = admin.identity;
    return `${base}/sign-in#${await offerLink(client, { kind: "certificate", cert, key })}`;
  } finally {
    transport.close();
  }
}
