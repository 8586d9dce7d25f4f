/**
 * The paths of a kind and what may be done there.
 * Source: k8s.io/apiserver/pkg/endpoints/installer.go
 */
import type { Kind, Subresource, Verb } from "@atoll/api/kind";
import { builtinSchema, hasBuiltinSchema } from "@atoll/api/schemas";
import { formatApiVersion } from "@atoll/machinery/object";
import type { Definitions } from "./definitions.ts";
import type { Dialect, Document } from "./dialect.ts";
import { operationId, rootOf, tagOf, titled } from "./names.ts";
import { optionsOf, type Parameter, pathParameter, pretty, queryOf, writeParameter } from "./parameters.ts";

const answers: readonly string[] = ["application/json", "application/yaml"];
const listAnswers: readonly string[] = [...answers, "application/json;stream=watch"];
const patches: readonly string[] = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

type Method = "get" | "post" | "put" | "patch" | "delete" | "head" | "options";

/** What a request does, in upstream's words. */
type Action = "list" | "get" | "post" | "put" | "patch" | "delete" | "deletecollection" | "connect";

/** How each action is called in operation ids and told to people. */
const verbs: Readonly<Record<Action, { readonly id: string; readonly words: string }>> = {
  list: { id: "list", words: "list or watch objects of kind" },
  get: { id: "read", words: "read the specified" },
  post: { id: "create", words: "create a" },
  put: { id: "replace", words: "replace the specified" },
  patch: { id: "patch", words: "partially update the specified" },
  delete: { id: "delete", words: "delete a" },
  deletecollection: { id: "delete", words: "delete a collection of" },
  connect: { id: "connect", words: "connect to" },
};

const methods: Readonly<Record<Exclude<Action, "connect">, Method>> = {
  list: "get",
  get: "get",
  post: "post",
  put: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
};

const created: ReadonlySet<Action> = new Set(["post", "put", "patch"]);
const accepted: ReadonlySet<Action> = new Set(["post", "delete"]);

/** An operation, before it is written in a dialect. */
interface Operation {
  readonly action: Action;
  readonly method: Method;
  /** What follows group and version in the operation's id. */
  readonly name: string;
  readonly gvk: { readonly group: string; readonly version: string; readonly kind: string };
  /** Undefined: the answer is no object. */
  readonly answer: Document | undefined;
  readonly body: Document | undefined;
  readonly parameters: readonly Parameter[];
}

/** Where an operation is: its group and version name and tag it. */
interface Place {
  readonly group: string;
  readonly version: string;
}

