/**
 * What somebody may do, asked of the authorizers that decide about requests.
 * Source: k8s.io/kubernetes/pkg/registry/authorization, pkg/apis/authorization/validation
 */
import type {
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReview,
} from "@atoll/api/builtin/authorization.k8s.io/v1.types";
import { FieldErrors, Path } from "@atoll/machinery/field";
import { StatusError } from "@atoll/machinery/status";
import { resourceQuestion } from "../authorize/attributes.ts";
import { type Authorizer, decide } from "../authorize/stage.ts";
import type { Call, Handler, User } from "../call.ts";
import { invalid } from "../registry/invalid.ts";
import type { RequestInfo } from "../request.ts";
import { answerReview, readReview } from "./answer.ts";
import { checkSelectors, selectorQuery } from "./selectors.ts";

/** Whether a user may do something. `local`: in the namespace of the path only. */
export function reviewAccess(authorizers: readonly Authorizer[], { local }: { local: boolean }): Handler {
  return async (call) => {
    const review = await readReview<SubjectAccessReview>(call);
    const errors = new FieldErrors();
    checkAttributes(review.spec, errors);
    const { user = "", groups = [], uid = "", extra = {} } = review.spec;
    if (user === "" && groups.length === 0) {
      errors.invalid(Path.of("spec", "user"), user, "at least one of user or group must be specified");
    }
    if (local) checkLocal(review, call, errors);
    refuse(errors);
    review.status = await statusFor(authorizers, { name: user, groups, uid, extra }, review.spec);
    return answerReview(call, review);
  };
}

/** Whether the one who asks may do something. */
export function reviewOwnAccess(authorizers: readonly Authorizer[]): Handler {
  return async (call) => {
    const review = await readReview<SubjectAccessReview>(call);
    const errors = new FieldErrors();
    checkAttributes(review.spec, errors);
    refuse(errors);
    review.status = await statusFor(authorizers, call.user, review.spec);
    return answerReview(call, review);
  };
}

type Asked = SubjectAccessReview["spec"];

function refuse(errors: FieldErrors): void {
  if (!errors.ok) throw invalid({ group: "authorization.k8s.io", kind: "" }, "", errors);
}

function checkAttributes({ resourceAttributes, nonResourceAttributes }: Asked, errors: FieldErrors): void {
  const spec = Path.of("spec");
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const why = "cannot be specified in combination with resourceAttributes";
    errors.invalid(spec.child("nonResourceAttributes"), nonResourceAttributes, why);
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    errors.invalid(spec.child("resourceAttributes"), null, why);
  }
  if (resourceAttributes !== undefined) checkSelectors(resourceAttributes, spec.child("resourceAttributes"), errors);
}

function checkLocal({ spec, metadata }: SubjectAccessReview, call: Call, errors: FieldErrors): void {
  const { namespace } = call.info;
  if ((metadata.namespace ?? namespace) !== namespace) {
    throw new StatusError("BadRequest", `namespace must match: ${namespace}`);
  }
  const at = Path.of("spec");
  if (spec.nonResourceAttributes !== undefined) {
    const why = "disallowed on this kind of request";
    errors.invalid(at.child("nonResourceAttributes"), spec.nonResourceAttributes, why);
  }
  const asked = spec.resourceAttributes?.namespace ?? "";
  if (spec.resourceAttributes !== undefined && asked !== namespace) {
    errors.invalid(at.child("resourceAttributes").child("namespace"), asked, "must match metadata.namespace");
  }
}

async function statusFor(
  authorizers: readonly Authorizer[],
  user: User,
  spec: Asked,
): Promise<SubjectAccessReview["status"]> {
  const { resourceAttributes, nonResourceAttributes } = spec;
  const asked =
    resourceAttributes === undefined ? pathRequest(nonResourceAttributes ?? {}) : request(resourceAttributes);
  const { decision, reason, error } = await decide(authorizers, user, asked);
  return {
    allowed: decision === "allow",
    ...(decision === "deny" ? { denied: true } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(error === undefined ? {} : { evaluationError: error }),
  };
}

function request(given: ResourceAttributes): RequestInfo {
  const { verb = "", group = "", version = "", resource = "" } = given;
  return resourceQuestion({ ...given, verb, group, version, resource, query: selectorQuery(given) });
}

function pathRequest({ verb = "", path = "" }: NonResourceAttributes): RequestInfo {
  const nothing = resourceQuestion({ verb, group: "", version: "", resource: "" });
  return { ...nothing, method: verb.toUpperCase(), path };
}
