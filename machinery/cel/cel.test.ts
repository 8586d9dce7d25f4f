import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "../schema/schema.ts";
import {
  admissionVariables,
  authorizerType,
  authorizerValue,
  bindings,
  claimsVariables,
  Compiler,
  CostBudget,
  deadline,
  declare,
  declareDynamic,
  declareOptional,
  declareSchema,
  type Declaration,
  escapeName,
  kubernetesLibraries,
  maxCardinality,
  doubleType,
  dynType,
  misplacedTypes,
  mutation,
  type Program,
  spellType,
  stringType,
  toJson,
  unescapeName,
  userVariables,
} from "./index.ts";

const compiler = new Compiler();

function declared(schema: Schema, root = false): Declaration {
  const declaration = declareSchema(schema, { name: "selfType", root });
  assert.ok(declaration);
  return declaration;
}

function compile(expression: string, self: Declaration = declareDynamic(), using = compiler): Program {
  const compiled = using.compile(expression, { variables: { self, oldSelf: declareOptional(self) } });
  assert.ok(compiled.program, compiled.program === undefined ? compiled.message : "");
  return compiled.program;
}

const run = (expression: string, self: unknown, declaration?: Declaration) =>
  compile(expression, declaration).evaluate({ self });

const message = (expression: string, self: Declaration): string => {
  const compiled = compiler.compile(expression, { variables: { self } });
  return compiled.program === undefined ? compiled.message : "";
};

// ---- compiling

test("compile() shows every issue with its line and a mark under the place", () => {
  const shown = message("true &&\n  self.nope", declared({ type: "object", properties: { a: { type: "string" } } }));
  assert.equal(shown, "ERROR: <input>:2:7: undefined field 'nope'\n |   self.nope\n | ......^");
});

test("compile() refuses what is nested or chained too deeply, or too long", () => {
  const untyped = declareDynamic();
  assert.match(message(`${"(".repeat(251)}1${")".repeat(251)}`, untyped), /expression recursion limit exceeded: 250/);
  assert.match(message(`1${"+1".repeat(5_000)}`, untyped), /expression recursion limit exceeded/);
  assert.match(message(`'${"x".repeat(100_001)}'`, untyped), /code point size exceeds limit/);
  assert.equal(message(`true${"&&true".repeat(5_000)}`, untyped), "");
});

test("compile() refuses a conversion of a literal that fails", () => {
  assert.equal(message("int('x') == 1", declareDynamic()), "type conversion error from 'string' to 'int'");
});

test("a program knows its type and the variables it mentions", () => {
  const program = compile("oldSelf.hasValue() ? oldSelf.value() == self : true", declared({ type: "integer" }));
  assert.equal(program.type.kind, "bool");
  assert.deepEqual([...program.references].sort(), ["oldSelf", "self"]);
  assert.equal(spellType(compile("{'a': [1]}").type), "map(string, list(int))");
});

// ---- schemas

test("declareSchema() hides what CEL cannot see", () => {
  const place = { name: "selfType" };
  assert.equal(declareSchema({ "x-kubernetes-preserve-unknown-fields": true }, place), undefined);
  assert.equal(declareSchema({ type: "array", items: {} }, place), undefined);
  assert.equal(declareSchema({ type: "object", additionalProperties: {} }, place), undefined);
  const mixed = declared({ type: "object", properties: { seen: { type: "string" }, hidden: {} } });
  assert.deepEqual([...(mixed.fields?.keys() ?? [])], ["seen"]);
});

test("declareSchema() escapes property names", () => {
  const schema: Schema = {
    type: "object",
    properties: { "a-b": { type: "string" }, namespace: { type: "string" }, "x y": { type: "string" } },
  };
  assert.deepEqual([...(declared(schema).fields?.keys() ?? [])], ["a__dash__b", "__namespace__"]);
  const object = { "a-b": "1", namespace: "2", "x y": "3" };
  assert.equal(run("self.a__dash__b + self.__namespace__", object, declared(schema)).value, "12");
});

