import assert from "node:assert/strict";
import { test } from "node:test";
import { readModel } from "./descriptions.ts";
import { GoWorld } from "./facts.ts";
import { readGo } from "./golang.ts";
import { writeFacts } from "./notation.ts";
import { openApiPrefix } from "./packages.ts";
import { writeTypes } from "./typescript.ts";

const source = `
package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +enum
type Color string

const (
	Red Color = "Red"
	// A comment.
	Blue Color = "Blue"
)

type Names []string

// +structType=atomic

// Inner is inlined.
type Inner struct {
	Path string \`json:"path" protobuf:"bytes,1,opt,name=path"\`
	Hidden string \`json:"-"\`
}

// Thing is a thing.
type Thing struct {
	metav1.TypeMeta \`json:",inline"\`
	Inner \`json:",inline" protobuf:"bytes,2,opt,name=inner"\`
	// Size says how large.
	// +optional
	// +default=1
	Size *int32 \`json:"size,omitempty" protobuf:"varint,3,opt,name=size"\`
	Color Color \`json:"color,omitempty" protobuf:"bytes,4,opt,name=color"\`
	Self *Thing \`json:"self" protobuf:"bytes,5,opt,name=self"\`
	Since metav1.Time \`json:"since,omitempty" protobuf:"bytes,6,opt,name=since"\`
	// +listType=map
	// +listMapKey=path
	// +patchStrategy=merge
	// +patchMergeKey=path
	Inners []Inner \`json:"inners" patchStrategy:"merge" patchMergeKey:"path" protobuf:"bytes,7,rep,name=inners"\`
	Labels map[string]Names \`json:"labels,omitempty" protobuf:"bytes,8,rep,name=labels"\`
	Nested Inner \`json:"nested,omitempty" protobuf:"bytes,9,opt,name=nested"\`
}

type Empty struct{}
`;

const meta = `
package v1

type TypeMeta struct {
	Kind string \`json:"kind,omitempty" protobuf:"bytes,1,opt,name=kind"\`
}

type Time struct {
	Seconds int64
}
`;

const metaPackage = { path: "k8s.io/apimachinery/pkg/apis/meta/v1", file: "meta/v1", roots: [] };
const thingPackage = { path: "k8s.io/api/things/v1", file: "things/v1" };

function world(): GoWorld {
  const made = new GoWorld();
  made.add(metaPackage, readGo(meta));
  made.add(thingPackage, readGo(source));
  return made;
}

test("facts follow Go's encoder and OpenAPI's rules", () => {
  const text = writeFacts(openApiPrefix(thingPackage.path), thingPackage, world().factsOf(thingPackage));
  const bare = text.replaceAll(/ tag=[\d.]+/g, "");
  assert.match(bare, /export const prefix = "io.k8s.api.things.v1";/);
  assert.match(bare, /\nColor enum=\["Blue","Red"\]\n\nEmpty\n\nInner map=atomic\n {2}path string keep required\n/);
  const thing = /\nThing\n([\s\S]*?)\n`/.exec(bare)?.[1];
  assert.equal(
    thing,
    [
      "  kind string omit",
      "  path string keep required",
      "  size int32 set default=1",
      "  color Color omit",
      "  self Thing keep required null",
      "  since Time keep",
      "  inners []Inner keep required list=map(path) patch=merge(path)",
      "  labels map[][]string omit",
      "  nested Inner keep",
    ].join("\n"),
  );
});

test("types are TypeScript's of what decoding gives", () => {
  const text = writeTypes(thingPackage, world().factsOf(thingPackage));
  assert.match(text, /export type Thing = \{\n {2}kind\?: string;\n {2}path: string;\n {2}size\?: number;/);
  assert.match(text, /self: Thing \| null;\n {2}since: string \| null;\n {2}inners: Inner\[\] \| null;/);
  assert.match(text, /labels\?: Record<string, string\[\]>;\n {2}nested: Inner;/);
});

test("readGo() refuses nothing it does not know, and takes markers of the comment above the last", () => {
  const { types, constants } = readGo(source);
  assert.deepEqual(
    types.map(({ name }) => name),
    ["Color", "Names", "Inner", "Thing", "Empty"],
  );
  assert.deepEqual(
    constants.map(({ value }) => value),
    ["Red", "Blue"],
  );
  assert.deepEqual(types.find(({ name }) => name === "Inner")?.markers.get("structType"), ["atomic"]);
});

test("readModel() gives descriptions under the names of JSON", () => {
  const declaration = `/**
 * Kubernetes
 */
/**
* Port\\'s description.
*/
export declare class V1Port {
    /**
    * Must be \\"TCP\\".
    */
    '_default'?: string;
    'bare'?: string;
}`;
  const described = readModel(declaration, '[{ "name": "_default",\n "baseName": "default", "type": "string" }]');
  assert.deepEqual(described, { description: "Port's description.", fields: { default: 'Must be "TCP".' } });
});
