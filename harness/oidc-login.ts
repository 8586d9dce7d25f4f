/**
 * Signs in at a provider by the authorization code flow with PKCE, as a person's browser and a kubectl plugin do
 * together. Run as a program it is such a plugin: it prints an ExecCredential.
 * Source: RFC 7636; https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 *
 *     node oidc-login.ts ISSUER CLIENT REDIRECT CA-FILE
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";

/** Where to sign in. */
export interface Login {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** PEM */
  readonly ca: string;
}

interface Page {
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly body: string;
}

const mostRedirects = 10;

/** @returns the ID token */
export async function signIn({ issuer, clientId, redirectUri, ca }: Login): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "openid email groups",
    code_challenge: challenge,
    code_challenge_method: "S256",
    state: randomBytes(8).toString("hex"),
  });
  const back = await browse(new URL(`${issuer}/auth?${query.toString()}`), redirectUri, ca);
  const code = back.searchParams.get("code") ?? "";
  const form = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const { body } = await open(new URL(`${issuer}/token`), { ca, cookies: [], form: form.toString() });
  const { id_token: token } = JSON.parse(body) as { id_token?: string };
  if (token === undefined) throw new Error(`no token: ${body}`);
  return token;
}

/** Follows redirects, with cookies, until one leads back to the client. @returns where it leads */
export async function browse(start: URL, redirectUri: string, ca: string): Promise<URL> {
  const jar = new Map<string, string>();
  let at = start;
  for (let i = 0; i < mostRedirects; i++) {
    const page = await open(at, { ca, cookies: [...jar].map(([name, value]) => `${name}=${value}`) });
    for (const cookie of page.cookies) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    if (page.location === undefined) throw new Error(`the provider stopped at ${at.pathname}: ${page.body}`);
    at = new URL(page.location, at);
    if (at.href.startsWith(redirectUri)) return at;
  }
  throw new Error("too many redirects");
}

function open(url: URL, how: { ca: string; cookies: readonly string[]; form?: string }): Promise<Page> {
  const headers = {
    ...(how.cookies.length === 0 ? {} : { cookie: how.cookies.join("; ") }),
    ...(how.form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
  };
  return new Promise((resolve, reject) => {
    const method = how.form === undefined ? "GET" : "POST";
    const sent = request(url, { ca: how.ca, method, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () =>
        resolve({ location: response.headers.location, cookies: response.headers["set-cookie"] ?? [], body }),
      );
    });
    sent.on("error", reject).end(how.form);
  });
}

if (import.meta.main) {
  const [issuer = "", clientId = "", redirectUri = "", caFile = ""] = process.argv.slice(2);
  const token = await signIn({ issuer, clientId, redirectUri, ca: readFileSync(caFile, "utf8") });
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } };
  process.stdout.write(JSON.stringify(credential));
}
