/**
 * Files that configure the server, in the forms that kube-apiserver takes: YAML or JSON with apiVersion and kind, read
 * strictly, so that a misspelt field is an error and not a gap in security.
 * Source: k8s.io/apiserver/pkg/server/options
 */
import { DecodeError, decode } from "@atoll/machinery/schema/decode";
import type { FieldErrors } from "@atoll/machinery/field";
import type { Schema } from "@atoll/machinery/schema/schema";
import { parseYaml } from "@atoll/machinery/yaml/yaml";

/** A configuration that cannot be used; the message says why, and holds nothing secret. */
export class ConfigurationInvalid extends Error {
  override readonly name = "ConfigurationInvalid";
}

/** One kind of file. */
export interface ConfigurationKind {
  readonly kind: string;
  readonly apiVersions: readonly string[];
  /** Of the fields beside apiVersion and kind. */
  readonly properties: Readonly<Record<string, Schema>>;
}

/**
 * The fields of a file, of the types that its schema names; T must say the same.
 * @throws {ConfigurationInvalid}
 */
export function readConfiguration<T>(text: string, { kind, apiVersions, properties }: ConfigurationKind): T {
  const given = parse(text);
  const { apiVersion, kind: named } = given as { apiVersion?: unknown; kind?: unknown };
  if (named !== kind || typeof apiVersion !== "string" || !apiVersions.includes(apiVersion)) {
    throw new ConfigurationInvalid(`expected kind ${kind} of ${apiVersions.join(" or ")}`);
  }
  const string: Schema = { type: "string" };
  const schema: Schema = { type: "object", properties: { apiVersion: string, kind: string, ...properties } };
  try {
    const { value, unknown } = decode(schema, given);
    if (unknown.length > 0) throw new ConfigurationInvalid(unknown.join(", "));
    return value as T;
  } catch (cause) {
    if (cause instanceof DecodeError) throw new ConfigurationInvalid(cause.message, { cause });
    throw cause;
  }
}

function parse(text: string): object {
  let parsed: { readonly value: unknown; readonly duplicates: readonly string[] };
  try {
    parsed = parseYaml(text);
  } catch (cause) {
    throw new ConfigurationInvalid("the file is no YAML", { cause });
  }
  if (parsed.duplicates.length > 0) throw new ConfigurationInvalid(parsed.duplicates.join(", "));
  if (typeof parsed.value !== "object" || parsed.value === null) throw new ConfigurationInvalid("the file is empty");
  return parsed.value;
}

/** @throws {ConfigurationInvalid} there are errors */
export function refuseErrors(errors: FieldErrors): void {
  if (errors.ok) return;
  throw new ConfigurationInvalid(errors.list.map(({ field, message }) => `${field}: ${message}`).join("; "));
}