test("escapeName() and unescapeName() are each other's inverse", () => {
  for (const name of ["a", "a.b-c/d", "__x__y", "in", "inn", "a__dash__b", "_"]) {
    assert.equal(unescapeName(escapeName(name) ?? ""), name);
  }
  assert.equal(escapeName("1a"), undefined);
  assert.equal(unescapeName("__nope__"), undefined);
});

test("declareSchema() shows apiVersion, kind and metadata's names at the root only", () => {
  const schema: Schema = { type: "object", properties: { spec: { type: "object", properties: {} } } };
  const object = { apiVersion: "v1", kind: "Thing", metadata: { name: "n", labels: { a: "b" } }, spec: {} };
  assert.equal(run("self.kind + self.metadata.name", object, declared(schema, true)).value, "Thingn");
  assert.match(message("self.metadata.labels", declared(schema, true)), /undefined field 'labels'/);
  assert.match(message("self.kind", declared(schema)), /undefined field 'kind'/);
});

test("values of a schema have the schema's types", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      i: { type: "integer" },
      f: { type: "number" },
      t: { type: "string", format: "date-time" },
      d: { type: "string", format: "duration" },
      b: { type: "string", format: "byte" },
      p: { "x-kubernetes-int-or-string": true },
      m: { type: "object", additionalProperties: { type: "integer" } },
      n: { type: "string", nullable: true },
    },
  };
  const object = { i: 2n ** 62n, f: 3, t: "2020-01-02T03:04:05Z", d: "90m", b: "aGk=", p: 5, m: { a: 1 }, n: null };
  const self = declared(schema);
  assert.equal(run("self.i", object, self).value, 2n ** 62n);
  assert.equal(run("self.f", object, self).value, 3);
  assert.equal(run("self.t.getHours() + self.d.getHours()", object, self).value, 4n);
  assert.equal(run("string(self.b)", object, self).value, "hi");
  assert.equal(run("type(self.p) == int && self.p > 4", object, self).value, true);
  assert.equal(run("self.m['a'] + self.m.a", object, self).value, 2n);
  assert.equal(run("has(self.n)", object, self).value, false);
});

test("data that does not fit its schema is an error where it is used", () => {
  const self = declared({ type: "object", properties: { i: { type: "integer" }, s: { type: "string" } } });
  assert.equal(run("self.i > 0", { i: "x" }, self).error?.message, "invalid data, expected int, got string");
  assert.equal(run("self.s == 'a' || self.i > 0", { i: "x", s: "a" }, self).value, true);
});

test("a schema that contains itself is untyped inside itself", () => {
  const properties: Record<string, Schema> = { name: { type: "string" } };
  const schema: Schema = { type: "object", properties };
  properties["child"] = schema;
  const self = declared(schema);
  assert.equal(run("self.child.child.name", { child: { child: { name: "x" } } }, self).value, "x");
});

test("set and map lists compare in any order and merge when added", () => {
  const items: Schema = { type: "object", properties: { k: { type: "string" }, v: { type: "integer" } } };
  const schema: Schema = {
    type: "object",
    properties: {
      set: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      map: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], items },
      list: { type: "array", items: { type: "string" } },
    },
  };
  const x = { k: "x", v: 1 };
  const y = { k: "y", v: 2 };
  const self = declared(schema);
  const object = { set: ["a", "b"], map: [x, y], list: ["a", "b"] };
  assert.equal(run("self.set == ['b', 'a'] && self.list != ['b', 'a']", object, self).value, true);
  assert.equal(run("(self.set + ['b', 'c']).size()", object, self).value, 3n);
  assert.equal(run("(self.list + ['b', 'c']).size()", object, self).value, 4n);
  const both = { self: object, oldSelf: { ...object, map: [y, { ...x, v: 5 }] } };
  assert.equal(compile("self.map == oldSelf.value().map", self).evaluate(both).value, false);
  const merged = compile("(oldSelf.value().map + self.map).map(e, e.k + string(e.v))", self).evaluate(both);
  assert.deepEqual(toJson(merged.value ?? null), ["y2", "x1"]);
});

