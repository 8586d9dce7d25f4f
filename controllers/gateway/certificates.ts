/**
 * Certificates that Ingresses and Gateways name, for the hosts that they name. Only what was read and written anew reaches the
 * proxy: it refuses a whole configuration for one bad certificate, which no tenant may cause for the others. Pure.
 * Source: k8s.io/api/networking/v1 (IngressTLS); k8s.io/api/core/v1 (SecretTypeTLS)
 */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { Secret } from "@atoll/client/builtin";
import { isHost } from "./ingress.ts";

/** A certificate and the names that clients ask for it by. */
export interface Served {
  /** Unique among them, and a file name. */
  readonly name: string;
  /** Certificate, what vouches for it, and key. */
  readonly pem: string;
  readonly hosts: readonly string[];
}

/** A wish for a certificate. */
export interface Wish {
  readonly namespace: string;
  readonly secret: string;
  /** Without any it is for those names that it holds itself. */
  readonly hosts: readonly string[];
}

/** Of all together, which leaves rules as much of the Secret. */
const mostBytes = 500_000;
const onePem = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Certificates of all, one for a host. */
export class Certificates {
  readonly #find: (namespace: string, name: string) => Secret | undefined;
  readonly #taken = new Set<string>();
  readonly #served = new Map<string, Served>();
  #bytes = 0;

  constructor(find: (namespace: string, name: string) => Secret | undefined) {
    this.#find = find;
  }

  /** Of two for one host the first that asks is served. @returns why it cannot be */
  ask({ namespace, secret, hosts }: Wish): string | undefined {
    const read = readPem(this.#find(namespace, secret));
    if (read === undefined) return `Secret ${secret} holds no certificate with its key`;
    const names = (hosts.length === 0 ? read.names : hosts).map((host) => host.toLowerCase());
    const usable = names.filter((host) => host !== "" && isHost(host) && !this.#taken.has(host));
    if (usable.length === 0) return undefined;
    if (this.#bytes + read.pem.length > mostBytes) return "the gateway is full: it holds no more certificates";
    this.#bytes += read.pem.length;
    for (const host of usable) this.#taken.add(host);
    const name = `${createHash("sha256").update(`${namespace}/${secret}`).digest("hex").slice(0, 16)}.pem`;
    const before = this.#served.get(name)?.hosts ?? [];
    this.#served.set(name, { name, pem: read.pem, hosts: [...before, ...usable] });
    return undefined;
  }

  /** All that are served. */
  served(): readonly Served[] {
    return [...this.#served.values()];
  }
}

function readPem(secret: Secret | undefined): { readonly pem: string; readonly names: readonly string[] } | undefined {
  const textOf = (key: string) => Buffer.from(secret?.data?.[key] ?? "", "base64").toString("latin1");
  try {
    const chain = (textOf("tls.crt").match(onePem) ?? []).map((each) => new X509Certificate(each));
    const key = createPrivateKey(textOf("tls.key"));
    const [leaf] = chain;
    if (leaf?.checkPrivateKey(key) !== true) return undefined;
    const names = (leaf.subjectAltName ?? "").split(", ").flatMap((each) => /^DNS:(.+)$/.exec(each)?.[1] ?? []);
    const [cert, own] = [chain.map(String).join(""), key.export({ type: "pkcs8", format: "pem" }).toString()];
    // Too weak a key or digest is refused by the proxy, too: at the level that Debian sets.
    createSecureContext({ cert, key: own, ciphers: "DEFAULT@SECLEVEL=2" });
    return { pem: cert + own, names };
  } catch {
    // What cannot be read is as good as none: the caller says so.
    return undefined;
  }
}
