/**
 * Upstream's Go sources, from Debian: the generator reads their types, and tests compare with the samples in them.
 *
 *     node tools/kinds/sources.ts      fetches them and leaves .cache/go leading there, where tests look
 */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fetchDebian } from "../debian.ts";

const packages: readonly string[] = [
  "golang-k8s-api-dev",
  "golang-k8s-apiextensions-apiserver-dev",
  "golang-k8s-apimachinery-dev",
  "golang-k8s-client-go-dev",
];

/** The folder that holds k8s.io/. Debian sid has them; 0.36 when this was written. */
export async function goSources(): Promise<string> {
  return join(await fetchDebian({ suite: "sid", packages }), "usr/share/gocode/src");
}

if (import.meta.main) {
  const link = join(import.meta.dirname, "../../.cache/go");
  const folder = await goSources();
  mkdirSync(join(link, ".."), { recursive: true });
  rmSync(link, { force: true, recursive: true });
  symlinkSync(folder, link);
  process.stdout.write(`${folder}\n`);
}
