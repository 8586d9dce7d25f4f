/**
 * Which level and version a namespace's labels ask for, and what a pod does against it.
 * Source: k8s.io/pod-security-admission/api/helpers.go, …/policy/registry.go
 */
import { FieldErrors, Path } from "@atoll/machinery/field";
import { baselineControls } from "./baseline.ts";
import type { Check, Control, PodLike, Violation } from "./controls.ts";
import { restrictedControls } from "./restricted.ts";

/** From all to least. */
export type Level = "privileged" | "baseline" | "restricted";

/** A level as of a version: the minor of 1.x, or Infinity for the latest. */
export interface LevelVersion {
  readonly level: Level;
  readonly version: number;
}

/** What a namespace asks for in each mode. */
export interface PodPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

const prefix = "pod-security.kubernetes.io/";
const levels: readonly Level[] = ["privileged", "baseline", "restricted"];
const labelsPath = Path.of("metadata", "labels");

/**
 * The policy, and what is wrong with the labels. What cannot be read counts as restricted when enforced, and as
 * nothing when it would only be told.
 */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): {
  policy: PodPolicy;
  errors: FieldErrors;
} {
  const errors = new FieldErrors();
  const read = (mode: keyof PodPolicy): LevelVersion => {
    const level = labels?.[prefix + mode];
    const version = labels?.[`${prefix}${mode}-version`];
    return {
      level: level === undefined ? "privileged" : readLevel(level, mode, errors),
      version: version === undefined ? Number.POSITIVE_INFINITY : readVersion(version, mode, errors),
    };
  };
  const policy = { enforce: read("enforce"), audit: read("audit"), warn: read("warn") };
  return { policy, errors };
}

function readLevel(text: string, mode: keyof PodPolicy, errors: FieldErrors): Level {
  const level = levels.find((each) => each === text);
  if (level !== undefined) return level;
  errors.invalid(labelsPath.key(prefix + mode), text, `must be one of ${levels.join(", ")}`);
  return mode === "enforce" ? "restricted" : "privileged";
}

function readVersion(text: string, mode: keyof PodPolicy, errors: FieldErrors): number {
  if (text === "latest") return Number.POSITIVE_INFINITY;
  const minor = /^v1\.(\d|[1-9]\d*)$/.exec(text)?.[1];
  if (minor !== undefined && Number.isSafeInteger(Number(minor))) return Number(minor);
  errors.invalid(labelsPath.key(`${prefix}${mode}-version`), text, `must be "latest" or "v1.x"`);
  return Number.POSITIVE_INFINITY;
}

/** `restricted:latest`, `baseline:v1.30` */
export function formatLevel({ level, version }: LevelVersion): string {
  return `${level}:${Number.isFinite(version) ? `v1.${version}` : "latest"}`;
}

/** Whether `a` forbids more than `b` does. */
export function isStricter(a: Level, b: Level): boolean {
  return levels.indexOf(a) > levels.indexOf(b);
}

/** Whether two policies forbid the same. */
export function sameLevel(a: LevelVersion, b: LevelVersion): boolean {
  return a.level === b.level && a.version === b.version;
}

/** What the pod does that the level forbids, in the order in which it is told. */
export function violations(pod: PodLike, wanted: LevelVersion): readonly Violation[] {
  return checksOf(wanted).flatMap((check) => check(pod) ?? []);
}

function checksOf({ level, version }: LevelVersion): readonly Check[] {
  if (level === "privileged") return [];
  const at = (control: Control) => control.versions.findLast(([since]) => since <= version)?.[1];
  const restricted = level === "restricted" ? restrictedControls.filter((each) => at(each) !== undefined) : [];
  const overridden = new Set(restricted.flatMap(({ overrides = [] }) => overrides));
  const baseline = baselineControls.filter(({ id }) => !overridden.has(id));
  return [...baseline, ...restricted].flatMap((control) => at(control) ?? []);
}

/** `privileged (container "a" must not …), hostPort (…)` */
export function describe(found: readonly Violation[]): string {
  return found.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
}
