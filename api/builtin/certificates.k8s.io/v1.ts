// Made by tools/kinds/generate.ts from k8s.io/api/certificates/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.certificates.v1";

/** The types of certificates.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
CertificateSigningRequest
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec CertificateSigningRequestSpec keep required
  status CertificateSigningRequestStatus keep

CertificateSigningRequestCondition
  type string keep required
  status string keep required
  reason string omit
  message string omit
  lastUpdateTime Time keep
  lastTransitionTime Time keep

CertificateSigningRequestList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CertificateSigningRequest keep required

CertificateSigningRequestSpec
  request bytes keep required
  signerName string keep required
  expirationSeconds int32 set
  usages []KeyUsage omit list=atomic
  username string omit
  uid string omit
  groups []string omit list=atomic
  extra map[][]string omit

CertificateSigningRequestStatus
  conditions []CertificateSigningRequestCondition omit list=map(type)
  certificate bytes omit

KeyUsage enum=["any","cert sign","client auth","code signing","content commitment","crl sign","data encipherment","decipher only","digital signature","email protection","encipher only","ipsec end system","ipsec tunnel","ipsec user","key agreement","key encipherment","microsoft sgc","netscape sgc","ocsp signing","s/mime","server auth","signing","timestamping"]
`;
