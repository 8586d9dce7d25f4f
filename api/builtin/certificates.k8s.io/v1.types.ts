// Made by tools/kinds/generate.ts from k8s.io/api/certificates/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type CertificateSigningRequest = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: CertificateSigningRequestSpec;
  status: CertificateSigningRequestStatus;
};

export type CertificateSigningRequestCondition = {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastUpdateTime: string | null;
  lastTransitionTime: string | null;
};

export type CertificateSigningRequestList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: CertificateSigningRequest[] | null;
};

export type CertificateSigningRequestSpec = {
  request: string | null;
  signerName: string;
  expirationSeconds?: number;
  usages?: KeyUsage[];
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
};

export type CertificateSigningRequestStatus = {
  conditions?: CertificateSigningRequestCondition[];
  certificate?: string;
};

/** One of "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping". */
export type KeyUsage = string;
