/** What an autoscaler may ask for. Source: k8s.io/kubernetes/pkg/apis/autoscaling/validation */
import { dns1123LabelErrors, pathSegmentErrors } from "@atoll/machinery/names";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "../builtin/autoscaling/v2.types.ts";
import { type Place, signOf } from "../core/podspec/place.ts";
import { checkContainerResourceName } from "../core/podspec/resources.ts";
import { checkSelector } from "../core/podspec/selector.ts";

/** In v2's form; `at` is the specification's place. */
export function checkAutoscaler({ spec }: HorizontalPodAutoscaler, at: Place): void {
  const { minReplicas, maxReplicas, behavior } = spec;
  if (minReplicas !== undefined && minReplicas < 1) {
    at.invalid("minReplicas", minReplicas, "must be greater than or equal to 1");
  }
  if (maxReplicas === 0) at.required("maxReplicas");
  else if (maxReplicas < 1) at.invalid("maxReplicas", maxReplicas, "must be greater than 0");
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    at.invalid("maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`");
  }
  checkReference(spec.scaleTargetRef, at.child("scaleTargetRef"));
  checkTargetVersion(spec.scaleTargetRef, at.child("scaleTargetRef"));
  for (const [i, metric] of (spec.metrics ?? []).entries()) checkMetric(metric, at.item("metrics", i));
  if (behavior?.scaleUp !== undefined) checkScaling(behavior.scaleUp, at.child("behavior").child("scaleUp"));
  if (behavior?.scaleDown !== undefined) checkScaling(behavior.scaleDown, at.child("behavior").child("scaleDown"));
}

function checkReference({ kind, name }: CrossVersionObjectReference, at: Place): void {
  if (kind === "") at.required("kind");
  else at.each("kind", kind, pathSegmentErrors(kind, false));
  if (name === "") at.required("name");
  else at.each("name", name, pathSegmentErrors(name, false));
}

