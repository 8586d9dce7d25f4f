/**
 * Every export has a doc comment. In Markdown every relative link leads somewhere, every file or folder that is named (as
 * `server/pipeline.ts`) is there, and an RFD says how it stands.
 */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const skipped = new Set(["node_modules", "dist", "builtin", ".git", ".cache"]);

function* files(folder: string, ending: RegExp): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path, ending);
    else if (ending.test(entry.name)) yield path;
  }
}

// Types of a few fields say all there is to say; functions, classes and constants have a contract.
const documented = /^export (?:async )?(?:abstract )?(?:function\*?|class|const) (\w+)/;

function undocumented(path: string): string[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    const name = documented.exec(line)?.[1];
    if (name === undefined) return [];
    const before = lines[i - 1]?.trim() ?? "";
    // Overloads, and rows of constants under one comment.
    const grouped = documented.test(lines[i - 1] ?? "");
    const headed = before.endsWith("*/") || before.startsWith("/**") || (i < 3 && before === "");
    // A module of one export may be described by its header.
    const alone = lines.filter((other) => documented.test(other)).length === 1 && lines[0]?.startsWith("/**") === true;
    return headed || grouped || alone ? [] : [`${relative(root, path)}:${i + 1}: ${name} has no doc comment`];
  });
}

const links = /\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)/g;

function deadLinks(path: string): string[] {
  const text = readFileSync(path, "utf8").replace(/```[\s\S]*?```/g, "");
  return [...text.matchAll(links)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)))
    .map((target) => `${relative(root, path)}: dead link ${target}`);
}

const folders = new Set(
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !skipped.has(entry.name))
    .map(({ name }) => name),
);

/** `a/{b,c}.ts` is two names. */
function spread(name: string): readonly string[] {
  const [, before = "", options, after = ""] = /^([^{]*)\{([^}]*)\}(.*)$/.exec(name) ?? [];
  return options === undefined ? [name] : options.split(",").flatMap((each) => spread(before + each + after));
}

/** Whether there is a file or folder of that name, with or without its ending; `*` and `**` as in a shell. */
const isThere = (name: string): boolean => globSync(`${name}{,.ts,.test.ts}`, { cwd: root }).length > 0;

function missingFiles(path: string): string[] {
  const text = readFileSync(path, "utf8").replace(/```[\s\S]*?```/g, "");
  return [...text.matchAll(/`([a-z][\w.-]*\/[\w.{},/*-]+)`/g)]
    .flatMap(([, name = ""]) => spread(name.replace(/\/$/, "")))
    .filter((name) => folders.has(name.split("/")[0] ?? "") && !/\/[A-Z]+\b/.test(name) && !isThere(name))
    .map((name) => `${relative(root, path)}: no file ${name}`);
}

function unstated(path: string): string[] {
  if (/^State: (discussion|accepted|built|abandoned)\b/m.test(readFileSync(path, "utf8"))) return [];
  return [`${relative(root, path)}: no line "State: …" of discussion, accepted, built or abandoned`];
}

const problems = [
  ...[...files(root, /(?<!\.test)\.ts$/)].flatMap(undocumented),
  ...[...files(root, /\.md$/)].flatMap((path) => [...deadLinks(path), ...missingFiles(path)]),
  ...[...files(join(root, "docs", "rfd"), /\.md$/)].flatMap(unstated),
];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
