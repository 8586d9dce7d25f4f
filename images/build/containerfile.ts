/**
 * What a Containerfile starts from: the names of images in FROM and COPY --from, so that they can be had before the build.
 * Only as much is read as that needs; buildah reads the rest.
 * Source: Containerfile(5)
 */
import { ImageBuildFailed } from "../errors.ts";

/** An instruction as it stands in the file. */
interface Instruction {
  readonly word: string;
  readonly rest: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

const isComment = (line: string): boolean => /^\s*#/.test(line);
const continues = /\\[ \t]*$/;

/** Instructions without comments, their continued lines joined. */
function instructions(text: string): Instruction[] {
  const lines = text.split(/\r?\n/);
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    let whole = lines[at] ?? "";
    if (isComment(whole)) continue;
    while (continues.test(whole) && at + 1 < lines.length) {
      at += 1;
      const next = lines[at] ?? "";
      whole = whole.replace(continues, isComment(next) || next.trim() === "" ? "\\" : ` ${next}`);
    }
    const [, word = "", rest = ""] = /^\s*([A-Za-z]+)(?:\s+(.*))?$/.exec(whole) ?? [];
    if (word !== "") found.push({ word: word.toUpperCase(), rest: rest.trim(), line });
    else if (whole.trim() !== "")
      throw new ImageBuildFailed(`Containerfile, line ${line}: "${whole.trim()}" is no instruction`);
  }
  return found;
}

const supported = new Set(
  "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split(
    " ",
  ),
);

/** Why an instruction cannot be carried out, with what to write instead. */
function whyNot({ word, rest }: Instruction): string | undefined {
  if (word === "ONBUILD")
    return "ONBUILD is not supported: write its instruction into the Containerfiles that build on this one";
  if (!supported.has(word)) return `${word} is no instruction; there are ${[...supported].join(", ")}`;
  if (["RUN", "COPY", "ADD"].includes(word) && /(^|\s)<<-?["']?[A-Za-z_]/.test(rest)) {
    return `${word} with a here-document is not supported: join commands by &&, or COPY a script`;
  }
  return undefined;
}

/**
 * Looks for what cannot be built before anything is.
 * @returns remarks about what has no effect
 * @throws {ImageBuildFailed} with the line, and what to write instead
 */
export function checkContainerfile(text: string): string[] {
  return instructions(text).flatMap((instruction) => {
    const why = whyNot(instruction);
    if (why !== undefined) throw new ImageBuildFailed(`Containerfile, line ${instruction.line}: ${why}`);
    if (instruction.word !== "HEALTHCHECK") return [];
    return [`Containerfile, line ${instruction.line}: HEALTHCHECK has no effect: write a livenessProbe into the Pod`];
  });
}

/**
 * The line of a step that buildah announces, `[STAGE/STAGES] STEP N/M: …`, both from 1; undefined if it is none of the
 * file's.
 */
export function lineOfStep(text: string, { stage, step }: { stage: number; step: number }): number | undefined {
  let stages = 0;
  let steps = 0;
  for (const { word, line } of instructions(text)) {
    if (word === "FROM") [stages, steps] = [stages + 1, 0];
    if (stages === 0) continue;
    steps += 1;
    if (stages === stage && steps === step) return line;
  }
  return undefined;
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