function content(types: readonly string[], schema: Document): Document {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

/** Writes operations and paths in a dialect. */
export class PathWriter {
  readonly #dialect: Dialect;
  readonly #definitions: Definitions;

  constructor(dialect: Dialect, definitions: Definitions) {
    this.#dialect = dialect;
    this.#definitions = definitions;
  }

  /** The paths of a kind, by path. */
  pathsOf(kind: Kind): Record<string, Document> {
    const root = rootOf(kind.group, kind.version);
    const scope = kind.namespaced ? `${root}/namespaces/{namespace}` : root;
    const collection = `${scope}/${kind.plural}`;
    const paths: Record<string, Document> = {};
    const put = (path: string, operations: readonly Operation[]): void => {
      if (operations.length > 0) paths[path] = this.#path(path, kind, operations);
    };
    put(collection, this.#plain(kind, ["list", "create", "deletecollection"]));
    put(`${collection}/{name}`, this.#plain(kind, ["get", "update", "patch", "delete"]));
    if (kind.namespaced && kind.verbs.includes("list")) put(`${root}/${kind.plural}`, [this.#everywhere(kind)]);
    for (const subresource of kind.subresources) {
      const path = `${collection}/{name}/${subresource.name}`;
      put(path, this.#below(kind, subresource, ""));
      if (subresource.name === "proxy") put(`${path}/{path}`, this.#below(kind, subresource, "WithPath"));
    }
    return paths;
  }

  /** The path of a group's version: its discovery. */
  discovery(place: Place): Record<string, Document> {
    const answer = this.#definitions.meta("APIResourceList");
    const operation = {
      description: "get available resources",
      operationId: operationId("get", place.group, place.version, "APIResources"),
      tags: [tagOf(place.group, place.version)],
      ...this.#consumes(),
      ...this.#responses(answers, answer, ["200"]),
    };
    return { [`${rootOf(place.group, place.version)}/`]: { get: operation } };
  }

  #plain(kind: Kind, wanted: readonly Verb[]): readonly Operation[] {
    const actionOf: Partial<Record<Verb, Action>> = { create: "post", update: "put" };
    return wanted
      .filter((verb) => kind.verbs.includes(verb))
      .map((verb) => this.#operation(kind, actionOf[verb] ?? (verb as Action)));
  }

  #operation(kind: Kind, action: Action): Operation {
    const namespaced = kind.namespaced ? "Namespaced" : "";
    const deletion = action === "delete" || action === "deletecollection";
    const object = action === "list" ? this.#definitions.list(kind) : this.#definitions.kind(kind);
    return {
      action,
      method: methods[action as Exclude<Action, "connect">],
      name: `${action === "deletecollection" ? "Collection" : ""}${namespaced}${kind.kind}`,
      gvk: { group: kind.group, version: kind.version, kind: kind.kind },
      answer: deletion ? this.#definitions.meta("Status") : object,
      body: this.#bodyOf(action, object),
      parameters: optionsOf(this.#definitions, action),
    };
  }

  #bodyOf(action: Action, object: Document): Document | undefined {
    if (action === "post" || action === "put") return object;
    if (action === "patch") return this.#definitions.meta("Patch");
    return action === "delete" || action === "deletecollection" ? this.#definitions.meta("DeleteOptions") : undefined;
  }

  /** The list over all namespaces. */
  #everywhere(kind: Kind): Operation {
    return { ...this.#operation(kind, "list"), name: `${kind.kind}ForAllNamespaces` };
  }

  #below(kind: Kind, subresource: Subresource, suffix: string): readonly Operation[] {
    const own = subresource.kind ?? { group: kind.group, version: kind.version, kind: kind.kind };
    if (own.kind.endsWith("Options")) return this.#connections(kind, subresource, suffix);
    const apiVersion = formatApiVersion(own.group, own.version);
    const body =
      subresource.kind === undefined ? this.#definitions.kind(kind) : this.#definitions.body(apiVersion, own.kind);
    const log = subresource.name === "log";
    return subresource.verbs.map((verb) => {
      const action = ({ create: "post", update: "put" } as Partial<Record<Verb, Action>>)[verb] ?? (verb as Action);
      return {
        action,
        method: methods[action as Exclude<Action, "connect">],
        name: `${kind.namespaced ? "Namespaced" : ""}${kind.kind}${titled(subresource.name)}`,
        gvk: own,
        answer: log ? undefined : body,
        body: this.#bodyOf(action, body),
        parameters: log ? this.#options("v1", "PodLogOptions") : optionsOf(this.#definitions, action),
      };
    });
  }

  #options(apiVersion: string, type: string): readonly Parameter[] {
    return hasBuiltinSchema(apiVersion, type) ? queryOf(this.#definitions, builtinSchema(apiVersion, type)) : [];
  }

  #connections(kind: Kind, subresource: Subresource, suffix: string): readonly Operation[] {
    const own = subresource.kind ?? { group: "", version: "v1", kind: "" };
    const proxied: readonly Method[] = ["get", "post", "put", "patch", "delete", "head", "options"];
    const used: readonly Method[] = subresource.name === "proxy" ? proxied : ["get", "post"];
    const name = `${kind.namespaced ? "Namespaced" : ""}${kind.kind}${titled(subresource.name)}${suffix}`;
    return used.map((method) => ({
      action: "connect",
      method,
      name: titled(method) + name,
      gvk: own,
      answer: undefined,
      body: undefined,
      parameters: this.#options(formatApiVersion(own.group, own.version), own.kind),
    }));
  }

  #path(path: string, kind: Kind, operations: readonly Operation[]): Document {
    const parameters: Parameter[] = [];
    if (path.includes("/{name}"))
      parameters.push(pathParameter("name", `name of the ${operations[0]?.gvk.kind ?? ""}`));
    if (path.includes("/{namespace}")) parameters.push(pathParameter("namespace", "namespace of the object"));
    if (path.endsWith("/{path}")) parameters.push(pathParameter("path", "what follows on the way to the target"));
    if (operations.some(({ action }) => action !== "connect")) parameters.push(pretty);
    const written = operations.map((operation) => [operation.method, this.#write(kind, operation)] as const);
    return {
      ...Object.fromEntries(written),
      parameters: parameters.map((parameter) => writeParameter(this.#dialect, parameter)),
    };
  }

  #write(place: Place & { readonly kind: string }, operation: Operation): Document {
    const { action, method, gvk, body } = operation;
    const codes = ["200", ...(created.has(action) ? ["201"] : []), ...(accepted.has(action) ? ["202"] : [])];
    const types = action === "list" ? listAnswers : answers;
    const connected = action === "connect" ? `${method.toUpperCase()} requests of ${place.kind}` : place.kind;
    return {
      description: `${verbs[action].words} ${connected}`,
      operationId: operationId(verbs[action].id, place.group, place.version, operation.name),
      tags: [tagOf(place.group, place.version)],
      ...this.#consumes(action === "patch" ? patches : undefined),
      ...this.#body(action, body, operation.parameters),
      ...(operation.answer === undefined
        ? this.#responses(action === "connect" ? ["*/*"] : ["text/plain"], { type: "string" }, codes)
        : this.#responses(types, operation.answer, codes)),
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": { group: gvk.group, kind: gvk.kind, version: gvk.version },
    };
  }

  #consumes(types: readonly string[] = ["*/*"]): Document {
    return this.#dialect.version === 2 ? { consumes: types, schemes: ["https"] } : {};
  }

  #body(action: Action, body: Document | undefined, parameters: readonly Parameter[]): Document {
    const written = parameters.map((parameter) => writeParameter(this.#dialect, parameter));
    const required = action !== "delete" && action !== "deletecollection";
    if (this.#dialect.version === 2) {
      const bodies =
        body === undefined ? [] : [{ in: "body", name: "body", ...(required ? { required } : {}), schema: body }];
      return { parameters: [...bodies, ...written] };
    }
    if (body === undefined) return { parameters: written };
    const types = action === "patch" ? patches : ["*/*"];
    return { parameters: written, requestBody: { content: content(types, body), ...(required ? { required } : {}) } };
  }

  #responses(types: readonly string[], schema: Document, codes: readonly string[]): Document {
    const words: Readonly<Record<string, string>> = { 200: "OK", 201: "Created", 202: "Accepted" };
    const inline = this.#dialect.version === 2 ? { schema } : { content: content(types, schema) };
    const answers = codes.map((code) => [code, { description: words[code], ...inline }]);
    const responses = { ...Object.fromEntries(answers), 401: { description: "Unauthorized" } };
    return this.#dialect.version === 2 ? { produces: types, responses } : { responses };
  }
}
