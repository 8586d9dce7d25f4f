/**
 * YAML bodies, without standing in other clients' way. The parser takes a millisecond for a few kilobytes of text made
 * for it, so large bodies are parsed on a thread of their own; and it takes 40 ms to load, so it is loaded when the
 * first YAML comes. What kubectl sends as YAML is JSON, and is read as that.
 */
import { Worker } from "node:worker_threads";
import { DepthExceeded, JsonError, type ParsedJson, parseJson } from "@atoll/machinery/json/json";

/** What the thread is asked. */
export interface YamlQuestion {
  readonly text: string;
  readonly maxDepth: number;
}

/** What it answers: the data as JSON text, which passes between threads faster than objects, or why not. */
export type YamlAnswer =
  | { readonly json: string; readonly duplicates: readonly string[] }
  | { readonly refused: string; readonly tooDeep: boolean };

/** The body is no YAML. The message holds none of it. */
export class YamlRefused extends Error {
  override readonly name = "YamlRefused";
}

/** Characters that are parsed at once: some 20 ms at worst. */
const smallLength = 8_192;
/** Memory of the thread; a text of 3 MiB needs a fraction of it. */
const memoryMiB = 512;

/**
 * Parses a YAML body; see parseYaml() for what is read how.
 * @throws {YamlRefused}
 * @throws {DepthExceeded}
 */
export async function parseYamlAside(text: string, maxDepth: number): Promise<ParsedJson> {
  const json = /^\s*\{/.test(text) ? asJson(text, maxDepth) : undefined;
  if (json !== undefined) return json;
  return text.length <= smallLength ? parseHere(text, maxDepth) : parseThere({ text, maxDepth });
}

function asJson(text: string, maxDepth: number): ParsedJson | undefined {
  try {
    return parseJson(text, { maxDepth });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

async function parseHere(text: string, maxDepth: number): Promise<ParsedJson> {
  const { parseYaml, YamlError } = await import("@atoll/machinery/yaml/yaml");
  try {
    return parseYaml(text, { maxDepth });
  } catch (cause) {
    if (cause instanceof YamlError) throw new YamlRefused(cause.message, { cause });
    throw cause;
  }
}

function parseThere(question: YamlQuestion): Promise<ParsedJson> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: question,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const { promise, resolve, reject } = Promise.withResolvers<ParsedJson>();
  worker.once("message", (answer: YamlAnswer) => {
    if ("json" in answer) resolve({ value: parseJson(answer.json).value, duplicates: answer.duplicates });
    else reject(answer.tooDeep ? new DepthExceeded(question.maxDepth) : new YamlRefused(answer.refused));
  });
  // Out of memory, most likely.
  worker.once("error", (cause) => reject(new YamlRefused("yaml: the text could not be parsed", { cause })));
  worker.once("exit", () => reject(new YamlRefused("yaml: the parser ended without an answer")));
  return promise;
}
