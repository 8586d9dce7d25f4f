/**
 * EncryptionConfiguration: which resources are stored encrypted, and by which keys. Of the ways listed for a resource
 * the first writes, and all of them read.
 * Source: k8s.io/apiserver/pkg/apis/apiserver/{types_encryption.go,validation}, …/server/options/encryptionconfig;
 * https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import type { Schema } from "@atoll/machinery/schema/schema";
import { type ConfigurationKind, readConfiguration, refuseErrors } from "../configuration/read.ts";
import { aescbc, aesgcm, identity, type NamedKey, type Transform } from "./transform.ts";

/** The ways of some resources, the one that writes first. */
export interface EncryptionRule {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group), `*.*`. */
  readonly resources: readonly string[];
  readonly transforms: readonly Transform[];
}

/** A file that can be used. */
export interface Encryption {
  readonly rules: readonly EncryptionRule[];
}

interface GivenKeys {
  readonly keys?: readonly { readonly name?: string; readonly secret?: string }[];
}

interface GivenProvider {
  readonly aesgcm?: GivenKeys;
  readonly aescbc?: GivenKeys;
  readonly secretbox?: GivenKeys;
  readonly identity?: object;
  readonly kms?: object;
}

const string: Schema = { type: "string" };
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: "object", properties });
const list = (items: Schema): Schema => ({ type: "array", items });
const keys = object({ keys: list(object({ name: string, secret: string })) });
const open: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const fileKind: ConfigurationKind = {
  kind: "EncryptionConfiguration",
  apiVersions: ["apiserver.config.k8s.io/v1"],
  properties: {
    resources: list(
      object({
        resources: list(string),
        providers: list(object({ aesgcm: keys, aescbc: keys, secretbox: keys, identity: object({}), kms: open })),
      }),
    ),
  },
};

const keyBytes = [16, 24, 32];

/** @throws {ConfigurationInvalid}; its message holds no key */
export function readEncryption(text: string): Encryption {
  const { resources: given = [] } = readConfiguration<{
    readonly resources?: readonly { resources?: readonly string[]; providers?: readonly GivenProvider[] }[];
  }>(text, fileKind);
  const errors = new FieldErrors();
  const root = Path.of("resources");
  if (given.length === 0) errors.required(root, "at least one resource configuration is required");
  const rules = given.map(({ resources = [], providers = [] }, i) => {
    const at = root.index(i);
    if (resources.length === 0) errors.required(at.child("resources"), "at least one resource is required");
    for (const [j, name] of resources.entries()) checkResource(name, at.child("resources").index(j), errors);
    if (providers.length === 0) errors.required(at.child("providers"), "at least one provider is required");
    const place = at.child("providers");
    return {
      resources,
      transforms: providers.flatMap((provider, j) => transformsOf(provider, place.index(j), errors)),
    };
  });
  refuseErrors(errors);
  return { rules };
}

function checkResource(name: string, at: Path, errors: FieldErrors): void {
  if (name === "") errors.required(at);
  else if (name === "*") {
    errors.invalid(
      at,
      name,
      "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources",
    );
  } else if (name.includes("*") && !/^\*\.(\*|[a-z0-9.-]*)$/.test(name)) {
    errors.invalid(at, name, "wildcards are *.GROUP, *. and *.*");
  } else if (name !== name.toLowerCase()) errors.invalid(at, name, "must be lower case");
}

function transformsOf(provider: GivenProvider, at: Path, errors: FieldErrors): readonly Transform[] {
  const kinds = Object.keys(provider);
  if (kinds.length !== 1) {
    errors.invalid(at, kinds.join(","), "a provider has exactly one of aesgcm, aescbc, identity");
    return [];
  }
  if (provider.identity !== undefined) return [identity];
  if (provider.aesgcm !== undefined) return keysOf(provider.aesgcm, at.child("aesgcm"), errors).map(aesgcm);
  if (provider.aescbc !== undefined) return keysOf(provider.aescbc, at.child("aescbc"), errors).map(aescbc);
  errors.notSupported(at, kinds[0] ?? "", ["aesgcm", "aescbc", "identity"]);
  return [];
}

function keysOf({ keys: given = [] }: GivenKeys, at: Path, errors: FieldErrors): readonly NamedKey[] {
  const place = at.child("keys");
  if (given.length === 0) errors.required(place, "at least one key is required");
  return given.map(({ name = "", secret = "" }, i) => {
    const here = place.index(i);
    if (name === "") errors.required(here.child("name"));
    else if (name.includes(":")) errors.invalid(here.child("name"), name, "must not contain a colon");
    if (given.findIndex((other) => other.name === name) < i) errors.duplicate(here.child("name"), name);
    const bytes = Buffer.from(secret, "base64");
    if (!keyBytes.includes(bytes.length)) {
      const why = `must be base64 of ${keyBytes.join(", ")} bytes, and is of ${bytes.length}`;
      errors.invalid(here.child("secret"), "REDACTED", why);
    }
    return { name, secret: bytes };
  });
}
