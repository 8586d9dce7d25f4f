/**
 * From a definition to the kinds it defines, one for each version.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/{customresource_handler,customresource_discovery_controller}.go
 */
import {
  type CustomResourceDefinition,
  type Definition,
  definitionOf,
  type Version,
} from "@atoll/api/apiextensions/definition";
import type { Kind, Subresource, Verb } from "@atoll/api/kind";
import { ObjectMetaSchema } from "@atoll/api/meta";
import { type ApiObject, formatApiVersion, parseApiVersion } from "@atoll/machinery/object";
import type { Schema } from "@atoll/machinery/schema/schema";
import { asSchema } from "@atoll/machinery/schema/structural/raw";
import { Structural } from "@atoll/machinery/schema/structural/structural";
import { StatusError } from "@atoll/machinery/status";
import { compareVersions } from "@atoll/machinery/versions";
import { clone } from "../registry/versions.ts";
import type { Converter } from "./conversion.ts";
import { decodeCustom, readStored } from "./decode.ts";
import { customStrategy } from "./strategy.ts";

/** The kinds of a definition. */
export interface CustomKinds {
  readonly served: readonly Kind[];
  /** The storage version; among the served ones or not. */
  readonly stored: Kind;
}

export interface CustomKindsOptions {
  readonly converter: Converter;
  /** Whether the definition is being deleted. */
  readonly terminating: () => boolean;
}

const verbs: readonly Verb[] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const ofSubresources: readonly Verb[] = ["get", "patch", "update"];

/** @param crd whose names are accepted */
export function customKinds(crd: CustomResourceDefinition, options: CustomKindsOptions): CustomKinds {
  const definition = definitionOf(crd);
  const versions = new Versions(definition, options.converter);
  const kinds = definition.versions.map((version) => kindOf(crd, { definition, version, versions }, options));
  const stored = kinds.find(({ version }) => version === versions.storage);
  if (stored === undefined) throw new TypeError(`${crd.metadata.name} has no storage version`);
  const served = new Set(definition.versions.filter((version) => version.served).map(({ name }) => name));
  return { served: kinds.filter(({ version }) => served.has(version)), stored };
}

interface Part {
  readonly definition: Definition;
  readonly version: Version;
  readonly versions: Versions;
}

function kindOf(
  { status }: CustomResourceDefinition,
  { definition, version, versions }: Part,
  { terminating }: CustomKindsOptions,
): Kind {
  const names = status.acceptedNames;
  const facts = { group: definition.group, version: version.name, kind: names.kind };
  const structural = versions.structural(version.name);
  const shared = { ...definition.shared, ...version };
  const warning = deprecation(definition, version);
  return {
    ...facts,
    plural: names.plural,
    singular: names.singular ?? "",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: definition.scope === "Namespaced",
    verbs,
    subresources: subresourcesOf(shared),
    schema: versions.wholeSchema(version.name),
    strategy: customStrategy({ structural, shared, scalePaths: scalePathsOf(definition), terminating }),
    storedAs: {
      version: versions.storage,
      same: version.name === versions.storage,
      toStored: (object) => versions.toStored(object),
      fromStored: (object) => versions.fromStored(object, version.name),
    },
    custom: true,
    shownIn: (object, apiVersion) => versions.shownIn(object, apiVersion),
    decode: (value, origin) => decodeCustom({ ...facts, structural }, value, origin),
    ...(warning === undefined ? {} : { warning }),
  };
}

function scalePathsOf({ group, versions, shared }: Definition): Record<string, string | undefined> {
  return Object.fromEntries(
    versions.map(({ name, subresources = shared.subresources }) => [
      formatApiVersion(group, name),
      subresources?.scale?.specReplicasPath.replace(/^\./, ""),
    ]),
  );
}

function subresourcesOf({ subresources = {} }: Version | Definition["shared"]): readonly Subresource[] {
  const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" };
  return [
    ...(subresources.status === undefined ? [] : [{ name: "status", verbs: ofSubresources }]),
    ...(subresources.scale === undefined ? [] : [{ name: "scale", kind: scaleKind, verbs: ofSubresources }]),
  ];
}

