/** Parses one YAML text on a thread of its own: see aside.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { DepthExceeded, stringifyJson } from "@atoll/machinery/json/json";
import { parseYaml } from "@atoll/machinery/yaml/yaml";
import type { YamlAnswer, YamlQuestion } from "./aside.ts";

function answer({ text, maxDepth }: YamlQuestion): YamlAnswer {
  try {
    const { value, duplicates } = parseYaml(text, { maxDepth });
    return { json: stringifyJson(value), duplicates };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { refused: message, tooDeep: error instanceof DepthExceeded };
  }
}

parentPort?.postMessage(answer(workerData as YamlQuestion));
