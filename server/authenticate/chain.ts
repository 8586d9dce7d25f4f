/** Which authority stands behind a connection's certificate: this server takes those of two, for different ends. */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** Certificates in a chain, more than anybody has. */
const longestChain = 10;

/** A certificate's fingerprint, as a peer's is told. @param pem one certificate */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** The peer's certificate, if it was checked and the chain above it ends with the given authority. */
export function certificateOf(socket: TLSSocket, authority: string): DetailedPeerCertificate | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate(true);
  let top: DetailedPeerCertificate = certificate;
  for (let i = 0; i < longestChain; i++) {
    const above: DetailedPeerCertificate | undefined = top.issuerCertificate;
    if (above === undefined || above === null || above.fingerprint256 === top.fingerprint256) break;
    top = above;
  }
  return top.fingerprint256 === authority ? certificate : undefined;
}

/** HTTP/2 requests share a session; each has a socket object of its own that only looks like the session's. */
export function connectionOf(request: IncomingMessage): object {
  const { stream } = request as unknown as { stream?: { session?: object } };
  return stream?.session ?? request.socket;
}
