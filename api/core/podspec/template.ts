/** What workloads share: a pod template's defaults and rules, and the columns that speak of it. */
import {
  formatLabelSelector,
  type LabelSelectorObject,
  type Requirement,
  selectorOf,
} from "@atoll/machinery/selectors/labels";
import { checkAnnotations, checkLabels } from "@atoll/machinery/objectmeta";
import type { PodTemplateSpec } from "../../builtin/core/v1.types.ts";
import { column } from "../../cells.ts";
import { checkPodAnnotations, checkProfilesMatch } from "./annotations.ts";
import { setPodSpecDefaults } from "./defaults.ts";
import type { Place } from "./place.ts";
import { checkPodSpec } from "./spec.ts";

/** Fills a template in place. */
export function setTemplateDefaults(template: PodTemplateSpec): void {
  setPodSpecDefaults(template.spec);
}

/**
 * All rules within a template. Upstream reports its metadata as if it stood in the template itself.
 * Source: pkg/apis/core/validation (ValidatePodTemplateSpec)
 */
export function checkTemplate(template: PodTemplateSpec, at: Place): void {
  const { metadata, spec } = template;
  checkTemplateMetadata(template, at);
  const here = at.child("spec");
  checkPodSpec(spec, here, { pod: false });
  checkProfilesMatch(metadata, spec, here);
  if ((spec.ephemeralContainers ?? []).length > 0) {
    here.forbidden("ephemeralContainers", "ephemeral containers not allowed in pod template");
  }
}

/** Labels and annotations, all that a template's metadata is looked at for. */
export function checkTemplateMetadata({ metadata, spec }: PodTemplateSpec, at: Place): void {
  if (metadata.labels !== undefined) checkLabels(metadata.labels, at.path.child("labels"), at.errors);
  if (metadata.annotations === undefined) return;
  checkAnnotations(metadata.annotations, at.path.child("annotations"), at.errors);
  checkPodAnnotations(metadata, spec, at);
}

/** Containers and Images, shown with -o wide. */
export const templateColumns = [
  column("Containers", "Names of the containers.", 1),
  column("Images", "Images of the containers.", 1),
] as const;

/** The Selector column, shown with -o wide. */
export const selectorColumn = column("Selector", "Labels by which its pods are known.", 1);

/** Cells of templateColumns. */
export function templateCells(template: PodTemplateSpec | undefined): [string, string] {
  const containers = template?.spec?.containers ?? [];
  return [containers.map(({ name }) => name).join(","), containers.map(({ image = "" }) => image).join(",")];
}

/** A label selector as a cell, and as a Scale tells it: `a=1` of its labels, `a in (1)` of its expressions. */
export function selectorCell(selector: LabelSelectorObject | null | undefined): string {
  const labels = selectorOf({ matchLabels: selector?.matchLabels ?? {} }) ?? [];
  const expressions = selectorOf({ matchExpressions: selector?.matchExpressions ?? [] }) ?? [];
  const parts = [
    ...labels.map((requirement) => ({ key: requirement.key, text: formatLabelSelector([requirement]) })),
    ...expressions.map((requirement) => ({ key: requirement.key, text: expressionText(requirement) })),
  ];
  if (parts.length === 0) return "<none>";
  parts.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  return parts.map(({ text }) => text).join(",");
}

function expressionText(requirement: Requirement): string {
  const { key, operator, values } = requirement;
  return operator === "In" && values.length === 1 ? `${key} in (${values[0]})` : formatLabelSelector([requirement]);
}

/** A map of labels as a cell. */
export function labelsCell(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}
