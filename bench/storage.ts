/**
 * Figures of a store by itself: `node bench/storage.ts [sqlite|memory|etcd] [FOLDER or URL,URL]`.
 * Values of 1.5 KB, as an average object; each write is durable before it counts.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { openEtcd } from "@atoll/storage/etcd";
import { openMemory } from "@atoll/storage/memory";
import { openSqlite } from "@atoll/storage/sqlite";
import type { Entry, Store } from "@atoll/storage/store";

const valueBytes = 1500;

interface Load {
  readonly name: string;
  readonly count: number;
  readonly inFlight: number;
  run(i: number): Promise<unknown>;
}

const [kind = "sqlite", where = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-bench-"))] = process.argv.slice(2);
await bench(kind, where);

async function bench(kind: string, where: string): Promise<void> {
  const store = await open(kind, where);
  const key = (i: number): string => `/registry/core/configmaps/namespace-${i % 20}/name-${i}`;
  const value = (): Buffer => Buffer.alloc(valueBytes, 97);
  const entries: Entry[] = [];
  const create = async (i: number): Promise<void> => void (entries[i] = await store.create(key(i), value()));
  const update = async (i: number): Promise<void> => {
    const found = entries[i % 5000];
    if (found !== undefined) entries[i % 5000] = await store.update(found.key, found.modRevision, value());
  };
  let base = 0;
  const creates = async (count: number, inFlight: number): Promise<void> => {
    const from = base;
    await measure({ name: "create", count, inFlight, run: (i) => create(from + i) });
    base += count;
  };
  // etcd is twenty times slower, and keys are few enough for its default quota.
  const scale = kind === "etcd" ? 0.05 : 1;
  await creates(2000, 64);
  await creates(1000, 1);
  await creates(10_000 * scale, 16);
  await creates(87_000 * scale, 64);
  await measure({ name: "update", count: 60_000 * scale, inFlight: 64, run: update });
  await measure({ name: "update, forgetting", count: 60_000 * scale, inFlight: 64, run: update });
  await measure({ name: "get", count: 200_000 * scale, inFlight: 16, run: (i) => store.get(key(i % base)) });
  await measure({
    name: "list 5,000",
    count: 50,
    inFlight: 1,
    run: () => store.list("/registry/core/configmaps/namespace-7/"),
  });
  await store.close();
  const from = performance.now();
  const again = await open(kind, where);
  const { entries: all } = await again.list("");
  print({
    name: "open again",
    ms: performance.now() - from,
    entries: all.length,
    rssMiB: process.memoryUsage.rss() >> 20,
  });
  await again.close();
}

function open(kind: string, where: string): Promise<Store> {
  switch (kind) {
    case "memory":
      return Promise.resolve(openMemory());
    case "sqlite":
      return openSqlite({ file: path.join(where, "store.db"), clock: systemClock });
    case "etcd":
      return openEtcd({ endpoints: where.split(","), prefix: `/bench-${process.pid}`, clock: systemClock });
    default:
      throw new Error(`no store is called ${kind}`);
  }
}

async function measure({ name, count, inFlight, run }: Load): Promise<void> {
  const took: number[] = [];
  const cpu = process.cpuUsage();
  const own = process.threadCpuUsage();
  const from = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < count) {
      const start = performance.now();
      await run(next++);
      took.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const ms = performance.now() - from;
  const whole = process.cpuUsage(cpu);
  const main = process.threadCpuUsage(own);
  took.sort((a, b) => a - b);
  print({
    name,
    inFlight,
    "per s": (count / ms) * 1000,
    "p50 ms": took[count >> 1] ?? 0,
    "p99 ms": took[Math.floor(count * 0.99)] ?? 0,
    "max ms": took.at(-1) ?? 0,
    "CPU µs": (whole.user + whole.system) / count,
    "main µs": (main.user + main.system) / count,
    rssMiB: process.memoryUsage.rss() >> 20,
  });
}

function print(figures: Record<string, string | number>): void {
  const text = Object.entries(figures).map(([name, figure]) =>
    typeof figure === "string"
      ? figure.padEnd(20)
      : `${name} ${figure < 100 ? figure.toFixed(2) : Math.round(figure)}`.padEnd(16),
  );
  process.stdout.write(`${text.join("")}\n`);
}
