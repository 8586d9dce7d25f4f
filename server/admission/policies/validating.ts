/**
 * The admission plugin ValidatingAdmissionPolicy.
 *
 *     request ─▶ policies that may match (index) ─▶ match ─▶ bindings ─▶ params ─▶ verdicts ─▶ deny, warn, audit
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go
 */
import { setImmediate } from "node:timers/promises";
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { Compiler } from "@atoll/machinery/cel/index";
import { StatusError, type Reason } from "@atoll/machinery/status";
import { stringifyJson } from "@atoll/machinery/json/json";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { AdmissionMetrics, PolicyCheck } from "../metrics.ts";
import type { Inputs } from "../expressions/inputs.ts";
import { type Attributes, attributesOf, forbidden, type Matched } from "../matching/attributes.ts";
import { PolicyStatus } from "./status.ts";
import { type Invocation, type PolicyOptions, PolicyPlugin } from "./plugin.ts";
import { compileValidations, type Failure, judge, type Validations, type Verdict } from "./validations.ts";

/** Something that speaks against a request. */
interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: Reason;
}

type Policy = ValidatingAdmissionPolicy;
type Binding = ValidatingAdmissionPolicyBinding;

const failureKey = "validation.policy.admission.k8s.io/validation_failure";
/** Source: maxAuditAnnotationValueLength */
const longestAnnotation = 10 * 1024;

/** The plugin, and its start and end. */
export class ValidatingPolicies extends PolicyPlugin<Policy, Binding, Validations> implements AdmissionPlugin {
  readonly name = "ValidatingAdmissionPolicy";
  readonly #status: PolicyStatus;
  readonly #metrics: AdmissionMetrics;

  constructor(options: PolicyOptions) {
    const compiler = new Compiler();
    super(options, {
      policies: "validatingadmissionpolicies",
      bindings: "validatingadmissionpolicybindings",
      compile: (policy) => compileValidations(compiler, policy),
    });
    this.#metrics = options.metrics;
    this.#status = new PolicyStatus({ ...options, compiler });
  }

  override async start(): Promise<void> {
    await super.start();
    await this.#status.start();
  }

  override close(): void {
    this.#status.close();
    super.close();
  }

  /** @throws {StatusError} with the reason of the first validation that failed */
  async validate(request: AdmissionRequest): Promise<void> {
    const attributes = attributesOf(request);
    const { found, namespace, asker, versions } = await this.meet(attributes);
    // Without parameters, what one policy sees is what the next one sees.
    const plain = new Map<Matched, Inputs>();
    const pause = new Pause();
    const acting: Acting = { request, metrics: this.#metrics, denials: [], annotations: new Annotations() };
    for (const each of found) {
      if ("problem" in each) {
        const { policy, binding, problem, ignore } = each;
        if (!ignore) acting.denials.push({ policy, binding, message: problem, reason: "Invalid" });
        continue;
      }
      const { hook, matched, params } = each;
      let inputs = params === undefined ? plain.get(matched) : undefined;
      if (inputs === undefined) {
        const given = versions.of(matched);
        const objects = given instanceof Promise ? await given : given;
        inputs = { attributes, matched, objects, namespace, params, asker };
        if (params === undefined) plain.set(matched, inputs);
      }
      act(each, await asker.settle(() => judge(hook.compiled, inputs)), acting);
      if (pause.isDue) await pause.take();
    }
    acting.annotations.publish(request);
    refuse(attributes, acting.denials);
  }
}

// A turn longer than this is felt by other requests.
const longestTurnMs = 20;

/** Expressions near their limits take a while: between two policies, others get their turn. */
class Pause {
  #sinceMs = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#sinceMs > longestTurnMs;
  }

  async take(): Promise<void> {
    await setImmediate();
    this.#sinceMs = performance.now();
  }
}

interface Acting {
  readonly request: AdmissionRequest;
  readonly metrics: AdmissionMetrics;
  readonly denials: Denial[];
  readonly annotations: Annotations;
}

function act(
  { hook, bound: { binding: bound, name: binding } }: Invocation<Policy, Binding, Validations>,
  { failures, annotations, broken }: Verdict,
  acting: Acting,
): void {
  const actions = bound.spec.validationActions ?? [];
  const policy = hook.name;
  for (const failure of failures) {
    const { message, reason } = failure;
    for (const action of actions) {
      acting.metrics.checked({ policy, binding, action: action.toLowerCase() as PolicyCheck["action"] });
    }
    if (actions.includes("Deny")) acting.denials.push({ policy, binding, message, reason });
    if (actions.includes("Warn")) {
      acting.request.warn(
        `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`,
      );
    }
    if (actions.includes("Audit")) acting.request.annotate(failureKey, failureValue(bound, failure));
  }
  for (const { key, value } of annotations) acting.annotations.add(`${policy}/${key}`, value);
  for (const message of broken) acting.denials.push({ policy, binding, message, reason: "Invalid" });
}

/** Source: ValidationFailureValue */
function failureValue({ metadata, spec }: Binding, { index, message }: Failure): string {
  const { policyName: policy, validationActions } = spec;
  return stringifyJson([{ message, policy, binding: metadata.name, expressionIndex: index, validationActions }]);
}

/** Audit annotations of all bindings: values of one key are joined. */
class Annotations {
  readonly #values = new Map<string, Set<string>>();

  add(key: string, value: string): void {
    const values = this.#values.get(key) ?? new Set();
    values.add(value.slice(0, longestAnnotation));
    this.#values.set(key, values);
  }

  publish(request: AdmissionRequest): void {
    for (const [key, values] of this.#values) request.annotate(key, [...values].join(", "));
  }
}

function refuse(attributes: Attributes, [first]: readonly Denial[]): void {
  if (first === undefined) return;
  const bound = first.binding === undefined ? "" : ` with binding '${first.binding}'`;
  const message = `ValidatingAdmissionPolicy '${first.policy}'${bound} denied request: ${first.message}`;
  const told = forbidden(attributes, message);
  throw new StatusError(first.reason, told.message, {
    details: { ...told.details, causes: [{ message }] },
  });
}