test("names of Object.prototype are no fields", () => {
  for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.equal(run(`has(self.${name}) || '${name}' in self`, {}).value, false, name);
  }
  assert.equal(run("self['__proto__']", JSON.parse('{"__proto__": 1}')).value, 1n);
});

// ---- costs

const strings = (size: number): string[] => Array.from({ length: size }, (_none, index) => `v${index}`);

test("a loop in a loop in a loop stops at the cost limit", () => {
  const outcome = run("self.all(x, self.all(y, self.all(z, x + y != z)))", strings(10_000));
  assert.equal(outcome.error?.kind, "cost");
  assert.equal(outcome.error?.message, "operation cancelled: actual cost limit exceeded");
  assert.ok(outcome.cost > 1_000_000 && outcome.cost < 1_000_100);
});

test("the cost limit cannot be absorbed", () => {
  const program = compile("true || self.all(x, self.all(y, x != y))");
  assert.equal(program.evaluate({ self: strings(1_000) }).value, true);
  const first = compile("self.all(x, self.all(y, x != y || true)) || true").evaluate({ self: strings(2_000) });
  assert.equal(first.error?.kind, "cost");
});

test("work that is quadratic is paid for before it is done", () => {
  const list = declared({ type: "array", items: { type: "string" } });
  for (const expression of [
    "self.distinct().size() > 0",
    "self.sort().size() > 0",
    "lists.range(100000000).size() > 0",
  ]) {
    assert.equal(run(expression, strings(5_000), list).error?.kind, "cost", expression);
  }
});

test("work without a cost has its limit, too", () => {
  const outcome = run("self.all(x, self.sort().size() > 0)", strings(10_000));
  assert.equal(outcome.error?.kind, "cost");
  assert.ok(outcome.cost < 1_000);
});

test("a string that would grow without measure is an error", () => {
  const outcome = run("self.replace('', self).size() > 0", "x".repeat(100_000));
  assert.equal(outcome.error?.message, "result of string operation is too long");
});

test("an evaluation that is told to stop stops", () => {
  const program = compile("self.all(x, self.all(y, x == x && y == y))");
  let asked = 0;
  const outcome = program.evaluate({ self: strings(1_000) }, { interrupted: () => ++asked > 3 });
  assert.equal(outcome.error?.kind, "interrupted");
  assert.equal(asked, 4);
});

test("CostBudget is spent for good once it is overspent", () => {
  const budget = new CostBudget(10);
  assert.equal(budget.spend(4), true);
  assert.equal(budget.remaining, 6);
  assert.equal(budget.spend(7), false);
  assert.equal(budget.remaining, -1);
  assert.equal(budget.spend(0), false);
});

test("estimates are bounded by maxItems, maxLength and maxProperties", () => {
  const bounded = declared({
    type: "object",
    properties: { l: { type: "array", maxItems: 10, items: { type: "string", maxLength: 10 } } },
  });
  const open = declared({ type: "object", properties: { l: { type: "array", items: { type: "string" } } } });
  const triple = "self.l.all(x, self.l.all(y, self.l.all(z, x == y && y == z)))";
  assert.ok(compile(triple, bounded).estimateCost().max < 20_000);
  assert.ok(compile(triple, open).estimateCost().max > 1e18);
});

test("maxCardinality() reckons with the smallest spelling of a value", () => {
  assert.equal(maxCardinality(declared({ type: "integer" })), (3 * 1024 * 1024) / 2);
  const required = declared({ type: "object", required: ["name"], properties: { name: { type: "string" } } });
  assert.equal(maxCardinality(required), Math.floor((3 * 1024 * 1024) / 13));
});

// ---- what callers bind

test("a variable without a binding is an error where it is used", () => {
  const program = compile("has(self.a) || oldSelf.hasValue()");
  assert.equal(program.evaluate({ self: { a: 1 } }).value, true);
  assert.equal(program.evaluate({ self: {} }).error?.message, "no such attribute(s): oldSelf");
  assert.equal(program.evaluate({ self: {}, oldSelf: null }).value, false);
});