/** The schema with what every object has. */
function wholeOf(schema: Schema): Schema {
  const text: Schema = { type: "string" };
  return {
    ...schema,
    type: "object",
    properties: { ...schema.properties, apiVersion: text, kind: text, metadata: ObjectMetaSchema },
  };
}

/** What clients of a deprecated version are told: its own words, or where to go instead. */
function deprecation({ group, names, versions }: Definition, version: Version): string | undefined {
  if (!version.deprecated) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const newer = versions
    .filter(({ served, deprecated, name }) => served && !deprecated && compareVersions(name, version.name) < 0)
    .map(({ name }) => name)
    .sort(compareVersions)[0];
  const told = `${group}/${version.name} ${names.kind} is deprecated`;
  return newer === undefined ? told : `${told}; use ${group}/${newer} ${names.kind}`;
}

/** The schemas of all versions, and the way between what is stored and what is served. */
class Versions {
  readonly storage: string;
  readonly #group: string;
  readonly #structurals: ReadonlyMap<string, Structural>;
  readonly #converter: Converter;
  /** Schemas with what every object has. */
  readonly #whole: ReadonlyMap<string, Schema>;

  constructor(definition: Definition, converter: Converter) {
    this.#group = definition.group;
    this.#converter = converter;
    this.storage = definition.versions.find(({ storage }) => storage)?.name ?? "";
    this.#structurals = new Map(
      definition.versions.map((version) => [version.name, structuralOf(definition, version)]),
    );
    this.#whole = new Map([...this.#structurals].map(([name, { schema }]) => [name, wholeOf(schema)]));
  }

  wholeSchema(version: string): Schema {
    return this.#whole.get(version) ?? anything;
  }

  /**
   * Ownership is kept by the fields' names: a webhook is not asked, so fields it calls otherwise count as not owned in
   * the other version.
   */
  shownIn(object: ApiObject, apiVersion: string): { object: ApiObject; schema: Schema } | undefined {
    const { group, version } = parseApiVersion(apiVersion);
    const structural = this.#structurals.get(version);
    if (group !== this.#group || structural === undefined) return undefined;
    const shown: ApiObject = { ...clone(object), apiVersion };
    readStored(structural, shown);
    return { object: shown, schema: this.wholeSchema(version) };
  }

  structural(version: string): Structural {
    const structural = this.#structurals.get(version);
    if (structural !== undefined) return structural;
    throw new StatusError("InternalError", `no version ${version} is defined in group ${this.#group}`);
  }

  toStored(object: ApiObject): ApiObject | Promise<ApiObject> {
    return this.#converted(object, this.storage, (converted) => converted);
  }

  /** Stored objects may be older than the schema: they are read by it and given its defaults each time. */
  fromStored(object: ApiObject, version: string): ApiObject | Promise<ApiObject> {
    readStored(this.structural(parseApiVersion(object.apiVersion).version), object);
    return this.#converted(object, version, (converted) => {
      this.structural(version).applyDefaults(converted);
      return converted;
    });
  }

  #converted(
    object: ApiObject,
    version: string,
    then: (object: ApiObject) => ApiObject,
  ): ApiObject | Promise<ApiObject> {
    const apiVersion = formatApiVersion(this.#group, version);
    if (object.apiVersion === apiVersion) return then(object);
    const structural = this.structural(version);
    const finish = (converted: ApiObject) => {
      readStored(structural, converted);
      return then(converted);
    };
    const converted = this.#converter.convert(object, apiVersion);
    return converted instanceof Promise ? converted.then(finish) : finish(converted);
  }
}

const anything: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

function structuralOf(definition: Definition, version: Version): Structural {
  const schema = (version.schema ?? definition.shared.schema)?.openAPIV3Schema;
  if (schema === undefined) return new Structural(anything, ObjectMetaSchema);
  const lenient = definition.preserveUnknownFields ? { "x-kubernetes-preserve-unknown-fields": true as const } : {};
  return new Structural({ ...asSchema(schema), ...lenient }, ObjectMetaSchema);
}
