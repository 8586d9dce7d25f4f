/** The flags that say where objects are kept: `--store` and its companions. */
import type { Command } from "commander";

/** Where objects are kept. */
export interface StoreFlags {
  /** `sqlite` (a file in the data directory), or `etcd=URL,URL…` */
  readonly store: string;
  readonly etcdCafile?: string;
  readonly etcdCertfile?: string;
  readonly etcdKeyfile?: string;
}

/** Adds the flags. Source: k8s.io/apiserver/pkg/server/options/etcd.go (their names) */
export const withStoreFlags = (command: Command): Command =>
  command
    .option("--store <store>", "sqlite (in the data directory), or etcd=URL,URL…", "sqlite")
    .option("--etcd-cafile <file>", "who vouches for etcd's members (default: the system's authorities)")
    .option("--etcd-certfile <file>", "certificate to show to etcd")
    .option("--etcd-keyfile <file>", "its key");

/** The flags again, for a process that is started with them. */
export const storeArguments = ({ store, etcdCafile, etcdCertfile, etcdKeyfile }: StoreFlags): readonly string[] => [
  ...["--store", store],
  ...(etcdCafile === undefined ? [] : ["--etcd-cafile", etcdCafile]),
  ...(etcdCertfile === undefined ? [] : ["--etcd-certfile", etcdCertfile]),
  ...(etcdKeyfile === undefined ? [] : ["--etcd-keyfile", etcdKeyfile]),
];
