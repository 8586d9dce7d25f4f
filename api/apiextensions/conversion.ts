/**
 * Rules of spec.conversion: none, or a webhook that can be called.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go,
 * k8s.io/apiserver/pkg/util/webhook/validation.go
 */
import type { FieldErrors, Path } from "@atoll/machinery/field";
import { dns1035LabelErrors, dns1123SubdomainErrors, portNumberErrors } from "@atoll/machinery/names";
import type {
  CustomResourceConversion,
  ServiceReference,
  WebhookClientConfig,
} from "../builtin/apiextensions.k8s.io/v1.types.ts";

/** What an update lets be because it was so before. */
export interface ConversionLeniency {
  readonly unknownReviewVersions: boolean;
  readonly badCABundle: boolean;
}

const reviewVersions: ReadonlySet<string> = new Set(["v1", "v1beta1"]);

/** Whether a list names a version of ConversionReview that servers speak, or nothing. */
export function speaksReview(versions: readonly string[] | null | undefined): boolean {
  return (versions ?? []).length === 0 || (versions ?? []).some((version) => reviewVersions.has(version));
}

/** The rules of spec.conversion: a strategy, and for Webhook where it is and what it speaks. */
export function validateConversion(
  conversion: CustomResourceConversion,
  lenient: ConversionLeniency,
  at: Path,
  errors: FieldErrors,
): void {
  const { strategy, webhook } = conversion;
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy === "") errors.required(at.child("strategy"));
  else if (strategy !== "None" && strategy !== "Webhook") {
    errors.notSupported(at.child("strategy"), strategy, ["None", "Webhook"]);
  }
  if (strategy === "Webhook") {
    validateClient(webhook?.clientConfig, lenient, at.child("webhookClientConfig"), errors);
    validateVersions(versions, lenient, at.child("conversionReviewVersions"), errors);
    return;
  }
  const detail = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) errors.forbidden(at.child("webhookClientConfig"), detail);
  if (versions.length > 0) errors.forbidden(at.child("conversionReviewVersions"), detail);
}

function validateClient(
  client: WebhookClientConfig | undefined,
  { badCABundle }: ConversionLeniency,
  at: Path,
  errors: FieldErrors,
): void {
  if (client === undefined) {
    errors.required(at, "required when strategy is set to Webhook");
    return;
  }
  const { url, service, caBundle = "" } = client;
  if ((url === undefined) === (service === undefined)) errors.required(at, "exactly one of url or service is required");
  else if (url !== undefined) validateUrl(url, at.child("url"), errors);
  else if (service !== undefined) validateService(service, at.child("service"), errors);
  if (caBundle !== "" && !badCABundle && !isCABundle(caBundle)) {
    const detail = "unable to load root certificates: unable to parse bytes as PEM block";
    errors.invalid(at.child("caBundle"), "<redacted>", detail);
  }
}

const form = "; desired format: https://host[/path]";

/** The parts of a URL, as RFC 3986 takes it apart. */
const urlParts =
  /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?# ]*))?(?:(?=[/?#]|$)|(?!\/\/))([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

// Control characters of ASCII.
const control = /[^\P{Cc}\u0080-\u009f]/u;

/** A webhook's address: https, a host, nothing else but a path. Source: ValidateWebhookURL */
export function validateUrl(url: string, at: Path, errors: FieldErrors): void {
  const parts = control.test(url) || url.startsWith(":") ? null : urlParts.exec(url);
  if (parts === null) errors.required(at, `url must be a valid URL: parse ${JSON.stringify(url)}${form}`);
  else validateUrlParts(parts, at, errors);
}

function validateUrlParts(parts: readonly (string | undefined)[], at: Path, errors: FieldErrors): void {
  const [, scheme = "", authority = "", , query = "", fragment = ""] = parts;
  const user = authority.lastIndexOf("@");
  if (scheme.toLowerCase() !== "https") errors.invalid(at, scheme, `'https' is the only allowed URL scheme${form}`);
  if (authority.slice(user + 1) === "") errors.invalid(at, "", `host must be specified${form}`);
  if (user >= 0) errors.invalid(at, authority.slice(0, user), "user information is not permitted in the URL");
  if (fragment !== "") errors.invalid(at, fragment, "fragments are not permitted in the URL");
  if (query !== "") errors.invalid(at, query, "query parameters are not permitted in the URL");
}

/** A webhook's Service. Source: ValidateWebhookService */
export function validateService(service: ServiceReference, at: Path, errors: FieldErrors): void {
  const { port = 443, path = "" } = service;
  // Upstream hands name and namespace over in the other order.
  if (service.namespace === "") errors.required(at.child("name"));
  if (service.name === "") errors.required(at.child("namespace"));
  const wrong = portNumberErrors(port);
  if (wrong.length > 0) errors.invalid(at.child("port"), port, `port is not valid: ${wrong.join(", ")}`);
  if (path !== "" && path !== "/") validatePath(path, at.child("path"), errors);
}

function validatePath(path: string, at: Path, errors: FieldErrors): void {
  if (path === "//") {
    errors.invalid(at, path, "segment[0] may not be empty");
    return;
  }
  if (!path.startsWith("/")) errors.invalid(at, path, "must start with a '/'");
  const inner = path.slice(1);
  const segments = (inner.endsWith("/") ? inner.slice(0, -1) : inner).split("/");
  for (const [i, segment] of segments.entries()) {
    if (segment === "") errors.invalid(at, path, `segment[${i}] may not be empty`);
    else for (const wrong of dns1123SubdomainErrors(segment)) errors.invalid(at, path, `segment[${i}]: ${wrong}`);
  }
}

function validateVersions(
  versions: readonly string[],
  { unknownReviewVersions }: ConversionLeniency,
  at: Path,
  errors: FieldErrors,
): void {
  if (versions.length === 0) {
    errors.required(at);
    return;
  }
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) errors.invalid(at.index(i), version, "duplicate version");
    else for (const wrong of dns1035LabelErrors(version)) errors.invalid(at.index(i), version, wrong);
  }
  if (!unknownReviewVersions && !speaksReview(versions)) {
    errors.invalid(at, versions, "must include at least one of v1, v1beta1");
  }
}

/** Whether base64 text is PEM with at least one block that could be a certificate. */
export function isCABundle(base64: string): boolean {
  const pem = decodeBase64(base64);
  const block = /-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----/.exec(pem ?? "");
  // A certificate is a DER sequence: its first byte is 0x30.
  return (decodeBase64((block?.[1] ?? "").replace(/\s+/g, "")) ?? "").startsWith("\x30");
}

function decodeBase64(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}
