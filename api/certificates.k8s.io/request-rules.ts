/** Rules of certificate requests. Source: k8s.io/kubernetes/pkg/apis/certificates/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, dns1123SubdomainErrors, subdomainMax } from "@atoll/machinery/names";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  CertificateSigningRequestSpec,
} from "../builtin/certificates.k8s.io/v1.types.ts";
import { Place } from "../core/podspec/place.ts";
import { pemBlock, requestProblem } from "./pem.ts";

const leastSeconds = 600;
const usages = [
  "signing",
  "digital signature",
  "content commitment",
  "key encipherment",
  "key agreement",
  "data encipherment",
  "cert sign",
  "crl sign",
  "encipher only",
  "decipher only",
  "any",
  "server auth",
  "client auth",
  "code signing",
  "email protection",
  "s/mime",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "timestamping",
  "ocsp signing",
  "microsoft sgc",
  "netscape sgc",
];
const statuses = ["True", "False", "Unknown"];
/** Once there, these stay. */
const final = ["Approved", "Denied", "Failed"];

/** Rules within a spec. */
export function checkSpec(spec: CertificateSigningRequestSpec, at: Place): void {
  const problem = requestProblem(spec.request ?? "");
  if (problem !== undefined) at.invalid("request", spec.request ?? "", problem);
  const given = spec.usages ?? [];
  if (given.length === 0) at.required("usages", "usages must contain at least one value");
  for (const [i, usage] of given.entries()) {
    const place = at.item("usages", i);
    if (!usages.includes(usage)) place.notSupported("", usage, usages);
    if (given.indexOf(usage) < i) place.duplicate("", usage);
  }
  if (spec.signerName === "kubernetes.io/legacy-unknown") {
    at.invalid("signerName", spec.signerName, "the legacy signerName is not allowed via this API version");
  } else checkSignerName(spec.signerName, at);
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < leastSeconds) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    at.invalid("expirationSeconds", spec.expirationSeconds, why);
  }
}

/** `domain/path`. Source: ValidateSignerName */
function checkSignerName(name: string, at: Place): void {
  const [domain = "", path, more] = name.split("/");
  if (name === "") at.required("signerName");
  else if (path === undefined || more !== undefined) {
    at.invalid("signerName", name, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
  } else {
    if (domain.length > subdomainMax) at.tooLong("signerName", subdomainMax);
    const labels = domain.split(".");
    for (const label of labels) {
      const wrong = dns1123LabelErrors(label).map((message) => `validating label ${JSON.stringify(label)}: ${message}`);
      at.each("signerName", domain, wrong);
    }
    if (labels.length < 2) {
      at.invalid("signerName", domain, "should be a domain with at least two segments separated by dots");
    }
    at.each("signerName", path, dns1123SubdomainErrors(path));
  }
}

/** Rules of `status.conditions`; `at` is the status. */
export function checkConditions(conditions: readonly CertificateSigningRequestCondition[] = [], at: Place): void {
  const types = conditions.map(({ type }) => type);
  for (const [i, { type, status }] of conditions.entries()) {
    const place = at.item("conditions", i);
    if (type === "") place.required("type");
    place.oneOf("status", status, final.includes(type) ? ["True"] : statuses);
    const before = types.slice(0, i);
    if ((type === "Approved" && before.includes("Denied")) || (type === "Denied" && before.includes("Approved"))) {
      place.invalid("type", type, "Approved and Denied conditions are mutually exclusive");
    }
    if (before.includes(type)) place.duplicate("type", type);
  }
}

/** A change, by what the path that is written may set. */
export function checkChange(
  object: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { errors, sets }: { errors: FieldErrors; sets: "neither" | "certificate" | "decision" },
): void {
  const at = new Place(errors, Path.of("status"));
  checkSpec(object.spec, new Place(errors, Path.of("spec")));
  checkConditions(object.status.conditions, at);
  for (const type of final) {
    const of = ({ status }: CertificateSigningRequest) =>
      (status.conditions ?? []).filter((each) => each.type === type);
    const [now, before] = [of(object), of(old)];
    if (now.length < before.length) at.forbidden("conditions", `updates may not remove a condition of type "${type}"`);
    else if (sets === "decision" || type === "Failed") continue;
    else if (now.length > before.length)
      at.forbidden("conditions", `updates may not add a condition of type "${type}"`);
    else if (!deepEqual(now, before))
      at.forbidden("conditions", `updates may not modify a condition of type "${type}"`);
  }
  checkCertificate(object.status.certificate ?? "", old.status.certificate ?? "", { at, sets });
}

function checkCertificate(certificate: string, old: string, { at, sets }: { at: Place; sets: string }): void {
  if (certificate === old) return;
  if (sets !== "certificate") at.forbidden("certificate", "updates may not set certificate content");
  else if (old !== "") at.forbidden("certificate", "updates may not modify existing certificate content");
  if (certificate !== "" && pemBlock(certificate, "CERTIFICATE") === undefined) {
    at.invalid("certificate", "<certificate data>", "must contain one or more CERTIFICATE PEM blocks");
  }
}
