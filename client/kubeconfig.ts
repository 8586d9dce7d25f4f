/**
 * What a kubeconfig says about one context, as data. Reading files and running credential programs is left to
 * runtime/kubeconfig.ts.
 * Source: k8s.io/client-go/tools/clientcmd/api/v1/types.go
 */

/** Bytes given in the file itself (base64) or as the path of another file, relative to the kubeconfig's folder. */
export type Material = { readonly data: string } | { readonly file: string };

/** A program that hands out credentials. Source: k8s.io/client-go/pkg/apis/clientauthentication/v1 */
export interface ExecCredentialProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly apiVersion: string;
  readonly provideClusterInfo: boolean;
}

/** How to reach one API server, and as whom. */
export interface KubeconfigContext {
  readonly name: string;
  /** URL. */
  readonly server: string;
  readonly namespace: string;
  readonly certificateAuthority: Material | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly tlsServerName: string | undefined;
  readonly clientCertificate: Material | undefined;
  readonly clientKey: Material | undefined;
  readonly token: string | undefined;
  /** Read again as it changes; wins over `token`. */
  readonly tokenFile: string | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  readonly exec: ExecCredentialProgram | undefined;
  readonly impersonate: { readonly user: string; readonly uid: string; readonly groups: readonly string[] } | undefined;
}

/** The kubeconfig cannot be used. The message says why. */
export class KubeconfigInvalid extends Error {
  override readonly name = "KubeconfigInvalid";
}

type Fields = Readonly<Record<string, unknown>>;

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new KubeconfigInvalid(`${what} is missing`);
  return value as Fields;
}

/** The entry of a `[{name, [inner]: {…}}]` list. */
function named(list: unknown, { name, inner }: { name: string; inner: string }): Fields {
  const found = Array.isArray(list)
    ? list.find((entry: unknown) => (entry as Fields | null)?.["name"] === name)
    : undefined;
  return fieldsOf((found as Fields | undefined)?.[inner], `${inner} "${name}"`);
}

/** `data` wins over a path, as in client-go. */
function material(fields: Fields, name: string): Material | undefined {
  const data = text(fields, `${name}-data`);
  if (data !== undefined) return { data };
  const file = text(fields, name);
  return file === undefined ? undefined : { file };
}

function execOf(value: unknown): ExecCredentialProgram | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = fieldsOf(value, "exec");
  const command = text(fields, "command");
  if (command === undefined) throw new KubeconfigInvalid("exec has no command");
  const { args, env } = fields;
  return {
    command,
    args: Array.isArray(args) ? args.map(String) : [],
    env: Array.isArray(env)
      ? env.map((pair: Fields) => ({ name: String(pair["name"]), value: String(pair["value"]) }))
      : [],
    apiVersion: text(fields, "apiVersion") ?? "client.authentication.k8s.io/v1",
    provideClusterInfo: fields["provideClusterInfo"] === true,
  };
}

function impersonateOf(user: Fields): KubeconfigContext["impersonate"] {
  const as = text(user, "as");
  if (as === undefined) return undefined;
  const groups = user["as-groups"];
  return { user: as, uid: text(user, "as-uid") ?? "", groups: Array.isArray(groups) ? groups.map(String) : [] };
}

function basicOf(user: Fields): KubeconfigContext["basic"] {
  const username = text(user, "username");
  return username === undefined ? undefined : { username, password: text(user, "password") ?? "" };
}

/** What would silently do something else, were it not told. */
const refused: readonly (readonly [string, string])[] = [
  ["proxy-url", "servers are reached directly, not through a proxy; take it away where the server is reached without"],
  ["auth-provider", "Kubernetes has none since 1.26; give a token, a certificate, or a program by exec"],
];

/**
 * Reads one context of a kubeconfig that has been parsed from YAML or JSON.
 * @param context by default `current-context`
 * @throws {KubeconfigInvalid}
 */
export function readContext(document: unknown, context?: string): KubeconfigContext {
  const config = fieldsOf(document, "the kubeconfig");
  const name = context ?? text(config, "current-context");
  if (name === undefined) throw new KubeconfigInvalid("no context is named and there is no current-context");
  const chosen = named(config["contexts"], { name, inner: "context" });
  const cluster = named(config["clusters"], { name: text(chosen, "cluster") ?? "", inner: "cluster" });
  const userName = text(chosen, "user");
  const user = userName === undefined ? {} : named(config["users"], { name: userName, inner: "user" });
  for (const [given, why] of refused) {
    if (cluster[given] !== undefined || user[given] !== undefined) throw new KubeconfigInvalid(`${given}: ${why}`);
  }
  const server = text(cluster, "server");
  if (server === undefined || !URL.canParse(server)) throw new KubeconfigInvalid("the cluster has no server URL");
  return {
    name,
    server,
    namespace: text(chosen, "namespace") ?? "default",
    certificateAuthority: material(cluster, "certificate-authority"),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] === true,
    tlsServerName: text(cluster, "tls-server-name"),
    clientCertificate: material(user, "client-certificate"),
    clientKey: material(user, "client-key"),
    token: text(user, "token"),
    tokenFile: text(user, "tokenFile"),
    basic: basicOf(user),
    exec: execOf(user["exec"]),
    impersonate: impersonateOf(user),
  };
}
