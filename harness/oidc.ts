/**
 * A real OpenID Connect provider over TLS, in process, for tests. Whoever the test says is signed in at it, as a person
 * with a browser session would be.
 */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { systemClock } from "@atoll/machinery/clock";
import { issue, newAuthority } from "@atoll/server/pki/authority";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { Provider } from "oidc-provider";

/** Somebody who can sign in. */
export interface Person {
  readonly email?: string;
  readonly groups: readonly string[];
}

/** A provider under test. */
export interface OidcProvider {
  readonly issuer: string;
  /** PEM of the authority that vouches for it. */
  readonly ca: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Who there is, by account; the test changes it as it likes. */
  readonly people: Map<string, Person>;
  /** The key that signs, with its private part. */
  readonly key: JWK;
  /** Paths asked for so far. */
  readonly asked: readonly string[];
  /** Who sits at the browser. */
  signedIn: string;
  close(): Promise<void>;
}

const clientId = "kubernetes";
const ofKubectl = "http://127.0.0.1:18000/callback";

/** Starts a provider on a free port. @param redirectUri where it sends people back to; by default to kubectl's plugin */
export async function startOidcProvider(redirectUri: string = ofKubectl): Promise<OidcProvider> {
  const nowMs = systemClock.nowMs();
  const authority = await newAuthority("oidc-test-ca", nowMs);
  const wish = { commonName: "localhost", usage: "server" as const, names: ["localhost", "127.0.0.1"], days: 1 };
  const server = createServer(await issue(authority, wish, nowMs));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: "first", alg: "RS256", use: "sig" };
  const people = new Map<string, Person>();
  const asked: string[] = [];
  const running = { issuer, ca: authority.cert, clientId, redirectUri, people, key, asked, signedIn: "alice" };
  const provider = new Provider(issuer, configuration(people, key, redirectUri));
  const serve = provider.callback();
  server.on("request", (request, response) => {
    asked.push(request.url ?? "");
    if (request.url?.startsWith("/interaction/") === true) {
      void provider.interactionFinished(request, response, { login: { accountId: running.signedIn }, consent: {} });
    } else void serve(request, response);
  });
  return Object.assign(running, {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

interface Grants {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly session: { readonly accountId: string };
    readonly provider: {
      readonly Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
    };
  };
}

function configuration(people: ReadonlyMap<string, Person>, key: JWK, redirectUri: string): object {
  return {
    clients: [
      {
        client_id: clientId,
        redirect_uris: [redirectUri],
        application_type: redirectUri.startsWith("https:") ? "web" : "native",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
      },
    ],
    jwks: { keys: [key] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
    scopes: ["openid", "email", "groups"],
    // As most providers do for those who may: asking for consent by a prompt each time is what the specification has.
    issueRefreshToken: async () => true,
    // The token carries the claims itself: the server asks nobody else.
    conformIdTokenClaims: false,
    cookies: { keys: ["of no secret"] },
    features: { devInteractions: { enabled: false } },
    ttl: {
      IdToken: 900,
      AccessToken: 900,
      RefreshToken: 3600,
      AuthorizationCode: 60,
      Session: 900,
      Grant: 900,
      Interaction: 60,
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, accountId: string) => {
      const person = people.get(accountId);
      if (person === undefined) return undefined;
      const { email, groups } = person;
      const claims = { sub: accountId, groups, ...(email === undefined ? {} : { email, email_verified: true }) };
      return { accountId, claims: () => claims };
    },
    async loadExistingGrant({ oidc }: Grants) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid email groups");
      await grant.save();
      return grant;
    },
  };
}
