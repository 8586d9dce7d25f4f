/** Secret. Source: k8s.io/kubernetes/pkg/registry/core/secret, pkg/apis/core/validation (ValidateSecret) */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { configKeyErrors } from "@atoll/machinery/names";
import type { Secret } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

const maxBytes = 1024 * 1024;
const data = Path.of("data");
const accountKey = "kubernetes.io/service-account.name";

/** The rules of Secrets. */
export const secret: Strategy<Secret> = {
  revalidatesMetadata: true,
  setDefaults(object) {
    object.type ||= "Opaque";
    if (object.stringData !== undefined && Object.keys(object.stringData).length > 0) {
      object.data = { ...object.data };
      for (const [key, text] of Object.entries(object.stringData)) object.data[key] = base64(text);
    }
    delete object.stringData;
  },
  prepareForUpdate(object, old) {
    object.type ||= old.type ?? "Opaque";
  },
  validate(object, errors) {
    const entries = Object.entries(object.data ?? {});
    for (const [key] of entries) {
      for (const message of configKeyErrors(key)) errors.invalid(data.key(key), key, message);
    }
    if (entries.reduce((sum, [, value]) => sum + bytesIn(value), 0) > maxBytes) errors.tooLong(data, maxBytes);
    checkByType(object, errors);
  },
  validateUpdate(object, old, errors) {
    if (object.type !== old.type) errors.invalid(Path.of("type"), object.type, "field is immutable");
    if (old.immutable === true) {
      const why = "field is immutable when `immutable` is set";
      if (object.immutable !== true) errors.forbidden(Path.of("immutable"), why);
      if (!deepEqual(object.data ?? {}, old.data ?? {})) errors.forbidden(data, why);
    }
    secret.validate?.(object, errors);
  },
  warnings: ({ type, data: held = {} }) => (type === "kubernetes.io/tls" ? tlsWarnings(held) : []),
  fields: { type: ({ type }) => type ?? "" },
  table: {
    columns: [
      nameColumn,
      column("Type", "What its keys are for."),
      column("Data", "How many keys it holds."),
      ageColumn,
    ],
    cells: ({ metadata, type, data: held = {} }, nowMs) => [
      metadata.name ?? "",
      type ?? "",
      Object.keys(held).length,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

/** Whether there is a certificate and a key at all; whether they fit is not looked at. Source: tls.X509KeyPair */
function tlsWarnings(held: Readonly<Record<string, string>>): string[] {
  const hasPem = (key: string): boolean => /-----BEGIN [A-Z0-9 ]+-----/.test(atob(held[key] ?? ""));
  if (!hasPem("tls.crt")) return ["tls: failed to find any PEM data in certificate input"];
  return hasPem("tls.key") ? [] : ["tls: failed to find any PEM data in key input"];
}

function bytesIn(value: string): number {
  return Math.floor((value.length * 3) / 4) - (/=*$/.exec(value)?.[0].length ?? 0);
}

function base64(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

function checkByType({ metadata, type, data: held = {} }: Secret, errors: FieldErrors): void {
  const need = (key: string): void => {
    if (!Object.hasOwn(held, key)) errors.required(data.key(key));
  };
  switch (type) {
    case "kubernetes.io/service-account-token":
      if (!metadata.annotations?.[accountKey]) errors.required(Path.of("metadata", "annotations").key(accountKey));
      break;
    case "kubernetes.io/dockercfg":
      checkJson(held, ".dockercfg", errors);
      break;
    case "kubernetes.io/dockerconfigjson":
      checkJson(held, ".dockerconfigjson", errors);
      break;
    case "kubernetes.io/basic-auth":
      if (Object.hasOwn(held, "username") || Object.hasOwn(held, "password")) break;
      need("username");
      need("password");
      break;
    case "kubernetes.io/ssh-auth":
      if (!held["ssh-privatekey"]) errors.required(data.key("ssh-privatekey"));
      break;
    case "kubernetes.io/tls":
      need("tls.crt");
      need("tls.key");
      break;
    default:
      break;
  }
}

/** The configuration of a registry's clients is a JSON object. */
function checkJson(held: Readonly<Record<string, string>>, key: string, errors: FieldErrors): void {
  const text = held[key];
  if (text === undefined) return errors.required(data.key(key));
  try {
    const value: unknown = JSON.parse(atob(text));
    if (typeof value === "object" && !Array.isArray(value)) return;
    errors.invalid(data.key(key), "<secret contents redacted>", "must be a JSON object");
  } catch {
    errors.invalid(data.key(key), "<secret contents redacted>", "must be JSON");
  }
}
