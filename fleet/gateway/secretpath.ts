/** Paths of a gateway that only those ask for who know a secret that all gateways of a hub share. */
import { createHmac, timingSafeEqual } from "node:crypto";

/** One of them. */
export class SecretPath {
  readonly path: string;

  /** @param below begins and ends with a slash @param purpose keeps the paths apart */
  constructor(below: string, { secret, purpose }: { readonly secret: string; readonly purpose: string }) {
    this.path = below + createHmac("sha256", secret).update(purpose).digest("hex");
  }

  /** Whether a request's path is this one. */
  is(path: string): boolean {
    const [own, other] = [Buffer.from(this.path), Buffer.from(path)];
    return own.length === other.length && timingSafeEqual(own, other);
  }
}
