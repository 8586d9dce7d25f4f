/** A client of the hub for a command's duration, and tables for people. */
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { atollVersion } from "./version.ts";

/** Runs with a client of the kubeconfig's current context. */
export async function withHub<T>(kubeconfig: string, body: (client: Client) => Promise<T>): Promise<T> {
  const { transport } = await openKubeconfig({ path: kubeconfig, clock: systemClock });
  try {
    return await body(new Client({ transport, clock: systemClock, userAgent: `atoll/${atollVersion}` }));
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
