/**
 * Makes api/builtin/GROUP/VERSION.ts and .types.ts from the Go sources of k8s.io/api, k8s.io/apimachinery and
 * k8s.io/apiextensions-apiserver.
 *
 *     node tools/kinds/generate.ts [FOLDER]      the one that holds k8s.io/; fetched from Debian when not given
 *
 * api/builtin/apiregistration.k8s.io is written by hand: no Debian package holds its source.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GoWorld, type TypeFacts } from "./facts.ts";
import { readGo } from "./golang.ts";
import { type ApiPackage, openApiPrefix, packages } from "./packages.ts";
import { writeFacts } from "./notation.ts";
import { goSources } from "./sources.ts";
import { writeTypes } from "./typescript.ts";

const builtin = join(import.meta.dirname, "../../api/builtin");
const notSource = /^zz_|_test\.go$|\.pb\.go$|_swagger_|^(doc|register|conversion)\.go$/;

function readPackage(folder: string, from: ApiPackage, world: GoWorld): void {
  const path = join(folder, from.path);
  for (const file of readdirSync(path)) {
    if (file.endsWith(".go") && !notSource.test(file)) world.add(from, readGo(readFileSync(join(path, file), "utf8")));
  }
}

function write(file: string, text: string): void {
  const path = join(builtin, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function main(folder: string): void {
  const world = new GoWorld();
  for (const from of packages) readPackage(folder, from, world);
  const all = new Map<ApiPackage, readonly TypeFacts[]>(packages.map((from) => [from, world.factsOf(from)]));
  for (const [from, facts] of all) {
    write(`${from.file}.ts`, writeFacts(openApiPrefix(from.path), from, facts));
    write(`${from.file}.types.ts`, writeTypes(from, facts));
  }
}

main(process.argv[2] ?? (await goSources()));
