/** PodTemplate. Source: k8s.io/kubernetes/pkg/registry/core/podtemplate, pkg/apis/core/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { PodTemplate } from "../builtin/core/v1.types.ts";
import { column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { Place } from "./podspec/place.ts";
import { checkTemplate, labelsCell, setTemplateDefaults, templateCells } from "./podspec/template.ts";
import { templateWarnings } from "./podspec/warnings.ts";

/** The rules of PodTemplates. */
export const podTemplate: Strategy<PodTemplate> = {
  generation: true,
  warnings({ template }, old) {
    return old !== undefined && deepEqual(template, old.template)
      ? []
      : templateWarnings(template, Path.of("template"));
  },
  setDefaults: ({ template }) => setTemplateDefaults(template),
  validate: check,
  validateUpdate: (object, _old, errors) => check(object, errors),
  table: {
    columns: [
      nameColumn,
      column("Containers", "Names of the containers."),
      column("Images", "Images of the containers."),
      column("Pod Labels", "Labels of the pods made from it."),
    ],
    cells: ({ metadata, template }) => [
      metadata.name ?? "",
      ...templateCells(template),
      labelsCell(template.metadata.labels),
    ],
  },
};

function check({ template }: PodTemplate, errors: FieldErrors): void {
  checkTemplate(template, new Place(errors, Path.of("template")));
}
