/** Debian's docker-registry, started for a test on a free port, with or without TLS and passwords. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { packagesFor } from "../packages.ts";

/** A running registry. */
export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
}

/** How to run it. */
export interface TestRegistryOptions {
  readonly dir: string;
  /** `user:password`; then every request needs it. */
  readonly password?: string;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

const have = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** Installs what the tests need when root; says why they cannot run, if they cannot. */
export function testToolsMissing(programs: readonly string[]): string | false {
  const missing = programs.filter((program) => !have(program));
  if (missing.length === 0) return false;
  if (process.getuid?.() === 0) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const args = ["install", "-y", "--no-install-recommends", ...packagesFor("test", "build")];
    spawnSync("apt-get", args, { env, stdio: "ignore", timeout: 300_000 });
  }
  const still = programs.filter((program) => !have(program));
  return still.length === 0 ? false : `${still.join(", ")} not installed`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

function configuration(options: TestRegistryOptions, port: number): string {
  const http: Record<string, unknown> = { addr: `127.0.0.1:${port}`, secret: "test" };
  if (options.tls !== undefined) http["tls"] = { certificate: options.tls.certificate, key: options.tls.key };
  const auth =
    options.password === undefined
      ? {}
      : { auth: { htpasswd: { realm: "test", path: join(options.dir, "htpasswd") } } };
  const storage = { filesystem: { rootdirectory: join(options.dir, "data") }, delete: { enabled: true } };
  // JSON is YAML.
  return JSON.stringify({ version: "0.1", log: { level: "error" }, storage, http, ...auth });
}

/** Starts a registry. */
export async function startRegistry(options: TestRegistryOptions): Promise<TestRegistry> {
  mkdirSync(join(options.dir, "data"), { recursive: true });
  const port = await freePort();
  const config = join(options.dir, "config.yml");
  writeFileSync(config, configuration(options, port));
  if (options.password !== undefined) {
    const [user = "", password = ""] = options.password.split(":");
    // libc's bcrypt, which is all that docker-registry takes, by way of what every Debian has.
    const script = 'print "$ARGV[0]:", crypt($ARGV[1], "\\$2y\\$05\\$" . "a" x 22), "\\n"';
    writeFileSync(join(options.dir, "htpasswd"), execFileSync("perl", ["-e", script, user, password]));
  }
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn("docker-registry", ["serve", config], { stdio: ["ignore", "ignore", "pipe"] });
    await answering(port, child);
  };
  const stop = async () => {
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child?.kill("SIGKILL");
    await ended;
  };
  await start();
  return { host: `127.0.0.1:${port}`, start, stop };
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`docker-registry: ${errors}`);
    if (await listens(port)) return;
    await systemClock.sleep(50);
  }
  throw new Error(`docker-registry does not answer: ${errors}`);
}

function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((answer) => {
    socket.destroy();
    return answer === true;
  });
}
