/**
 * What the two HTTP versions share: the shape of a carrier, and how TLS connections are made.
 */
import type { TransportRequest, TransportResponse } from "@atoll/client/transport";

/** What a TLS connection is made with; PEM. */
export interface TlsMaterial {
  /** Trusted authorities; undefined: the system's. */
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  /** The name that the server's certificate must have, when it is not the host's. */
  readonly serverName?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean;
}

/** One HTTP version's way to send a request; the path has its prefix and the headers are complete. */
export interface Carrier {
  request(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}

/** Node's options for a material. */
export function tlsOptions(material: TlsMaterial, host: string): Record<string, unknown> {
  const { ca, cert, key, serverName, insecureSkipTlsVerify } = material;
  const name = serverName ?? host;
  return {
    ca,
    cert,
    key,
    rejectUnauthorized: insecureSkipTlsVerify !== true,
    // An address is no server name (RFC 6066), but is still checked against the certificate.
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
  };
}
