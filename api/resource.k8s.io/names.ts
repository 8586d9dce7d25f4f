/** Names in claims and slices. Source: k8s.io/kubernetes/pkg/apis/resource/validation */
import { cIdentifierErrors, dns1123SubdomainErrors, labelMax, subdomainMax } from "@atoll/machinery/names";
import type { Place } from "../core/podspec/place.ts";

const maxIdentifier = 32;

/** A driver: a DNS subdomain whose case does not matter, no longer than a label. */
export function checkDriver(field: string, name: string, at: Place): void {
  if (name === "") at.required(field);
  if (name.length > labelMax) at.tooLong(field, labelMax);
  if (name !== "") at.each(field, name, dns1123SubdomainErrors(name.toLowerCase()));
}

/** A pool: subdomains with slashes between them. */
export function checkPoolName(name: string, at: Place): void {
  if (name === "") {
    at.required("name");
    return;
  }
  if (name.length > subdomainMax) at.tooLong("name", subdomainMax);
  for (const part of name.split("/")) at.each("name", name, dns1123SubdomainErrors(part));
}

/** `name` or `domain/name`. */
export function checkQualified(field: string, name: string, at: Place): void {
  const slash = name.indexOf("/");
  const identifier = name.slice(slash + 1);
  if (slash >= 0) checkDriver(field, name.slice(0, slash), at);
  if (identifier.length > maxIdentifier) at.tooLong(field, maxIdentifier);
  at.each(field, identifier, cIdentifierErrors(identifier));
}

/** `domain/name`. */
export function checkFullyQualified(field: string, name: string, at: Place): void {
  checkQualified(field, name, at);
  if (!name.includes("/")) at.invalid(field, name, "must include a domain");
}
