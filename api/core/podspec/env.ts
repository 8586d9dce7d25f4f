/** A container's environment. Source: pkg/apis/core/validation (ValidateEnv, ValidateEnvFrom) */
import { configKeyErrors, nameRules, relaxedEnvNameErrors } from "@atoll/machinery/names";
import type { EnvFromSource, EnvVar, FileKeySelector } from "../../builtin/core/v1.types.ts";
import { checkFieldRef, checkResourceFieldRef, envFields } from "./fieldref.ts";
import { checkNonReserved } from "./paths.ts";
import type { Place } from "./place.ts";

/** Variables with a value or a source of one. */
export function checkEnv(vars: readonly EnvVar[], at: Place): void {
  for (const [i, { name, value, valueFrom }] of vars.entries()) {
    if (name === "") at.item("env", i).required("name");
    else {
      const messages = relaxedEnvNameErrors(name);
      if (messages.length > 0) at.item("env", i).each("name", name, messages);
    }
    if (valueFrom !== undefined) checkSource(valueFrom, at.item("env", i).child("valueFrom"), value ?? "");
  }
}

function checkSource(source: NonNullable<EnvVar["valueFrom"]>, at: Place, value: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef !== undefined) checkFieldRef(fieldRef, envFields, at.child("fieldRef"));
  if (resourceFieldRef !== undefined) {
    checkResourceFieldRef(resourceFieldRef, at.child("resourceFieldRef"), { volume: false });
  }
  if (configMapKeyRef !== undefined) checkKeyRef(configMapKeyRef, at.child("configMapKeyRef"));
  if (secretKeyRef !== undefined) checkKeyRef(secretKeyRef, at.child("secretKeyRef"));
  if (fileKeyRef !== undefined) checkFileKeyRef(fileKeyRef, at.child("fileKeyRef"));
  const count = Object.values(source).filter((part) => part !== undefined && part !== null).length;
  if (count === 0) {
    at.invalid(
      "",
      "",
      "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
    );
  } else if (value !== "") at.invalid("", "", "may not be specified when `value` is not empty");
  else if (count > 1) at.invalid("", "", "may not have more than one field specified at a time");
}

function checkKeyRef({ name = "", key }: { name?: string; key: string }, at: Place): void {
  at.each("name", name, nameRules.dnsSubdomain(name, false));
  if (key === "") at.required("key");
  else at.each("key", key, configKeyErrors(key));
}

function checkFileKeyRef({ volumeName, path, key }: FileKeySelector, at: Place): void {
  if (volumeName === "") at.required("volumeName");
  else at.each("volumeName", volumeName, nameRules.dnsLabel(volumeName, false));
  if (path === "") at.required("path");
  else checkNonReserved(path, at, "path");
  if (key === "") at.required("key");
  else at.each("key", key, relaxedEnvNameErrors(key));
}

/** Whole ConfigMaps and Secrets as variables. */
export function checkEnvFrom(sources: readonly EnvFromSource[], at: Place): void {
  for (const [i, { prefix, configMapRef, secretRef }] of sources.entries()) {
    const here = at.item("envFrom", i);
    if (prefix) here.each("prefix", prefix, relaxedEnvNameErrors(prefix));
    if (configMapRef !== undefined) checkName(configMapRef.name, here.child("configMapRef"));
    if (secretRef !== undefined) checkName(secretRef.name, here.child("secretRef"));
    if (configMapRef === undefined && secretRef === undefined) {
      at.invalid("envFrom", "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      at.invalid("envFrom", "", "may not have more than one field specified at a time");
    }
  }
}

function checkName(name: string | undefined, at: Place): void {
  if (!name) at.required("name");
  else at.each("name", name, nameRules.dnsSubdomain(name, true));
}
