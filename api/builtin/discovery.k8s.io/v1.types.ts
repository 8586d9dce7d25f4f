// Made by tools/kinds/generate.ts from k8s.io/api/discovery/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type Endpoint = {
  addresses: string[] | null;
  conditions: EndpointConditions;
  hostname?: string;
  targetRef?: core.ObjectReference;
  deprecatedTopology?: Record<string, string>;
  nodeName?: string;
  zone?: string;
  hints?: EndpointHints;
};

export type EndpointConditions = {
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
};

export type EndpointHints = {
  forZones?: ForZone[];
  forNodes?: ForNode[];
};

export type EndpointPort = {
  name?: string;
  protocol?: core.Protocol;
  port?: number;
  appProtocol?: string;
};

export type EndpointSlice = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  addressType: string;
  endpoints: Endpoint[] | null;
  ports: EndpointPort[] | null;
};

export type EndpointSliceList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: EndpointSlice[] | null;
};

export type ForNode = {
  name: string;
};

export type ForZone = {
  name: string;
};
