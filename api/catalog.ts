/** The built-in kinds: the facts of each resource joined with its schema, its Strategy and the version it is stored in. */
import { autoscalerFromV2, autoscalerToV2 } from "./autoscaling/storage.ts";
import { eventFromCore, eventToCore } from "./events.k8s.io/storage.ts";
import type { Kind, ResourceFacts, Strategy } from "./kind.ts";
import type { Schema } from "@atoll/machinery/schema/schema";
import { builtinResources } from "./resources.ts";
import { builtinSchema } from "./schemas.ts";
import { strategies } from "./strategies.ts";

/** Kinds stored in another version than they are served in, by `GROUP/VERSION/KIND`. */
const storedAs: Readonly<Record<string, NonNullable<Kind["storedAs"]>>> = {
  "autoscaling/v1/HorizontalPodAutoscaler": {
    version: "v2",
    toStored: autoscalerToV2,
    fromStored: autoscalerFromV2,
  },
  "events.k8s.io/v1/Event": { group: "", version: "v1", toStored: eventToCore, fromStored: eventFromCore },
};

/** What is told with every answer about a version that is to go. Source: k8s.io/api (APILifecycleDeprecated) */
const deprecated: Readonly<Record<string, string>> = {
  "/v1/Endpoints": "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
};

const nothing: Strategy = {};

/** Created and answered, or only read, but never stored. */
function isVirtual(facts: ResourceFacts): boolean {
  return !facts.verbs.includes("update");
}

function kindOf(facts: ResourceFacts): Kind {
  const apiVersion = `${facts.group === "" ? "core" : facts.group}/${facts.version}`;
  const warning = deprecated[`${facts.group}/${facts.version}/${facts.kind}`];
  const stored = storedAs[`${facts.group}/${facts.version}/${facts.kind}`];
  let schema: Schema | undefined;
  return {
    ...facts,
    // Made when first asked for: a schema costs more than the rest of the kind, and most are not used at start-up.
    get schema() {
      schema ??= builtinSchema(apiVersion, facts.kind);
      return schema;
    },
    strategy: strategies[`${facts.group}/${facts.kind}`] ?? nothing,
    ...(stored === undefined ? {} : { storedAs: stored }),
    ...(isVirtual(facts) ? { virtual: true } : {}),
    ...(warning === undefined ? {} : { warning }),
  };
}

/** Every built-in kind, once for each version that serves it, in the order discovery lists their groups. */
export function builtinKinds(): readonly Kind[] {
  return builtinResources.map(kindOf);
}
