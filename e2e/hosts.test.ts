/** A Supervisor of two hosts, both on this machine: one by `atoll up`, one that joins with a token. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Node, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Transport } from "@atoll/client/transport";
import { eventually } from "@atoll/harness/client";
import { atollArguments, remainsOf, runAtoll } from "@atoll/harness/commands";
import { systemClock } from "@atoll/machinery/clock";
import { buildWelcomeImage } from "@atoll/processes/up/welcome";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { lacking } from "./lacking.ts";

const folder = await mkdtemp(join(tmpdir(), "atoll-hosts-"));
const [first, second] = [join(folder, "first"), join(folder, "second")];
const image = "atoll.local/welcome:v1";
const skip = await lacking();

/** A host that joins, or has joined. */
interface Joining {
  said(): string;
  readonly ended: Promise<number | null>;
}

describe("two hosts", { skip }, () => {
  let hub = "";
  let token = "";
  let client: Client;
  let transport: Transport;
  let host: Joining | undefined;

  before(async () => {
    const { code, text } = await runAtoll(
      ...["up", "--background", "--data", first],
      ...["--api-port", "0", "--kubelet-port", "0", "--gateway-port", "0"],
    );
    assert.equal(code, 0, text);
    ({ transport } = await openKubeconfig({ path: join(first, "admin.kubeconfig"), clock: systemClock }));
    client = new Client({ transport, clock: systemClock, userAgent: "test" });
    const printed = await runAtoll("host", "token", "--data", first);
    [, hub = "", token = ""] = /host join (\S+) --token (\S+)/.exec(printed.text) ?? assert.fail(printed.text);
  });
  after(async () => {
    await runAtoll("down", "--data", second);
    await runAtoll("down", "--data", first);
    transport.close();
    await host?.ended;
    const left = [...(await remainsOf(first)), ...(await remainsOf(second))];
    await rm(folder, { recursive: true, force: true });
    assert.deepEqual(left, []);
  });

  function joining(args: readonly string[]): Joining {
    const child = spawn(process.execPath, atollArguments("host", "join", hub, "--port", "0", ...args));
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
    return { said: () => text, ended: once(child, "exit").then(([code]) => code as number | null) };
  }

  test("a token of another cluster, one that is not known, and words that are none join nothing", async () => {
    const [id = "", , authority = ""] = token.split(".");
    const refused: readonly (readonly [words: string, node: string, why: RegExp])[] = [
      [`${token.slice(0, -4)}0000`, "other", /not of the cluster that the token is for/],
      [`${id}.${"0".repeat(16)}.${authority}`, "other", /Unauthorized/],
      ["abc", "other", /not of the form/],
    ];
    for (const [words, node, why] of refused) {
      const tried = joining(["--token", words, "--data", join(folder, "none"), "--node", node]);
      assert.notEqual(await tried.ended, 0);
      assert.match(tried.said(), why);
    }
    const { items } = await client.list(Node);
    assert.equal(items.length, 1);
  });

  test("a host joins with a token, and pods run there", async () => {
    host = joining(["--token", token, "--data", second, "--node", "second"]);
    await eventually(
      "the node is ready",
      async () => {
        const found = await client.get(Node, toKey(undefined, "second")).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
        return found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
      },
      120_000,
    );
    const ranges = (await client.list(Node)).items.map(({ spec }) => spec?.podCIDR);
    assert.equal(new Set(ranges).size, 2);
    assert.equal((await stat(join(second, "node-client.pem"))).mode & 0o777, 0o600);

    await buildWelcomeImage(second);
    await client.create(Pod, {
      metadata: { name: "there", namespace: "default" },
      spec: {
        nodeName: "second",
        restartPolicy: "Never",
        containers: [{ name: "c", image, command: ["sh", "-c", "echo here on the second host"] }],
      },
    });
    await eventually(
      "the pod has done its work",
      async () => (await client.get(Pod, toKey("default", "there"))).status.phase === "Succeeded",
      120_000,
    );
    // Through the API server to the kubelet of the second host, which has a certificate of its own.
    const { text } = await runAtoll("kubectl", "--data", first, "logs", "there");
    assert.match(text, /here on the second host/);
  });

  test("a node that is there is not taken over by a token", async () => {
    const thief = join(folder, "thief");
    const taking = joining(["--token", token, "--data", thief, "--node", "second"]);
    await eventually("people are asked", () => /kubectl certificate approve csr-/.test(taking.said()), 60_000);
    await runAtoll("down", "--data", thief);
    await taking.ended;
  });

  test("a host that has joined needs no token again", async () => {
    await runAtoll("down", "--data", second);
    await host?.ended;
    host = joining(["--data", second, "--node", "second"]);
    await eventually("it runs", () => /This host is node second/.test(host?.said() ?? ""), 60_000);
  });
});
