/**
 * Expressions that select devices.
 * Source: k8s.io/dynamic-resource-allocation/cel/compile.go, k8s.io/kubernetes/pkg/apis/resource/validation
 */
import {
  bindings,
  boolType,
  Compiler,
  declare,
  dynType,
  kubernetesLibraries,
  mapOf,
  objectType,
  stringType,
} from "@atoll/machinery/cel/index";
import type { DeviceSelector } from "../builtin/resource.k8s.io/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";

const maxSelectors = 32;
const maxExpression = 10 * 1024;

// Attributes and capacities stand below the domain that defines them.
const device = objectType("DRADevice", {
  driver: stringType,
  attributes: mapOf(stringType, mapOf(stringType, dynType)),
  capacity: mapOf(stringType, mapOf(stringType, dynType)),
  allowMultipleAllocations: boolType,
});

/** The `selectors` of a class or a request. */
export function checkSelectors(selectors: readonly DeviceSelector[] = [], at: Place): void {
  if (selectors.length > maxSelectors) at.errors.tooMany(at.path.child("selectors"), selectors.length, maxSelectors);
  if (selectors.length === 0) return;
  const compiler = new Compiler([...kubernetesLibraries, bindings]);
  for (const [i, { cel }] of selectors.entries()) {
    const place = at.item("selectors", i);
    if (cel === undefined) place.required("cel");
    else if (cel.expression.length > maxExpression) place.child("cel").tooLong("expression", maxExpression);
    else checkExpression(compiler, cel.expression, place.child("cel").child("expression"));
  }
}

function checkExpression(compiler: Compiler, expression: string, at: Place): void {
  const compiled = compiler.compile(expression, { variables: { device: declare(device) } });
  if (compiled.program === undefined) at.invalid("", expression, `compilation failed: ${compiled.message}`);
  else if (compiled.program.type.kind !== "bool") at.invalid("", expression, "must evaluate to bool");
}
