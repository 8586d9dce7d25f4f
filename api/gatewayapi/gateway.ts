import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../own/kind.ts";
import { labelSelector } from "../fleet/v1alpha1/labels.ts";
import { gatewayFacts, port, required, text } from "./group.ts";

/** `gatewayclasses`: which controller serves Gateways of a class. */
export const GatewayClass = defineKind(
  {
    ...gatewayFacts,
    kind: "GatewayClass",
    plural: "gatewayclasses",
    shortNames: ["gc"],
    namespaced: false,
    description: "A kind of gateways that users may ask for.",
    columns: [
      { name: "Controller", type: "string", jsonPath: ".spec.controllerName" },
      { name: "Accepted", type: "string", jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        controllerName: Type.string({
          description: "Names the controller, as example.com/gateway.",
          maxLength: 253,
          "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "Value is immutable" }],
        }),
        parametersRef: Type.optional(Type.any({ description: "What its controller reads; none here." })),
        description: text("What it is for.", 64),
      },
      { description: "The class." },
    ),
    status: Type.object({ conditions }, { description: "What its controller says of it." }),
  },
);
/** A GatewayClass. */
export type GatewayClass = ObjectOf<typeof GatewayClass>;

const secretRef = Type.object(
  {
    group: text("Empty."),
    kind: text("Secret.", 63),
    name: required("Name of the Secret."),
    namespace: text("Its namespace, if it is another one that a ReferenceGrant allows.", 63),
  },
  { description: "A Secret with a certificate." },
);

const allowedRoutes = Type.object(
  {
    namespaces: Type.optional(
      Type.object(
        {
          from: Type.optional(Type.oneOf(["All", "Selector", "Same"], { description: "Same, if nothing is said." })),
          selector: Type.optional(labelSelector("Labels of namespaces, for Selector.")),
        },
        { description: "Of which namespaces." },
      ),
    ),
    kinds: Type.optional(
      Type.list(
        Type.object(
          { group: text("The group."), kind: required("The kind.", 63) },
          { description: "A kind of routes." },
        ),
        { description: "Of which kinds.", "x-kubernetes-list-type": "atomic", maxItems: 8 },
      ),
    ),
  },
  { description: "Which routes may join." },
);

const listener = Type.object(
  {
    name: required("Its name."),
    hostname: text("Requests for this host alone; *. at the start stands for one label or more."),
    port: port("Where it listens: 80 or 443."),
    protocol: required("HTTP or HTTPS.", 255),
    tls: Type.optional(
      Type.object(
        {
          mode: Type.optional(
            Type.oneOf(["Terminate", "Passthrough"], { description: "Terminate, if nothing is said." }),
          ),
          certificateRefs: Type.optional(
            Type.list(secretRef, { description: "Certificates.", "x-kubernetes-list-type": "atomic", maxItems: 64 }),
          ),
          options: Type.optional(
            Type.map(Type.string({ description: "Its value." }), { description: "None is known." }),
          ),
        },
        { description: "What a listener for HTTPS needs." },
      ),
    ),
    allowedRoutes: Type.optional(allowedRoutes),
  },
  { description: "Where requests come in." },
);

/** `gateways`: where requests come in for routes. */
export const Gateway = defineKind(
  {
    ...gatewayFacts,
    kind: "Gateway",
    plural: "gateways",
    shortNames: ["gtw"],
    namespaced: true,
    description: "Where requests come in, and for which routes.",
    columns: [
      { name: "Class", type: "string", jsonPath: ".spec.gatewayClassName" },
      { name: "Address", type: "string", jsonPath: ".status.addresses[*].value" },
      { name: "Programmed", type: "string", jsonPath: '.status.conditions[?(@.type=="Programmed")].status' },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        gatewayClassName: required("Its class: atoll."),
        listeners: Type.list(listener, {
          description: "Where requests come in.",
          minItems: 1,
          maxItems: 64,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
        }),
        addresses: Type.optional(
          Type.list(Type.any({ description: "An address." }), {
            description: "Wanted addresses; they cannot be chosen here.",
            "x-kubernetes-list-type": "atomic",
            maxItems: 16,
          }),
        ),
        infrastructure: Type.optional(Type.any({ description: "What is made for it; nothing is here." })),
      },
      { description: "What is wanted." },
    ),
    status: Type.object(
      {
        addresses: Type.optional(
          Type.list(
            Type.object(
              { type: text("IPAddress or Hostname."), value: required("The address.") },
              { description: "An address." },
            ),
            { description: "Where it is reached.", "x-kubernetes-list-type": "atomic" },
          ),
        ),
        conditions,
        listeners: Type.optional(
          Type.list(
            Type.object(
              {
                name: required("Name of the listener."),
                attachedRoutes: Type.integer({ description: "How many routes have joined it." }),
                supportedKinds: Type.optional(
                  Type.list(
                    Type.object(
                      { group: text("The group."), kind: required("The kind.", 63) },
                      { description: "A kind of routes." },
                    ),
                    { description: "Kinds of routes that may join.", "x-kubernetes-list-type": "atomic" },
                  ),
                ),
                conditions,
              },
              { description: "What is so of a listener." },
            ),
            {
              description: "What is so of its listeners.",
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": ["name"],
            },
          ),
        ),
      },
      { description: "What is so." },
    ),
  },
);
/** A Gateway. */
export type Gateway = ObjectOf<typeof Gateway>;