test("a policy's variables are values, read when they are mentioned", () => {
  let read = 0;
  const variables = admissionVariables({ variables: { cheap: doubleType, dear: dynType } });
  const compiled = compiler.compile("type(variables.cheap) == double || variables.dear == null", { variables });
  assert.ok(compiled.program);
  const values = {
    cheap: 2,
    get dear() {
      read++;
      return null;
    },
  };
  assert.equal(compiled.program.evaluate({ variables: values }).value, true);
  assert.equal(read, 0);
  const dear = compiler.compile("variables.dear == null", { variables });
  assert.equal(dear.program?.evaluate({ variables: values }).value, true);
  assert.equal(read, 1);
});

test("admission expressions see the request and the namespace with their types", () => {
  const variables = admissionVariables({ params: true, authorizer: true });
  const evaluate = (expression: string, bindings: Record<string, unknown>) => {
    const compiled = compiler.compile(expression, { variables });
    assert.ok(compiled.program, compiled.program === undefined ? compiled.message : "");
    return compiled.program.evaluate(bindings);
  };
  const kind = { group: "apps", version: "v1", kind: "Deployment" };
  const request = { kind, requestKind: kind, operation: "CREATE", userInfo: { username: "ada", groups: ["g"] } };
  assert.equal(
    evaluate("request.kind == request.requestKind && 'g' in request.userInfo.groups", { request }).value,
    true,
  );
  assert.equal(evaluate("has(request.dryRun)", { request }).value, false);
  const namespaceObject = { metadata: { labels: { team: "a" }, creationTimestamp: "2020-01-02T03:04:05Z" } };
  const old = "namespaceObject.metadata.creationTimestamp < timestamp('2021-01-01T00:00:00Z')";
  assert.equal(
    evaluate(`${old} && namespaceObject.metadata.labels.team == params.team`, {
      namespaceObject,
      params: { team: "a" },
    }).value,
    true,
  );
  assert.equal(
    evaluate("object.metadata.namespace == oldObject.metadata.namespace", {
      object: { metadata: { namespace: "n" } },
      oldObject: { metadata: { namespace: "n" } },
    }).value,
    true,
  );
  assert.match(
    evaluate("request.name + 'x'", { request: { name: 5 } }).error?.message ?? "",
    /expected string, got int/,
  );
});

test("authentication expressions see claims or the user", () => {
  const claims = compiler.compile("claims.sub + ':' + string(claims.level)", { variables: claimsVariables() });
  assert.equal(claims.program?.evaluate({ claims: { sub: "ada", level: 3 } }).value, "ada:3");
  const user = compiler.compile("!user.username.startsWith('system:') && user.groups.all(g, g != 'root')", {
    variables: userVariables(),
  });
  assert.equal(user.program?.evaluate({ user: { username: "ada", groups: ["dev"] } }).value, true);
});

test("dotted variables are found before fields", () => {
  const variables = { "request.name": declare(stringType), request: declareDynamic() };
  const compiled = compiler.compile("request.name + request.other", { variables });
  assert.equal(compiled.program?.evaluate({ "request.name": "a", request: { other: "b" } }).value, "ab");
});

// ---- libraries

test("the authorizer is asked what the expression says", () => {
  const asked: unknown[] = [];
  const ask = authorizerValue((question) => {
    asked.push(question);
    return { allowed: question.verb === "get", reason: "because" };
  });
  const expression =
    "authorizer.group('apps').resource('deployments').namespace('ns').name('web').check('get').allowed() && " +
    "!authorizer.serviceAccount('ns', 'sa').path('/healthz').check('post').allowed()";
  const compiled = compiler.compile(expression, { variables: { authorizer: declare(authorizerType) } });
  const outcome = compiled.program?.evaluate({ authorizer: ask });
  assert.equal(outcome?.value, true);
  assert.ok((outcome?.cost ?? 0) > 700_000);
  const resource = {
    group: "apps",
    resource: "deployments",
    subresource: "",
    namespace: "ns",
    name: "web",
    fieldSelector: "",
    labelSelector: "",
  };
  assert.deepEqual(asked, [
    { user: undefined, verb: "get", resource },
    { user: { namespace: "ns", name: "sa" }, verb: "post", path: "/healthz" },
  ]);
});

