/**
 * `atoll controllers`: the controllers alone, in the foreground. Of several such processes one works; the others wait
 * for its lease. One that loses the lease ends, and whoever supervises it starts it anew.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Client } from "@atoll/client/client";
import { isPair, type SigningAuthority } from "@atoll/controllers/certificates/issue";
import { fleetControllers } from "@atoll/fleet/index";
import { systemClock } from "@atoll/machinery/clock";
import type { Controller } from "@atoll/runtime/controller";
import { hasEnded, processIdentity } from "@atoll/runtime/identity";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { logTo } from "@atoll/runtime/log";
import { runControllers } from "@atoll/runtime/run";
import { everything } from "./everything.ts";
import { exitCode, flags, UsageError } from "./flags.ts";
import { installKinds } from "./kinds.ts";
import { loadBalancerPool, loadBalancerPoolHelp, usualRanges } from "./ranges.ts";
import { openLog } from "./log.ts";
import { untilStopped } from "./signals.ts";
import { atollVersion } from "./version.ts";

interface Options {
  readonly kubeconfig: string;
  readonly only?: string;
  readonly clusterSigningCert?: string;
  readonly clusterSigningKey?: string;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly loadBalancerPool?: string;
}

function parse(args: readonly string[]): Options {
  return flags("atoll controllers", "The controllers alone, in the foreground.")
    .requiredOption("--kubeconfig <file>", "the API server, and who to be there")
    .option(
      "--only <names>",
      "run these alone, as NAME,NAME…, or fleet for all of Mission Control's; other processes must run the rest, and not these",
    )
    .option("--cluster-signing-cert <file>", "authority that signs approved CertificateSigningRequests")
    .option("--cluster-signing-key <file>", "its private key; without them nothing is signed")
    .option("--cluster-cidr <cidr>", "range of all pods' addresses, a share for each node", usualRanges.cluster)
    .option("--service-cidr <cidr>", "range of Service addresses, as the server has it", usualRanges.services)
    .option("--load-balancer-pool <ranges>", loadBalancerPoolHelp, loadBalancerPool)
    .parse(args, { from: "user" })
    .opts();
}

/** Runs until SIGTERM or SIGINT, or until leadership is lost. */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const { kubeconfig, only } = options;
    const logger = openLog("controllers");
    const log = logTo((level, message, fields) => logger[level](fields, message));
    const { transport, ca } = await openKubeconfig({ path: kubeconfig, clock: systemClock });
    const userAgent = `atoll-controllers/${atollVersion}`;
    const client = new Client({ transport, clock: systemClock, userAgent });
    const all = everything({
      ca,
      signing: await signingAuthority(options),
      ranges: { pods: options.clusterCidr, services: options.serviceCidr },
      loadBalancerPool: options.loadBalancerPool,
    });
    const wanted = chosen(all, only);
    const groups = new Set(wanted.flatMap(({ reads }) => reads.map((read) => (read === "any" ? "" : read.group))));
    if ([...groups].some(isOwn) && !(await installKinds(client, systemClock, groups))) {
      log.warn("may not install the kinds of Atoll's own; apply what ./atoll crd prints");
    }
    const running = runControllers({
      controllers: wanted,
      client,
      clock: systemClock,
      log,
      identity: await processIdentity(),
      lease: { namespace: "kube-system", name: leaseName(only), hasEnded },
    });
    const signal = await Promise.race([untilStopped(), running.ended]);
    log.info("stopping", { signal });
    await running.stop();
    transport.close();
    return 0;
  });
}

const isOwn = (group: string) => group.endsWith(".atoll.dev");

/** @throws {UsageError} one file is named without the other, or they do not belong together */
async function signingAuthority(options: Options): Promise<SigningAuthority | undefined> {
  const { clusterSigningCert: certFile, clusterSigningKey: keyFile } = options;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new UsageError("--cluster-signing-cert and --cluster-signing-key go together");
  }
  const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
  if (!isPair({ cert, key })) throw new UsageError(`the key in ${keyFile} is not that of ${certFile}`);
  return { cert, key };
}

/** @throws {UsageError} there is no controller of such a name */
function chosen(all: readonly Controller[], only: string | undefined): readonly Controller[] {
  if (only === undefined) return all;
  const fleet = fleetControllers().map(({ name }) => name);
  const names = only.split(",").flatMap((name) => (name.trim() === "fleet" ? fleet : [name.trim()]));
  const unknown = names.filter((name) => !all.some((controller) => controller.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(", ");
    throw new UsageError(`there is no controller ${unknown.join(", ")}; there are ${known}`);
  }
  return all.filter(({ name }) => names.includes(name));
}

/** Processes that run the same controllers share a lease. */
function leaseName(only: string | undefined): string {
  if (only === undefined) return "atoll-controllers";
  const names = [...new Set(only.split(",").map((name) => name.trim()))].sort().join(",");
  return `atoll-controllers-${createHash("sha256").update(names).digest("hex").slice(0, 10)}`;
}
