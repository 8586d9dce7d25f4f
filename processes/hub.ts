/** What commands that speak to a server as its admin have in common: flags, a client for their duration, tables for people. */
import { stat } from "node:fs/promises";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import type { Command } from "commander";
import { flags, UsageError } from "./flags.ts";
import { atollVersion } from "./version.ts";

/** Flags of such a command; `adminKubeconfig` takes its `data`. */
export function hubFlags(name: string, description: string): Command {
  return flags(name, description).option(
    "--data <dir>",
    "as the admin of this data directory (default: as KUBECONFIG says, or of the usual one)",
  );
}

/**
 * Runs with a client of the kubeconfig's current context.
 * @param onWarning told what the server says beside its answers
 * @throws {UsageError} there is no such file
 */
export async function withHub<T>(
  kubeconfig: string,
  body: (client: Client) => Promise<T>,
  onWarning: (text: string) => void = () => undefined,
): Promise<T> {
  await stat(kubeconfig).catch(() => {
    throw new UsageError(`there is no ${kubeconfig}; start ./atoll up, or name another file by KUBECONFIG or --data`);
  });
  const { transport } = await openKubeconfig({ path: kubeconfig, clock: systemClock });
  try {
    return await body(new Client({ transport, clock: systemClock, userAgent: `atoll/${atollVersion}`, onWarning }));
  } finally {
    transport.close();
  }
}

/** Rows under a heading, in columns. Control characters of what others wrote are not printed. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => cell.replace(/\p{Cc}/gu, "?")));
  const widths = clean[0]?.map((_, at) => Math.max(...clean.map((row) => row[at]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ");
  return clean.map((row) => `${line(row).trimEnd()}\n`).join("");
}
