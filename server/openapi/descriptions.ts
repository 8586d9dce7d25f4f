/**
 * What the built-in types and their fields mean, in upstream's words. They are not part of this repository:
 * tools/kinds/descriptions.ts makes a file of them when Atoll is installed. Without it the documents lack descriptions.
 */
import { readFile } from "node:fs/promises";

/** Descriptions of one type. */
export interface TypeDescription {
  readonly description?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** By the type's name in OpenAPI, as `io.k8s.api.core.v1.Pod`. */
export type Descriptions = Readonly<Record<string, TypeDescription>>;

/** Where the install step puts them. */
const descriptionsFile: string = new URL("../../node_modules/.cache/atoll/descriptions.json", import.meta.url).pathname;

/** Reads the file; none when it is not there. */
export async function loadDescriptions(file: string = descriptionsFile): Promise<Descriptions> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Descriptions;
  } catch {
    return {};
  }
}