test("a third authorization check is one too many", () => {
  const ask = authorizerValue(() => ({ allowed: true, reason: "" }));
  const check = "authorizer.path('/a').check('get').allowed()";
  const compiled = compiler.compile([check, check, check].join(" && "), {
    variables: { authorizer: declare(authorizerType) },
  });
  assert.equal(compiled.program?.evaluate({ authorizer: ask }).error?.kind, "cost");
});

const mutating = new Compiler([...kubernetesLibraries, mutation]);

test("mutations make objects and patches", () => {
  const made = compile(
    "Object{spec: Object.spec{replicas: self.n + 1, ?paused: optional.none()}}",
    undefined,
    mutating,
  );
  const { value } = made.evaluate({ self: { n: 2 } });
  assert.deepEqual(toJson(value ?? null), { spec: { replicas: 3 } });
  assert.deepEqual(misplacedTypes(value ?? null), []);
  const wrong = compile("Object{spec: Object.status{}}", undefined, mutating).evaluate({ self: null });
  assert.match(
    misplacedTypes(wrong.value ?? null)[0] ?? "",
    /unexpected type name "Object.status", expected "Object.spec"/,
  );
  const patch = compile(
    "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: [1]}]",
    undefined,
    mutating,
  );
  assert.deepEqual(toJson(patch.evaluate({ self: null }).value ?? null), [
    { op: "add", path: "/metadata/labels/a~1b~0c", value: [1] },
  ]);
});

test("mutations refuse fields that a patch does not have", () => {
  const compiled = mutating.compile("JSONPatch{op: 1, nope: 2}", { variables: {} });
  assert.match(
    compiled.program === undefined ? compiled.message : "",
    /expected type of field 'op' is 'string'.*undefined field 'nope'/s,
  );
});

test("cel.bind is for those who ask for it", () => {
  assert.match(message("cel.bind(x, 1, x + x)", declareDynamic()), /undeclared reference to 'cel'/);
  const binding = new Compiler([...kubernetesLibraries, bindings]);
  assert.equal(compile("cel.bind(x, self + 1, x + x)", undefined, binding).evaluate({ self: 2 }).value, 6n);
});

test("what is bound is evaluated once, and only when it is used", () => {
  const binding = new Compiler([...kubernetesLibraries, bindings]);
  const once = compile("cel.bind(x, self.map(y, y + 1), x.size() + x.size())", undefined, binding).evaluate({
    self: [1, 2],
  });
  const unused = compile("cel.bind(x, self.map(y, y + 1), 1)", undefined, binding).evaluate({ self: [1, 2] });
  assert.equal(once.value, 4n);
  assert.equal(unused.cost, 0);
});

test("toJson() keeps integers exact and spells times", () => {
  assert.deepEqual(toJson(run("[self] + [self + self / 2]", 2n ** 62n).value ?? null), [
    2n ** 62n,
    2n ** 62n + 2n ** 61n,
  ]);
  const times = run("[string(self), '2020'] + [string(duration('90m'))]", 1);
  assert.deepEqual(toJson(times.value ?? null), ["1", "2020", "5400s"]);
  assert.equal(toJson(run("timestamp('2020-01-02T03:04:05Z')", null).value ?? null), "2020-01-02T03:04:05Z");
});

test("an evaluation past its deadline stops", () => {
  const program = compile("self.all(x, self.all(y, x == x && y == y))");
  assert.equal(program.evaluate({ self: strings(1_000) }, { interrupted: deadline(0) }).error?.kind, "interrupted");
  assert.equal(program.evaluate({ self: strings(10) }, { interrupted: deadline(60_000) }).value, true);
});