/** What is scaled has to be found, which takes its group. */
function checkTargetVersion({ apiVersion = "" }: CrossVersionObjectReference, at: Place): void {
  const parts = apiVersion.split("/");
  if (parts.length > 2) at.invalid("apiVersion", apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
  else if (parts.length === 1 && apiVersion !== "v1") {
    at.invalid("apiVersion", apiVersion, "apiVersion must specify API group");
  }
}

const sources: Readonly<Record<string, (metric: MetricSpec, at: Place) => void>> = {
  object({ object }, at) {
    if (object === undefined) return;
    checkReference(object.describedObject, at.child("describedObject"));
    checkIdentifier(object.metric, at.child("metric"));
    checkTarget(object.target, at.child("target"));
    if (object.target.value === undefined && object.target.averageValue === undefined) {
      at.child("target").required("averageValue", "must set either a target value or a target averageValue");
    }
  },
  pods({ pods }, at) {
    if (pods === undefined) return;
    checkIdentifier(pods.metric, at.child("metric"));
    checkTarget(pods.target, at.child("target"));
    const { averageValue } = pods.target;
    if (averageValue === undefined) {
      at.child("target").required("averageValue", "must specify a positive target averageValue");
    }
  },
  resource({ resource }, at) {
    if (resource === undefined) return;
    if (resource.name === "") at.required("name", "must specify a resource name");
    checkResourceTarget(resource.target, at.child("target"));
  },
  containerResource({ containerResource: source }, at) {
    if (source === undefined) return;
    if (source.name === "") at.required("name", "must specify a resource name");
    else checkContainerResourceName(source.name, at.child("name"));
    if (source.container === "") at.required("container", "must specify a container name");
    else at.each("container", source.container, dns1123LabelErrors(source.container));
    checkResourceTarget(source.target, at.child("target"));
  },
  external({ external }, at) {
    if (external === undefined) return;
    checkIdentifier(external.metric, at.child("metric"));
    checkTarget(external.target, at.child("target"));
    const { value, averageValue } = external.target;
    if (value === undefined && averageValue === undefined) {
      at.child("target").required("averageValue", "must set either a target value for metric or a per-pod target");
    }
    if (value !== undefined && averageValue !== undefined) {
      at.child("target").forbidden("value", "may not set both a target value for metric and a per-pod target");
    }
  },
};
const types = ["ContainerResource", "External", "Object", "Pods", "Resource"];

function checkMetric(metric: MetricSpec, at: Place): void {
  const { type } = metric;
  if (type === "") at.required("type", "must specify a metric source type");
  if (!types.includes(type)) {
    // Upstream says it of the type, and again of the source that goes with it.
    at.notSupported("type", type, types);
    at.notSupported("type", type, types);
  }
  const present = Object.keys(sources).filter((name) => metric[name as keyof MetricSpec] !== undefined);
  const [first] = present;
  if (first !== undefined) sources[first]?.(metric, at.child(first));
  const expected = type === "" ? "" : (type[0] ?? "").toLowerCase() + type.slice(1);
  if (types.includes(type) && !present.includes(expected))
    at.required(expected, "must populate information for the given metric source");
  if (present.length < 2) return;
  for (const name of present) if (name !== expected) at.forbidden(name, "must populate the given metric source only");
}

function checkIdentifier({ name, selector }: MetricIdentifier, at: Place): void {
  if (name === "") at.required("name", "must specify a metric name");
  else at.each("name", name, pathSegmentErrors(name, false));
  checkSelector(selector, at.child("selector"));
}

const targetTypes = ["Utilization", "Value", "AverageValue"];

function checkTarget({ type, value, averageValue, averageUtilization }: MetricTarget, at: Place): void {
  if (type === "") at.required("type", "must specify a metric target type");
  if (!targetTypes.includes(type)) {
    at.invalid("type", type, "must be either Utilization, Value, or AverageValue");
  }
  if (value !== undefined && signOf(value) !== 1) at.invalid("value", value, "must be positive");
  if (averageValue !== undefined && signOf(averageValue) !== 1) {
    at.invalid("averageValue", averageValue, "must be positive");
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    at.invalid("averageUtilization", averageUtilization, "must be greater than 0");
  }
}

function checkResourceTarget(target: MetricTarget, at: Place): void {
  checkTarget(target, at);
  const { averageUtilization, averageValue } = target;
  if (averageUtilization === undefined && averageValue === undefined) {
    at.required("averageUtilization", "must set either a target raw value or a target utilization");
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    at.forbidden("averageValue", "may not set both a target raw value and a target utilization");
  }
}

const windowMax = 3600;
const periodMax = 1800;
const selections = ["Disabled", "Max", "Min"];
const policyTypes = ["Percent", "Pods"];

function checkScaling(rules: HPAScalingRules, at: Place): void {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  at.nonNegative("stabilizationWindowSeconds", window);
  if (window !== undefined && window > windowMax) {
    at.invalid("stabilizationWindowSeconds", window, "must be less than or equal to 3600");
  }
  if (selectPolicy !== undefined && !selections.includes(selectPolicy)) {
    at.notSupported("selectPolicy", selectPolicy, selections);
  }
  if (policies.length === 0) at.required("policies", "must specify at least one Policy");
  for (const [i, policy] of policies.entries()) checkPolicy(policy, at.item("policies", i));
  if (tolerance !== undefined && signOf(tolerance) < 0) {
    at.invalid("tolerance", tolerance, "must be greater than or equal to 0");
  }
}

function checkPolicy({ type, value, periodSeconds }: HPAScalingPolicy, at: Place): void {
  if (!policyTypes.includes(type)) at.notSupported("type", type, policyTypes);
  if (value <= 0) at.invalid("value", value, "must be greater than zero");
  if (periodSeconds <= 0) at.invalid("periodSeconds", periodSeconds, "must be greater than zero");
  if (periodSeconds > periodMax) at.invalid("periodSeconds", periodSeconds, "must be less than or equal to 1800");
}
