import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cursorAt, item } from "./cursor.ts";

/** The cursor stands at the bar. */
function at(text: string) {
  const found = cursorAt(text.replace("|", ""), text.indexOf("|"));
  return found && [found.writes, found.path.map((step) => (step === item ? "-" : step)).join("."), found.begun];
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: web
        ports:
          - containerPort: 80
            @
        @@
`;

test("cursorAt() tells a key by the map that it is in", () => {
  assert.deepEqual(at("apiVersion: v1\nki|"), ["key", "", "ki"]);
  assert.deepEqual(at("spec:\n  re|\n"), ["key", "spec", "re"]);
  assert.deepEqual(at("spec:\n  replicas: 2\n  |\n"), ["key", "spec", ""]);
  assert.deepEqual(at(deployment.replace("@\n", "pro|\n")), ["key", "spec.template.spec.containers.-.ports.-", "pro"]);
  assert.deepEqual(at(deployment.replace("@@", "im|")), ["key", "spec.template.spec.containers.-", "im"]);
});

test("cursorAt() tells a value by its key", () => {
  assert.deepEqual(at("kind: De|"), ["value", "kind", "De"]);
  assert.deepEqual(at("spec:\n  strategy:\n    type: |"), ["value", "spec.strategy.type", ""]);
  assert.deepEqual(at("spec:\n  items:\n  - |"), ["key", "spec.items.-", ""]);
  assert.deepEqual(at("spec:\n  accessModes:\n    - Read|"), ["key", "spec.accessModes.-", "Read"]);
});

test("cursorAt() reads flow style within a line", () => {
  assert.deepEqual(at("spec: {re|"), ["key", "spec", "re"]);
  assert.deepEqual(at("spec: {replicas: 2, tem|"), ["key", "spec", "tem"]);
  assert.deepEqual(at("spec: {template: {spec: {containers: [{name: web, ima|"), [
    "key",
    "spec.template.spec.containers.-",
    "ima",
  ]);
  assert.deepEqual(at("spec: {strategy: {type: Rec|"), ["value", "spec.strategy.type", "Rec"]);
  assert.deepEqual(at("spec:\n  - {a: '}, b', c|"), ["key", "spec.-", "c"]);
});

test("cursorAt() knows the document's kind and what stands beside, above and below", () => {
  const text =
    "apiVersion: v1\nkind: Pod\n---\nkind: Service # of all\napiVersion: 'v1'\nspec:\n  type: A\n  |\n  ports:\n  - port: 1\n---\nkind: Pod\n";
  const found = cursorAt(text.replace("|", ""), text.indexOf("|"));
  assert.deepEqual([found?.apiVersion, found?.kind, found?.beside], ["v1", "Service", ["type", "ports"]]);
});

test("cursorAt() takes each item of a list for itself", () => {
  const text = "spec:\n  ports:\n  - name: a\n    port: 1\n  - name: b\n    |\n  - protocol: TCP\n";
  assert.deepEqual(cursorAt(text.replace("|", ""), text.indexOf("|"))?.beside, ["name"]);
  const first = "ports:\n- na|\n  port: 1\n- protocol: TCP\n";
  assert.deepEqual(cursorAt(first.replace("|", ""), first.indexOf("|"))?.beside, ["port"]);
});

test("cursorAt() says nothing in comments, texts, and below a single value", () => {
  assert.equal(at("spec: # re|"), undefined);
  assert.equal(at("data:\n  script: >\n    ec|"), undefined);
  assert.equal(at("spec:\n  replicas: 2\n    mo|"), undefined);
  assert.equal(at('metadata:\n  name: "we|'), undefined);
});

test("cursorAt() answers anywhere in any text", () => {
  const piece = fc.constantFrom("a:", " ", "\n", "- ", "{", "}", "[", "b", '"', "---\n", "#", ": ", ",", "'");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(), (pieces, where) => {
      const text = pieces.join("");
      const found = cursorAt(text, where % (text.length + 1));
      if (found !== undefined) assert.ok(text.slice(0, where % (text.length + 1)).endsWith(found.begun));
    }),
  );
});
