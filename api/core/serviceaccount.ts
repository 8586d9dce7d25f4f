/** ServiceAccount. Source: k8s.io/kubernetes/pkg/registry/core/serviceaccount */
import type { ServiceAccount } from "../builtin/core/v1.types.ts";
import { age, ageColumn, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

/** The rules of ServiceAccounts. */
export const serviceAccount: Strategy<ServiceAccount> = {
  revalidatesMetadata: true,
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  table: {
    columns: [nameColumn, ageColumn],
    cells: ({ metadata }, nowMs) => [metadata.name ?? "", age(metadata.creationTimestamp, nowMs)],
  },
};

/** Of a reference to a Secret only the name means something. Source: cleanSecretReferences */
function keepSecretNames(account: ServiceAccount): void {
  if (account.secrets === undefined) return;
  account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
