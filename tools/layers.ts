/**
 * Holds the layers of the house: a package may depend only on packages of a strictly lower layer, imports only what it
 * declares, and the lower ones never touch Node. Tests are free.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Manifest {
  readonly name: string;
  readonly house?: { readonly layer: number };
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const manifest = (folder: string) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest;
const withoutNode = new Set(["@atoll/machinery", "@atoll/api", "@atoll/client", "@atoll/console"]);

/** All of these packages is tests, or what they share: like tests they may use the harness, and what processes are made of. */
const ofTests = new Set(["@atoll/e2e", "@atoll/bench"]);
const forTests = new Set(["@atoll/harness", "@atoll/processes"]);

const packages = new Map((manifest(".").workspaces ?? []).map((folder) => [folder, manifest(folder)]));
const layers = new Map([...packages.values()].map(({ name, house }) => [name, house?.layer ?? Number.NaN]));

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "dist") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name) && !/\.(test|config)\.tsx?$/.test(entry.name)) yield path;
  }
}

const imports = /(?:^|\n)\s*(?:import|export)\b[^;"']*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;

function problemsOf({ name, dependencies = {} }: Manifest, path: string): string[] {
  const text = readFileSync(path, "utf8");
  const targets = [...text.matchAll(imports)].map((match) => match[1] ?? match[2] ?? "");
  return targets.flatMap((target) => {
    if (target.startsWith("node:") && withoutNode.has(name))
      return [`imports ${target}, and ${name} must run anywhere`];
    if (!target.startsWith("@atoll/")) return [];
    const other = target.split("/").slice(0, 2).join("/");
    if (other === name) return [`imports itself by name: ${target}`];
    if (!Object.hasOwn(dependencies, other)) return [`imports ${other}, which ${name} does not declare`];
    if (forTests.has(other) && ofTests.has(name)) return [];
    const [own, below] = [layers.get(name), layers.get(other)];
    return own !== undefined && below !== undefined && below < own
      ? []
      : [`imports ${other} of layer ${below} from layer ${own}`];
  });
}

const problems = [...packages].flatMap(([folder, own]) => {
  if (!existsSync(join(root, folder))) return [`${folder}: no such workspace`];
  return [...sources(join(root, folder))].flatMap((path) =>
    problemsOf(own, path).map((problem) => `${relative(root, path)}: ${problem}`),
  );
});
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
