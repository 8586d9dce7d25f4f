/**
 * Disks on a folder that several hosts share. The shim holds a lease for each, opens it, and ends the machine in time when
 * it cannot renew; here it is asked, one line at a time. Source: crx/shim/control.c; docs/rfd/0038-shared-datastores.md
 */
import type { Socket } from "node:net";
import { connectTo } from "./shim.ts";

/** A disk on a share. */
export interface SharedDisk {
  /** By which the guest finds it: 1 to 20 of a-z, 0-9 and `-`. */
  readonly serial: string;
  /** Absolute; has the disk as `disk.raw`, and its leases. */
  readonly folder: string;
  /** For whom it is held: no spaces, at most 63 characters. */
  readonly holder: string;
  /** After so many ms without renewal the machine is killed; others wait twice as long. */
  readonly leaseMs: number;
}

/** How it stands with a disk's lease. */
export type LeaseState =
  | { readonly is: "waiting"; readonly holder: string }
  /** `clean`: who had it before has written all that it ever will. */
  | { readonly is: "held"; readonly epoch: number; readonly isClean: boolean }
  | { readonly is: "given"; readonly fdset: number }
  | { readonly is: "trouble"; readonly why: string };

/** Begins to wait for a lease, or looks how the wait goes. @param over a holder that has no right to it any more */
export async function askForLease(machine: string, disk: SharedDisk, over: string | undefined): Promise<LeaseState> {
  const { serial, leaseMs, holder, folder } = disk;
  return await ask(machine, `hold ${serial} ${leaseMs} ${holder} ${over ?? "-"} ${folder}`);
}

/** Has the disk passed to QEMU once its lease is held, or looks how that goes. */
export async function askForDisk(machine: string, serial: string): Promise<LeaseState> {
  return await ask(machine, `give ${serial}`);
}

async function ask(machine: string, question: string): Promise<LeaseState> {
  const socket = await connectTo(machine, "control");
  try {
    socket.write(`${question}\n`);
    return parseAnswer(await lineOf(socket));
  } finally {
    socket.destroy();
  }
}

async function lineOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const part of socket.setEncoding("utf8") as AsyncIterable<string>) {
    text += part;
    if (text.endsWith("\n")) break;
  }
  return text.trimEnd();
}

function parseAnswer(line: string): LeaseState {
  const [word = "", ...rest] = line.split(" ");
  const [first = "", second = ""] = rest;
  if (word === "waiting") return { is: "waiting", holder: first };
  if (word === "held") return { is: "held", epoch: Number(first), isClean: second === "clean" };
  if (word === "given") return { is: "given", fdset: Number(first) };
  return { is: "trouble", why: rest.join(" ") || "the shim did not answer" };
}
