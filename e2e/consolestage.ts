/** The console before a real server with its controllers, and what tests do on its pages. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@atoll/client/client";
import { controllers } from "@atoll/controllers/index";
import { fleetControllers } from "@atoll/fleet/index";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, type HarnessOptions, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { consoleUser, offerLink } from "@atoll/portal/links";
import type { Credential } from "@atoll/portal/credential";
import { type Portal, type PortalOptions, startPortal } from "@atoll/portal/portal";
import { clientPath } from "@atoll/processes/clients";
import { consoleBundle } from "@atoll/processes/consolebundle";
import { installKinds } from "@atoll/processes/kinds";
import { formatKubeconfig } from "@atoll/processes/kubeconfig";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { silent } from "@atoll/runtime/log";
import { nodeTransport } from "@atoll/runtime/transport";
import { issue } from "@atoll/server/pki/authority";
import type { Browser, Page } from "playwright-core";

/** Pictures go here when ATOLL_PICTURES is set: they change with every release of the browser. */
const pictures = join(import.meta.dirname, "..", "docs", "console");

/** A server, its controllers, a console, and kubectl. */
export interface Stage {
  readonly harness: Harness;
  readonly workshop: Workshop;
  readonly portal: Portal;
  readonly url: string;
  /** The admin's, as a file. */
  readonly kubeconfig: string;
  /** The admin's client. */
  readonly client: Client;
  kubectl(args: string, input?: string): Promise<string>;
  /** A one-time link for a credential; the admin's when none is given. */
  link(credential?: Credential): Promise<string>;
  /** A person's credential: a certificate of the cluster. */
  person(name: string, groups?: readonly string[]): Promise<Credential>;
  close(): Promise<void>;
}

function clientFor(harness: Harness, cert: string, key: string): Client {
  const identity = { tls: async () => ({ ca: harness.tls.ca, cert, key }), authorization: async () => undefined };
  const transport = nodeTransport({ server: harness.url, identity, clock: systemClock });
  return new Client({ transport, clock: systemClock, userAgent: "test" });
}

/** What a stage has beside the server. */
interface StageOptions extends HarnessOptions {
  /** Kinds of Atoll's own and the controllers of Mission Control. */
  readonly fleet?: boolean;
  readonly portal?: Partial<Pick<PortalOptions, "port" | "oidc" | "clock">>;
}

/** Starts all of it. */
export async function openStage({
  fleet = false,
  portal: ofPortal = {},
  ...options
}: StageOptions = {}): Promise<Stage> {
  const harness = await startHarness(options);
  const own = fleet ? fleetControllers() : [];
  const workshop = startControllers(harness, [...controllers({ ca: harness.tls.ca, signing: harness.pki.ca }), ...own]);
  const folder = await mkdtemp(join(tmpdir(), "atoll-console-"));
  const kubeconfig = join(folder, "kubeconfig");
  const admin = { cert: harness.tls.cert, key: harness.tls.key };
  await writeFile(
    kubeconfig,
    formatKubeconfig({ server: harness.url, ca: harness.tls.ca, user: "admin", identity: admin }),
  );
  const program = await clientPath("kubectl");
  const person = async (name: string, groups: readonly string[] = []): Promise<Credential> => {
    const wanted = { commonName: name, organizations: groups, usage: "client", days: 1 } as const;
    return { kind: "certificate", ...(await issue(harness.pki.ca, wanted, systemClock.nowMs())) };
  };
  const portalsOwn = await person(consoleUser);
  assert(portalsOwn.kind === "certificate");
  const client = clientFor(harness, admin.cert, admin.key);
  if (fleet) await installKinds(client, systemClock);
  const portal = await startPortal({
    hub: { server: harness.url, ca: harness.tls.ca },
    client: clientFor(harness, portalsOwn.cert, portalsOwn.key),
    clock: systemClock,
    log: silent,
    tls: await selfSigned("atoll-console", ["127.0.0.1"], systemClock.nowMs()),
    bind: "127.0.0.1",
    port: 0,
    assets: await consoleBundle(),
    ...ofPortal,
  });
  const url = `https://127.0.0.1:${portal.port}`;
  return {
    harness,
    workshop,
    portal,
    url,
    kubeconfig,
    client,
    person,
    link: async (credential = { kind: "certificate", ...admin }) =>
      `${url}/sign-in#${await offerLink(client, credential)}`,
    kubectl: (args, input) =>
      new Promise((done, fail) => {
        const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
        const child = execFile(program, args.split(" "), { env, timeout: 60_000 }, (error, out, err) =>
          error === null ? done(out) : fail(new Error(err)),
        );
        child.stdin?.end(input);
      }),
    async close() {
      await portal.close();
      await workshop.stop();
      await harness.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new person's browser window; what goes wrong in its pages, or asks other hosts, fails the test that calls `healthy`. */
export async function openWindow(
  browser: Browser,
  hosts: readonly string[] = ["127.0.0.1"],
): Promise<{ page: Page; healthy(): void }> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1440, height: 900 },
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.stack ?? error.message));
  page.on("console", (message) => {
    // A refusal that a page shows as one is not an error of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) wrong.push(message.text());
  });
  page.on("request", (request) => {
    const { hostname } = new URL(request.url());
    if (!hosts.includes(hostname) && hostname !== "") wrong.push(`a request to ${hostname}`);
  });
  return { page, healthy: () => assert.deepEqual(wrong, []) };
}

/** Uses a link. */
export async function signIn(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Areas" }).waitFor();
}

const axe = readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

/** Fails on what keeps people out: WCAG 2.2 A and AA, as far as a program can see. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(await axe);
  const run = `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`;
  const { violations } = (await page.evaluate(run)) as AxeResult;
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 200)}`),
  );
  assert.deepEqual(found, [], new URL(page.url()).pathname);
}

/** A picture of the page as it is: wide in light and dark, and narrow. */
export async function picture(page: Page, name: string): Promise<void> {
  if (process.env["ATOLL_PICTURES"] === undefined) return;
  await mkdir(pictures, { recursive: true });
  const dark = "pf-v6-theme-dark";
  const take = async (suffix: string) =>
    await page.screenshot({ path: join(pictures, `${name}${suffix}.png`), animations: "disabled" });
  await take("");
  await page.evaluate(`document.documentElement.classList.add("${dark}")`);
  await take("-dark");
  await page.evaluate(`document.documentElement.classList.remove("${dark}")`);
  await page.setViewportSize({ width: 390, height: 844 });
  await take("-narrow");
  await widen(page);
}

/** Back to the usual width; what follows it has followed. */
async function widen(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  const sidebar = page.locator("#page-sidebar");
  if ((await sidebar.count()) > 0) await page.locator('#page-sidebar[aria-hidden="false"]').waitFor();
}

/** As `assertAccessible`, on a narrow screen. */
export async function assertAccessibleNarrow(page: Page): Promise<void> {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator('#page-sidebar[aria-hidden="true"]').waitFor({ state: "attached" });
  await assertAccessible(page);
  await widen(page);
}
