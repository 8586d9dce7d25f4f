/**
 * The Common Expression Language as Kubernetes 1.36 runs it.
 *
 *     const self = declareSchema(schema, { name: "selfType", root: true });   // undefined: CEL cannot see it
 *     const compiler = new Compiler();                                        // make one, keep it
 *     const compiled = compiler.compile("self.minReplicas <= self.replicas", { variables: { self } });
 *     if (compiled.program === undefined) throw new Error(compiled.message);  // every issue, as cel-go prints them
 *     const outcome = compiled.program.evaluate({ self: object }, { costLimit: 1_000_000 });
 *     if (outcome.error === undefined) outcome.value === true;
 *
 * - `declareSchema` turns a schema into a declaration; `declare(type)` declares a bare type, `declareDynamic()`
 *   untyped JSON, `declareOptional(d)` what may be absent (optionalOldSelf), `declareObject` an object whose fields
 *   are values already (a policy's `variables`; getters make them lazy)
 * - `admissionVariables` are those of policies and match conditions, `claimsVariables` and `userVariables` those of
 *   authentication
 * - a program's `type` is what it yields, `references` the variables it mentions (does a rule use oldSelf?)
 * - `evaluate` takes plain JSON, never throws for what an expression does, and always tells the cost
 * - `estimateCost` bounds the cost by maxItems, maxLength and maxProperties alone; `maxCardinality(declaration)` says
 *   how often a rule below an unbounded list or map can run
 * - costs are cel-go's; a call stops at `costLimit`; `CostBudget` adds calls up; `interrupted: deadline(ms)` is for
 *   what costs little and takes long all the same
 * - `toJson` turns a result into JSON (mutations, audit annotations)
 *
 * Libraries by default, `kubernetesLibraries`: the standard one, optional types, strings (version 2), lists
 * (Kubernetes' own and version 3), sets, regex, urls, ip, cidr, quantity, semver, format, authorizer with selectors,
 * two-variable comprehensions. To be added for mutations: `mutation` (Object{…}, JSONPatch{…},
 * jsonpatch.escapeKey); for device selectors: `bindings` (cel.bind).
 * The variable `authorizer` is `declare(authorizerType)`, bound to `authorizerValue(ask)`.
 */
export { Compiler } from "./compile.ts";
export type { Declaration } from "./declaration.ts";
export {
  accessReviewVariables,
  type AdmissionOptions,
  admissionVariables,
  claimsVariables,
  userVariables,
} from "./environments.ts";
export { escapeName, unescapeName } from "./escape.ts";
export { NotJson, toJson } from "./json.ts";
export {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  authorizerType,
  authorizerValue,
  requestResourceValue,
  type ResourceQuestion,
} from "./libraries/authorizer.ts";
export { bindings } from "./libraries/comprehensions.ts";
export { kubernetesLibraries } from "./libraries/kubernetes.ts";
export { MadeObject, misplacedTypes, mutation } from "./libraries/mutation.ts";
export {
  CostBudget,
  deadline,
  matchConditionsBudget,
  objectBudget,
  type Program,
} from "./program.ts";
export {
  declare,
  declareDynamic,
  declareObject,
  declareOptional,
  declareSchema,
  maxCardinality,
} from "./schema.ts";
export * from "./types.ts";
export type { Value } from "./values.ts";
