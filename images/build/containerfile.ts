/**
 * What a Containerfile starts from: the names of images in FROM and COPY --from, so that they can be had before the build.
 * Only as much is read as that needs; buildah reads the rest.
 * Source: Containerfile(5)
 */
import { ImageBuildFailed } from "../errors.ts";

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

/** Lines without comments, continued ones joined. */
function instructions(text: string): Instruction[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  const joined = lines.join("\n").replace(/\\[ \t]*\n/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [, word = "", rest = ""] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(line) ?? [];
    return word === "" ? [] : [{ word: word.toUpperCase(), rest: rest.trim() }];
  });
}

function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))/g, (_, braced, otherwise, bare) => {
    const value = values.get(braced ?? bare);
    return value === undefined || value === "" ? (otherwise ?? "") : value;
  });
}

function defaultArgument(rest: string, given: Readonly<Record<string, string>>): [string, string] {
  const [name = "", ...value] = rest.split("=");
  const stated = value.join("=").replace(/^(["'])(.*)\1$/, "$2");
  return [name, Object.hasOwn(given, name) ? (given[name] ?? "") : stated];
}

/** What is known so far of a file that is read from top to bottom. */
interface Reading {
  readonly values: Map<string, string>;
  /** Names of stages, lower-case; what bears one is no image. */
  readonly stages: Set<string>;
  readonly bases: Set<string>;
  count: number;
}

function addBase({ stages, bases }: Reading, name: string): void {
  if (!stages.has(name.toLowerCase())) bases.add(name);
}

function readFrom(reading: Reading, rest: string): void {
  const words = substitute(rest, reading.values).split(/\s+/);
  const [image = "", as = "", stage = ""] = words.filter((word) => !word.startsWith("--"));
  if (image === "") throw new ImageBuildFailed(`Containerfile: FROM ${rest}: names no image`);
  addBase(reading, image);
  reading.stages.add(String(reading.count));
  if (as.toUpperCase() === "AS") reading.stages.add(stage.toLowerCase());
  reading.count += 1;
}

function readCopy(reading: Reading, rest: string): void {
  const from = /--from=(\S+)/.exec(rest)?.[1];
  if (from !== undefined) addBase(reading, substitute(from, reading.values));
}

/**
 * Images a build needs from outside, in order, each once.
 * @param buildArgs values for ARG
 * @throws {ImageBuildFailed} no FROM, or one that names nothing
 */
export function basesOf(containerfile: string, buildArgs: Readonly<Record<string, string>> = {}): string[] {
  const reading: Reading = { values: new Map(), stages: new Set(["scratch"]), bases: new Set(), count: 0 };
  for (const { word, rest } of instructions(containerfile)) {
    if (word === "ARG" && reading.count === 0) reading.values.set(...defaultArgument(rest, buildArgs));
    if (word === "FROM") readFrom(reading, rest);
    if (word === "COPY") readCopy(reading, rest);
  }
  if (reading.count === 0) throw new ImageBuildFailed("Containerfile: no FROM");
  return [...reading.bases];
}
