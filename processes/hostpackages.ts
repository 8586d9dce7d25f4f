/** Debian packages that running pods needs on this host, and testing it: which are missing, and bringing them. */
import { execFile, spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { packagesFor as crxPackages } from "@atoll/crx/packages";
import { packagesFor as imagePackages } from "@atoll/images/packages";

/** Packages of net/: routes and taps, rules, flows to be led anew, and telling neighbours of addresses. */
const networkPackages: readonly string[] = ["iproute2", "nftables", "conntrack", "iputils-arping"];

/** Every package that pods need, the welcome pod's image among it. */
function wantedPackages(): readonly string[] {
  const names = [
    ...crxPackages("run", "build"),
    ...imagePackages("run", "build"),
    ...networkPackages,
    "busybox-static",
  ];
  return [...new Set(names)].sort();
}

/** What the tests use beside them: second opinions, a registry to pull from, a browser, a folder that two hosts share. */
const testPackages: readonly string[] = [
  ...crxPackages("test"),
  ...imagePackages("test"),
  ..."chromium openssh-sftp-server openssl sshfs".split(" "),
];

/** Those of `wantedPackages` that are not installed. */
export async function missingPackages(): Promise<readonly string[]> {
  return await missingOf(wantedPackages());
}

/** Those that are not installed, of all that the tests use. */
export async function missingForTests(): Promise<readonly string[]> {
  return await missingOf([...new Set([...wantedPackages(), ...testPackages])].sort());
}

/** Those that are not installed; none on a host without dpkg, which must know by itself. */
export async function missingOf(wanted: readonly string[]): Promise<readonly string[]> {
  const hasDpkg = await access("/usr/bin/dpkg-query").then(
    () => true,
    () => false,
  );
  if (!hasDpkg) return [];
  const installed = await new Promise<string>((done) => {
    // It fails when one is unknown, and lists the others all the same.
    execFile("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...wanted], (_, stdout) => done(stdout));
  });
  const have = new Set(
    installed.split("\n").flatMap((line) => (line.endsWith(" installed") ? [line.split(" ")[0]] : [])),
  );
  return wanted.filter((name) => !have.has(name));
}

/** A fresh machine often installs its updates just then: that is waited for. */
const waitForOthers = ["-o", "DPkg::Lock::Timeout=300"];

/** The command that brings them. */
export const installCommand = (names: readonly string[]): readonly string[] => [
  "apt-get",
  "install",
  "--yes",
  "--no-install-recommends",
  ...names,
];

/**
 * Installs packages, its output on standard error.
 * @throws {Error} apt-get could not
 */
export async function installPackages(names: readonly string[]): Promise<void> {
  if ((await apt(installCommand(names))) === 0) return;
  // A fresh machine may never have asked for the lists.
  await apt(["apt-get", "update"]);
  if ((await apt(installCommand(names))) !== 0)
    throw new Error(`apt-get could not install ${names.join(" ")}; see above`);
}

async function apt([program = "", ...args]: readonly string[]): Promise<number> {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(program, [...waitForOthers, ...args], { env: environment, stdio: ["ignore", "ignore", 2] });
  return await new Promise((done) => {
    child.once("error", () => done(1));
    child.once("exit", (code) => done(code ?? 1));
  });
}
