// Made by tools/kinds/generate.ts from k8s.io/api/certificates/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.certificates.v1";

/** The types of certificates.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
CertificateSigningRequest
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec CertificateSigningRequestSpec keep tag=2 required
  status CertificateSigningRequestStatus keep tag=3

CertificateSigningRequestCondition
  type string keep tag=1 required
  status string keep tag=6 required
  reason string omit tag=2
  message string omit tag=3
  lastUpdateTime Time keep tag=4
  lastTransitionTime Time keep tag=5

CertificateSigningRequestList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CertificateSigningRequest keep tag=2 required

CertificateSigningRequestSpec
  request bytes keep tag=1 required
  signerName string keep tag=7 required
  expirationSeconds int32 set tag=8
  usages []KeyUsage omit tag=5 list=atomic
  username string omit tag=2
  uid string omit tag=3
  groups []string omit tag=4 list=atomic
  extra map[][]string omit tag=6

CertificateSigningRequestStatus
  conditions []CertificateSigningRequestCondition omit tag=1 list=map(type)
  certificate bytes omit tag=2

KeyUsage enum=["any","cert sign","client auth","code signing","content commitment","crl sign","data encipherment","decipher only","digital signature","email protection","encipher only","ipsec end system","ipsec tunnel","ipsec user","key agreement","key encipherment","microsoft sgc","netscape sgc","ocsp signing","s/mime","server auth","signing","timestamping"]
`;
