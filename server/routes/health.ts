/**
 * /healthz, /livez, /readyz, each check on a path of its own, with `?verbose` and `?exclude=`.
 * Source: k8s.io/apiserver/pkg/server/healthz
 */
import type { Exchange, Stage } from "../exchange.ts";
import { type Reply, textReply } from "../reply.ts";

/** One named check; rejects with the reason when it does not hold. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void>;
}

export interface HealthChecks {
  readonly live: readonly HealthCheck[];
  readonly ready: readonly HealthCheck[];
}

const roots = ["/healthz", "/livez", "/readyz"] as const;

/** A check that always holds: that anything answers at all. */
export const ping: HealthCheck = { name: "ping", check: async () => {} };

/** The stage that answers the three health paths. */
export function health(checks: HealthChecks): Stage {
  return async (exchange) => {
    const { path } = exchange.info;
    const root = roots.find((candidate) => path === candidate || path.startsWith(`${candidate}/`));
    if (root === undefined) return undefined;
    const all = root === "/readyz" ? checks.ready : checks.live;
    if (path === root) return await report(exchange, root.slice(1), all);
    const one = all.find(({ name }) => path === `${root}/${name}`);
    return one === undefined ? undefined : await report(exchange, one.name, [one]);
  };
}

async function report(exchange: Exchange, title: string, checks: readonly HealthCheck[]): Promise<Reply> {
  const excluded = new Set(exchange.info.query.getAll("exclude"));
  const lines: string[] = [];
  let failed = false;
  for (const { name, check } of checks) {
    if (excluded.has(name)) {
      lines.push(`[+]${name} excluded: ok`);
      continue;
    }
    const reason = await check().then(
      () => undefined,
      () => "reason withheld",
    );
    failed ||= reason !== undefined;
    lines.push(reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`);
  }
  if (failed) return textReply(500, `${lines.join("\n")}\n${title} check failed\n`);
  const verbose = exchange.info.query.has("verbose");
  return textReply(200, verbose ? `${lines.join("\n")}\n${title} check passed\n` : "ok");
}
