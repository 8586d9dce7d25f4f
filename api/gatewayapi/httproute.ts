import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../own/kind.ts";
import { gatewayFacts, port, required, text } from "./group.ts";

const atomic = { "x-kubernetes-list-type": "atomic" } as const;

const parentRef = Type.object(
  {
    group: text("gateway.networking.k8s.io, if nothing is said."),
    kind: text("Gateway, if nothing is said.", 63),
    namespace: text("The route's own, if nothing is said.", 63),
    name: required("Its name."),
    sectionName: text("One of its listeners alone."),
    port: Type.optional(port("Listeners at this port alone.")),
  },
  { description: "A Gateway that it joins." },
);

const matchValue = (what: string) =>
  Type.object(
    {
      type: Type.optional(Type.oneOf(["Exact", "RegularExpression"], { description: "Exact, if nothing is said." })),
      name: required(`Name of the ${what}.`, 256),
      value: required("Its value.", 4096),
    },
    { description: `A ${what} that requests must have.` },
  );

const match = Type.object(
  {
    path: Type.optional(
      Type.object(
        {
          type: Type.optional(
            Type.oneOf(["Exact", "PathPrefix", "RegularExpression"], {
              description: "PathPrefix, if nothing is said.",
            }),
          ),
          value: text("The path; / if nothing is said.", 1024),
        },
        { description: "Which paths." },
      ),
    ),
    headers: Type.optional(Type.list(matchValue("header"), { description: "Which headers.", maxItems: 16, ...atomic })),
    queryParams: Type.optional(
      Type.list(matchValue("parameter"), { description: "Which parameters.", maxItems: 16, ...atomic }),
    ),
    method: Type.optional(
      Type.oneOf(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"], {
        description: "Which method.",
      }),
    ),
  },
  { description: "What a request must have." },
);

const header = Type.object(
  { name: required("Its name.", 256), value: required("Its value.", 4096) },
  { description: "A header." },
);

const modifier = Type.object(
  {
    set: Type.optional(Type.list(header, { description: "Replaces these.", maxItems: 16, ...atomic })),
    add: Type.optional(Type.list(header, { description: "Adds these.", maxItems: 16, ...atomic })),
    remove: Type.optional(
      Type.list(Type.string({ description: "A name.", maxLength: 256 }), {
        description: "Takes these away.",
        maxItems: 16,
        ...atomic,
      }),
    ),
  },
  { description: "What is done to headers." },
);

const pathChange = Type.object(
  {
    type: Type.oneOf(["ReplaceFullPath", "ReplacePrefixMatch"], { description: "What is replaced." }),
    replaceFullPath: text("The new path.", 1024),
    replacePrefixMatch: text("What stands for the prefix that fitted.", 1024),
  },
  { description: "Another path." },
);

const filter = Type.object(
  {
    type: required("What kind of filter; see the Gateway API.", 63),
    requestHeaderModifier: Type.optional(modifier),
    responseHeaderModifier: Type.optional(modifier),
    requestRedirect: Type.optional(
      Type.object(
        {
          scheme: Type.optional(Type.oneOf(["http", "https"], { description: "Another scheme." })),
          hostname: text("Another host."),
          path: Type.optional(pathChange),
          port: Type.optional(port("Another port.")),
          statusCode: Type.optional(Type.integer({ description: "301 or 302; 302 if nothing is said." })),
        },
        { description: "Sends the client elsewhere." },
      ),
    ),
    urlRewrite: Type.optional(
      Type.object(
        { hostname: text("Another host."), path: Type.optional(pathChange) },
        { description: "Asks the backend for something else." },
      ),
    ),
    requestMirror: Type.optional(Type.any({ description: "Refused here." })),
    extensionRef: Type.optional(Type.any({ description: "Refused here." })),
  },
  { description: "What is done to a request." },
);

const backendRef = Type.object(
  {
    group: text("Empty."),
    kind: text("Service, if nothing is said.", 63),
    name: required("Name of the Service."),
    namespace: text("Its namespace, if it is another one that a ReferenceGrant allows.", 63),
    port: Type.optional(port("The Service's port.")),
    weight: Type.optional(
      Type.integer({ description: "Its share; 1 if nothing is said.", minimum: 0, maximum: 1_000_000 }),
    ),
    filters: Type.optional(Type.list(filter, { description: "Refused here.", maxItems: 16, ...atomic })),
  },
  { description: "Where requests go." },
);

const rule = Type.object(
  {
    name: text("Its name."),
    matches: Type.optional(Type.list(match, { description: "Any of these.", maxItems: 64, ...atomic })),
    filters: Type.optional(Type.list(filter, { description: "All of these.", maxItems: 16, ...atomic })),
    backendRefs: Type.optional(
      Type.list(backendRef, { description: "Shared between these.", maxItems: 16, ...atomic }),
    ),
    timeouts: Type.optional(Type.any({ description: "Refused here." })),
  },
  { description: "Which requests go where." },
);

/** `httproutes`: which requests go where. */
export const HTTPRoute = defineKind(
  {
    ...gatewayFacts,
    kind: "HTTPRoute",
    plural: "httproutes",
    namespaced: true,
    description: "Which requests that come in at a Gateway go to which Services.",
    columns: [
      { name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        parentRefs: Type.optional(Type.list(parentRef, { description: "Gateways.", maxItems: 32, ...atomic })),
        hostnames: Type.optional(
          Type.list(Type.string({ description: "A host.", maxLength: 253 }), {
            description: "Requests for these hosts.",
            maxItems: 16,
            ...atomic,
          }),
        ),
        rules: Type.optional(Type.list(rule, { description: "Its rules.", maxItems: 16, ...atomic })),
      },
      { description: "What is wanted." },
    ),
    status: Type.object(
      {
        parents: Type.list(
          Type.object(
            {
              parentRef,
              controllerName: required("Who says so."),
              conditions,
            },
            { description: "What is so at a Gateway." },
          ),
          { description: "What is so at each Gateway.", maxItems: 32, ...atomic },
        ),
      },
      { description: "What is so." },
    ),
  },
);
/** An HTTPRoute. */
export type HTTPRoute = ObjectOf<typeof HTTPRoute>;
