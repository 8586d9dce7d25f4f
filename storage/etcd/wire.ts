/** etcd's messages, as etcd.proto describes them to the gRPC library. */
import path from "node:path";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** Says at which revision an answer was given. */
export interface Header {
  readonly revision: number;
}

/** A key of etcd. */
export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Buffer;
}

/** Keys from `key` up to before `rangeEnd`, or just `key`. */
export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  /** 0 or absent: now. */
  readonly revision?: number;
  /** Leaves the values out. */
  readonly keysOnly?: boolean;
}

/** `count` is of the whole range, whatever the limit. */
export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

/** A condition of a transaction: version 0 means that there is no such key. */
export type Compare =
  | { readonly key: Buffer; readonly target: "VERSION"; readonly result: "EQUAL"; readonly version: number }
  | { readonly key: Buffer; readonly target: "MOD"; readonly result: "EQUAL"; readonly modRevision: number }
  | { readonly key: Buffer; readonly target: "CREATE"; readonly result: "GREATER"; readonly createRevision: number };

/** What a transaction does. */
export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: { readonly key: Buffer; readonly value: Buffer } }
  | { readonly requestDeleteRange: { readonly key: Buffer; readonly rangeEnd?: Buffer } };

/** `success` if every comparison holds, else `failure`; either as one step. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

/** One answer for each operation of the branch taken. */
export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeResponse }[];
}

/** Opens a watch, or asks an open one for progress. */
export type WatchRequest =
  | {
      readonly createRequest: {
        readonly key: Buffer;
        readonly rangeEnd?: Buffer;
        readonly startRevision: number;
        readonly progressNotify?: boolean;
        readonly prevKv?: boolean;
      };
    }
  | { readonly progressRequest: object };

/** Events; or, without any, progress. */
export interface WatchResponse {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Above 0: the watch started before this, and history is gone. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly events: readonly WatchEvent[];
}

/** One change. */
export interface WatchEvent {
  readonly type: "PUT" | "DELETE";
  readonly kv: KeyValue;
  /** Absent when there was none, or when compaction has taken it. */
  readonly prevKv: KeyValue | null;
}

/** How a member is. `errors` names alarms that are raised. */
export interface StatusResponse {
  readonly version: string;
  readonly errors: readonly string[];
}

/** How a call is written and read. */
export type Method<Request, Response> = MethodDefinition<Request, Response>;

const services = loadSync(path.join(import.meta.dirname, "etcd.proto"), {
  longs: Number,
  enums: String,
  defaults: true,
});

function method<Request, Response>(service: string, name: string): Method<Request, Response> {
  const definition = services[`etcdserverpb.${service}`];
  if (definition === undefined || !(name in definition)) throw new Error(`etcd.proto has no ${service}.${name}`);
  return (definition as Record<string, unknown>)[name] as Method<Request, Response>;
}

/** The calls. */
export const methods = {
  range: method<RangeRequest, RangeResponse>("KV", "Range"),
  txn: method<TxnRequest, TxnResponse>("KV", "Txn"),
  compact: method<{ revision: number }, { header: Header }>("KV", "Compact"),
  watch: method<WatchRequest, WatchResponse>("Watch", "Watch"),
  status: method<object, StatusResponse>("Maintenance", "Status"),
};

/** The end of the range of all keys that start with a prefix of UTF-8 (whose bytes are all below 0xff). */
export function prefixEnd(prefix: Buffer): Buffer {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return end;
}
