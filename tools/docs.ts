/**
 * Every export has a doc comment, and every relative link in a Markdown file leads somewhere.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
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

const problems = [
  ...[...files(root, /(?<!\.test)\.ts$/)].flatMap(undocumented),
  ...[...files(root, /\.md$/)].flatMap(deadLinks),
];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
