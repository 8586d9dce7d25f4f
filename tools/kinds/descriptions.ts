/**
 * Makes the file of upstream's descriptions that `kubectl explain` shows, when Atoll is installed: from the type
 * declarations of @kubernetes/client-node, which is generated from upstream's OpenAPI. They are upstream's words, so
 * they are no part of this repository.
 *
 *     node tools/kinds/descriptions.ts [FILE]
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { builtinSchema, builtinTypes } from "@atoll/api/schemas";

/** Descriptions of a type: its own, and its fields'. */
interface TypeDescription {
  readonly description?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

const defaultFile = join(import.meta.dirname, "../../node_modules/.cache/atoll/descriptions.json");

/** The folder of client-node's models. */
function modelsFolder(): string {
  const entry = createRequire(import.meta.url).resolve("@kubernetes/client-node");
  return join(dirname(entry), "gen/models");
}

const comment = /\/\*\*\s*\n\s*\* (.*)\n\s*\*\//;
const field = new RegExp(`${comment.source}\\s*'([^']+)'`, "g");
const model = new RegExp(`${comment.source}\\s*export declare class`);
const names = /"name": "([^"]+)",\s*"baseName": "([^"]+)"/g;

/** Quotes are escaped in the declarations. */
function plain(text: string): string {
  return text.replaceAll(/\\(['"`\\])/g, "$1").trim();
}

/** Names of fields in JSON by their names in TypeScript: `_default` is `default`. */
function jsonNames(source: string): ReadonlyMap<string, string> {
  return new Map([...source.matchAll(names)].map(([, name = "", json = ""]) => [name, json]));
}

/** What a model's files say. */
export function readModel(declaration: string, source: string): TypeDescription {
  const json = jsonNames(source);
  const fields = [...declaration.matchAll(field)].map(
    ([, text = "", name = ""]) => [json.get(name) ?? name, plain(text)] as const,
  );
  const own = model.exec(declaration)?.[1];
  return { ...(own === undefined ? {} : { description: plain(own) }), fields: Object.fromEntries(fields) };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The model's name for a type; where several groups have one of that name, the group is put in front. */
function modelName(folder: string, apiVersion: string, type: string): string | undefined {
  const [group = "", version = ""] = apiVersion.split("/");
  const plainName = `${capital(version)}${type}`;
  const candidates = [`${capital(group.replace(/\..*/, ""))}${plainName}`, plainName];
  return candidates.find((name) => existsSync(join(folder, `${name}.d.ts`)));
}

function describe(folder: string): Record<string, TypeDescription> {
  const described: Record<string, TypeDescription> = {};
  for (const { apiVersion, name } of builtinTypes()) {
    const openApiName = builtinSchema(apiVersion, name)["x-atoll-name"];
    const found = modelName(folder, apiVersion, name);
    if (openApiName === undefined || found === undefined) continue;
    const [declaration, source] = ["d.ts", "js"].map((ending) =>
      readFileSync(join(folder, `${found}.${ending}`), "utf8"),
    );
    described[openApiName] = readModel(declaration ?? "", source ?? "");
  }
  return described;
}

function main(file: string): void {
  const described = describe(modelsFolder());
  mkdirSync(dirname(file), { recursive: true });
  // In place at once: a server may be reading it.
  writeFileSync(`${file}.new`, JSON.stringify(described));
  renameSync(`${file}.new`, file);
  process.stdout.write(`described ${Object.keys(described).length} types\n`);
}

if (import.meta.main) main(process.argv[2] ?? defaultFile);
