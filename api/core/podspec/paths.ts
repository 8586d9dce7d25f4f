/** Paths inside containers and volumes. Source: pkg/apis/core/validation (validateLocalDescendingPath and its kin) */
import type { Place } from "./place.ts";

/** No element of it is `..`. */
export function checkNoBacksteps(path: string, at: Place, field: string): void {
  if (hasBacksteps(path)) at.invalid(field, path, "must not contain '..'");
}

/** Whether an element is `..`. */
export function hasBacksteps(path: string): boolean {
  return path.includes("..") && path.split("/").includes("..");
}

/** Relative, and never upwards. */
export function checkDescending(path: string, at: Place, field: string): void {
  if (path.startsWith("/")) at.invalid(field, path, "must be a relative path");
  checkNoBacksteps(path, at, field);
}

/** Relative, never upwards, and not starting with the dots that volumes keep for themselves. */
export function checkNonReserved(path: string, at: Place, field: string): void {
  checkDescending(path, at, field);
  if (path.startsWith("..") && !path.startsWith("../")) at.invalid(field, path, "must not start with '..'");
}

const modeMax = 0o777;

/** A file mode that is there. */
export function checkMode(mode: number | undefined, at: Place, field: string): void {
  if (mode !== undefined && (mode > modeMax || mode < 0)) {
    at.invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive");
  }
}
