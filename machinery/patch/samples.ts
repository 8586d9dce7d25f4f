/** Schemas for the tests of this folder: small ones of the shapes that real kinds have. */
import type { Schema } from "../schema/schema.ts";

const text: Schema = { type: "string" };
const texts: Schema = { type: "object", additionalProperties: text };

const container: Schema = {
  type: "object",
  properties: {
    name: { ...text, "x-atoll-zero": "keep" },
    image: text,
    args: { type: "array", "x-kubernetes-list-type": "atomic", items: text },
    resources: { type: "object", "x-atoll-zero": "keep", properties: { limits: texts, requests: texts } },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "containerPort",
      items: {
        type: "object",
        properties: { containerPort: { type: "integer" }, protocol: { ...text, default: "TCP" }, name: text },
      },
    },
    env: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
      items: { type: "object", properties: { name: text, value: text } },
    },
  },
};

const meta: Schema = {
  type: "object",
  "x-atoll-zero": "keep",
  properties: { name: text, labels: texts, annotations: texts },
};

const objectMeta: Schema = {
  ...meta,
  properties: {
    ...meta.properties,
    namespace: text,
    uid: text,
    resourceVersion: text,
    finalizers: { type: "array", "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge", items: text },
  },
};

/** A Deployment with the fields that differ in how they are merged and owned. */
export const deployment: Schema = {
  type: "object",
  properties: {
    apiVersion: text,
    kind: text,
    metadata: objectMeta,
    spec: {
      type: "object",
      "x-atoll-zero": "keep",
      properties: {
        replicas: { type: "integer" },
        selector: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          "x-atoll-zero": "keep",
          properties: { matchLabels: texts },
        },
        strategy: {
          type: "object",
          "x-atoll-zero": "keep",
          "x-kubernetes-patch-strategy": "retainKeys",
          properties: {
            type: text,
            rollingUpdate: { type: "object", properties: { maxSurge: { format: "int-or-string" } } },
          },
        },
        template: {
          type: "object",
          "x-atoll-zero": "keep",
          properties: {
            metadata: meta,
            spec: {
              type: "object",
              "x-atoll-zero": "keep",
              properties: {
                containers: {
                  type: "array",
                  "x-atoll-zero": "keep",
                  "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["name"],
                  "x-kubernetes-patch-strategy": "merge",
                  "x-kubernetes-patch-merge-key": "name",
                  items: container,
                },
                nodeSelector: { ...texts, "x-kubernetes-map-type": "atomic" },
                restartPolicy: text,
              },
            },
          },
        },
      },
    },
    status: { type: "object", "x-atoll-zero": "keep", properties: { replicas: { type: "integer" } } },
  },
};

/** A ConfigMap. */
export const configMap: Schema = {
  type: "object",
  properties: { apiVersion: text, kind: text, metadata: objectMeta, data: texts, immutable: { type: "boolean" } },
};

/** A custom kind with every list and map type. */
export const shelf: Schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        plain: text,
        number: { type: "integer", default: 3 },
        set: { type: "array", "x-kubernetes-list-type": "set", items: text },
        numbers: { type: "array", "x-kubernetes-list-type": "set", items: { type: "integer" } },
        atomic: { type: "array", "x-kubernetes-list-type": "atomic", items: text },
        list: { type: "array", items: text },
        keyed: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: {
              name: text,
              a: text,
              b: { type: "integer", default: 7 },
              inner: { type: "array", "x-kubernetes-list-type": "set", items: text },
            },
          },
        },
        granular: texts,
        atomicmap: { type: "object", "x-kubernetes-map-type": "atomic", properties: { x: text, y: text } },
        open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        struct: { type: "object", properties: { x: text, y: text } },
      },
    },
    status: { type: "object", properties: { phase: text, count: { type: "integer" } } },
  },
};
