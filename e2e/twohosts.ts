/**
 * A Supervisor of two hosts on one machine, for tests: each in a network namespace of its own, both at a switch, and at the
 * switch somebody who belongs to neither. The first is where the test runs.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Node } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { eventually } from "@atoll/harness/client";
import { atollArguments, type Outcome, remainsOf, runAtoll } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { hostNames } from "@atoll/net/name";
import { run } from "@atoll/net/run";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";

/** Addresses of the first host, the second, and whoever else is at the switch. */
export const addressesAtSwitch = { first: "192.0.2.1", second: "192.0.2.2", world: "192.0.2.9" } as const;

/** The second host's namespace and Node; the switch and the world are namespaces too. */
export const secondName = "second";
const patienceMs = 120_000;
const cutTable = "test_cut";

/** Both hosts, up and ready, with the welcome image on each. */
export class TwoHosts {
  readonly client: Client;
  /** Name of the first host's Node. */
  readonly firstName: string;
  /** Data directories. */
  readonly first: string;
  readonly second: string;
  readonly #folder: string;
  readonly #transport: Transport;
  readonly #joined: { ended: Promise<unknown>; said: string };

  private constructor(
    given: { folder: string; client: Client; transport: Transport; firstName: string },
    joined: { ended: Promise<unknown>; said: string },
  ) {
    this.#folder = given.folder;
    [this.first, this.second] = foldersIn(given.folder);
    this.client = given.client;
    this.#transport = given.transport;
    this.firstName = given.firstName;
    this.#joined = joined;
  }

  /** @param flags more of them for `up` */
  static async start(...flags: readonly string[]): Promise<TwoHosts> {
    await layWires();
    const folder = await mkdtemp(join(tmpdir(), "atoll-wire-"));
    try {
      return await TwoHosts.#start(folder, flags);
    } catch (error) {
      // Whoever asked for them has nothing to stop.
      for (const data of foldersIn(folder)) await runAtoll("down", "--data", data);
      throw error;
    }
  }

  static async #start(folder: string, flags: readonly string[]): Promise<TwoHosts> {
    const [first, second] = foldersIn(folder);
    const up = await runAtoll(
      ...["up", "--background", "--data", first, "--bind", addressesAtSwitch.first, ...flags],
      ...["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0", "--no-demo"],
    );
    assert.equal(up.code, 0, up.text);
    const { transport } = await openKubeconfig({ path: join(first, "admin.kubeconfig"), clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: "test" });
    const { text } = await runAtoll("host", "token", "--data", first);
    const [, hub = "", token = ""] = /host join (\S+) --token (\S+)/.exec(text) ?? assert.fail(text);
    const args = ["host", "join", hub, "--token", token, "--data", second, "--node", secondName, "--port", "0"];
    const child = spawn("ip", ["netns", "exec", secondName, process.execPath, ...atollArguments(...args)]);
    const joined = { ended: once(child, "exit") as Promise<unknown>, said: "" };
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (joined.said += String(chunk)));
    await eventually("the second host is ready", async () => await isReady(client, secondName), patienceMs);
    for (const data of [first, second]) await buildWelcomeImage(data);
    const names = (await client.list(Node)).items.map(({ metadata }) => metadata.name ?? "");
    const firstName = names.find((name) => name !== secondName) ?? "";
    return new TwoHosts({ folder, client, transport, firstName }, joined);
  }

  /** Ends everything. @throws {AssertionError} something is left of a host */
  async stop(): Promise<void> {
    await this.heal();
    await this.atSecond("down", "--data", this.second);
    await runAtoll("down", "--data", this.first);
    this.#transport.close();
    await this.#joined.ended;
    const left = [...(await remainsOf(this.first)), ...(await remainsOf(this.second))];
    const links = await run("ip", ["-netns", secondName, "link"]);
    const tables = await inNamespace(secondName, "nft", "list", "tables");
    for (const name of [secondName, "world", "switch"]) await run("ip", ["netns", "delete", name]);
    await rm(this.#folder, { recursive: true, force: true });
    assert.deepEqual(left, [], this.#joined.said);
    const { overlay, table } = hostNames(this.second);
    assert.ok(!links.includes(overlay), links);
    assert.ok(!tables.includes(table), tables);
  }

  /** Runs `atoll COMMAND` on the second host. */
  async atSecond(...args: readonly string[]): Promise<Outcome> {
    return await inNamespace(secondName, process.execPath, ...atollArguments(...args)).then(
      (text) => ({ code: 0, text }),
      (error: unknown) => ({ code: 1, text: String(error) }),
    );
  }

  /** kubectl as the first host's admin. */
  async kubectl(...args: readonly string[]): Promise<Outcome> {
    return await runAtoll("kubectl", "--data", this.first, ...args);
  }

  /** What `atoll host join` has said, and its end. */
  get joined(): { readonly ended: Promise<unknown>; readonly said: string } {
    return this.#joined;
  }

  /** Neither host hears the other any more; both hear everybody else. */
  async cut(): Promise<void> {
    const { second } = addressesAtSwitch;
    const chain = (hook: string, side: string) =>
      `chain ${hook} { type filter hook ${hook} priority -300; ip ${side} ${second} drop; }`;
    await run(
      "nft",
      ["-f", "-"],
      `table ip ${cutTable} { ${chain("input", "saddr")}; ${chain("output", "daddr")}; }\n`,
    );
  }

  /** They hear each other again. */
  async heal(): Promise<void> {
    await run("nft", ["delete", "table", "ip", cutTable]).catch(() => undefined);
  }

  /** Whether a host is ready. */
  async isReady(name: string): Promise<boolean> {
    return await isReady(this.client, name);
  }
}

/** Runs a program in a network namespace. @returns its output @throws {ProgramFailed} */
export async function inNamespace(name: string, ...command: readonly string[]): Promise<string> {
  return await run("ip", ["netns", "exec", name, ...command]);
}

const foldersIn = (folder: string): readonly [string, string] => [join(folder, "first"), join(folder, "second")];

async function isReady(client: Client, name: string): Promise<boolean> {
  const found = await client.get(Node, toKey(undefined, name)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  return found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** The first host's `wire` and the others' lead to one switch. */
async function layWires(): Promise<void> {
  for (const name of ["switch", secondName, "world"]) await run("ip", ["netns", "add", name]);
  await batch("switch", ["link set lo up", "link add switch type bridge", "link set switch up"]);
  for (const [name, address] of Object.entries(addressesAtSwitch)) {
    const where = name === "first" ? undefined : name;
    await batch(where, [
      "link set lo up",
      `link add wire type veth peer name ${name} netns switch`,
      `address add ${address}/24 dev wire`,
      "link set wire up",
      `route add default via ${name === "first" ? addressesAtSwitch.second : addressesAtSwitch.first}`,
    ]);
    await batch("switch", [`link set ${name} master switch up`]);
  }
}

async function batch(namespace: string | undefined, lines: readonly string[]): Promise<void> {
  const where = namespace === undefined ? [] : ["-netns", namespace];
  await run("ip", [...where, "-batch", "-"], `${lines.join("\n")}\n`);
}
