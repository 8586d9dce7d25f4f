/** When containers start again, apart from their pod's rule. Source: pkg/apis/core/validation (validateContainerRestartPolicy) */
import type { Container, ContainerRestartRule } from "../../builtin/core/v1.types.ts";
import type { Place } from "./place.ts";

const policies = ["Always", "Never", "OnFailure"];
const actions = ["Restart"];
const operators = ["In", "NotIn"];
const rulesMax = 20;
const valuesMax = 255;

/** A container's own policy and its rules, which need a policy. */
export function checkContainerRestart({ restartPolicy, restartPolicyRules = [] }: Container, at: Place): void {
  if (restartPolicy === undefined) {
    if (restartPolicyRules.length > 0) {
      at.required("restartPolicy", "must specify restartPolicy when restart rules are used");
    }
  } else if (!policies.includes(restartPolicy)) at.notSupported("restartPolicy", restartPolicy, policies);
  if (restartPolicyRules.length > rulesMax) at.tooLong("restartPolicyRules", rulesMax);
  for (const [i, rule] of restartPolicyRules.entries()) checkRule(rule, at.item("restartPolicyRules", i));
}

function checkRule({ action = "", exitCodes }: ContainerRestartRule, at: Place): void {
  if (!actions.includes(action)) at.notSupported("action", action, actions);
  if (exitCodes === undefined) return at.required("exitCodes", "must be specified");
  const here = at.child("exitCodes");
  const { operator = "", values = [] } = exitCodes;
  if (!operators.includes(operator)) here.notSupported("operator", operator, operators);
  if (values.length === 0) here.required("values", "must specify at least one value");
  else if (values.length > valuesMax) here.tooLong("values", valuesMax);
}
