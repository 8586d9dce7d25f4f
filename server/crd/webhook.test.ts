import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { type Post, WebhookConverter } from "./webhook.ts";

interface Review {
  readonly kind: string;
  readonly apiVersion: string;
  readonly request: {
    readonly uid: string;
    readonly desiredAPIVersion: string;
    readonly objects: readonly ApiObject[];
  };
}

function object(name: string, apiVersion = "example.com/v1"): ApiObject {
  return { apiVersion, kind: "Widget", metadata: { name, uid: `uid-${name}`, generation: 4, labels: { a: "b" } } };
}

/** A webhook that says the other version, and what `spoil` makes of its answer. */
function webhook(spoil: (objects: ApiObject[], answer: Record<string, unknown>) => unknown = (_, answer) => answer) {
  const asked: Review[] = [];
  const post: Post = (body) => {
    const review = structuredClone(body) as Review;
    asked.push(review);
    const objects = review.request.objects.map((each) => ({ ...each, apiVersion: review.request.desiredAPIVersion }));
    const response = { uid: review.request.uid, result: { status: "Success" }, convertedObjects: objects };
    const { kind, apiVersion } = review;
    return Promise.resolve(spoil(objects, { kind, apiVersion, response }));
  };
  return { asked, post };
}

async function convert(post: Post, versions: readonly string[] = ["v1"]): Promise<ApiObject> {
  return await new WebhookConverter(post, versions).convert(object("a"), "example.com/v2");
}

function refused(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StatusError);
    assert.equal(error.reason, "InternalError");
    assert.match(error.message, pattern);
    return true;
  };
}

describe("conversion by webhook", () => {
  it("asks for objects of one turn in one request, and for each version apart", async () => {
    const { asked, post } = webhook();
    const converter = new WebhookConverter(post, ["v7", "v1", "v1beta1"]);
    const made = await Promise.all([
      ...["a", "b", "c"].map((name) => converter.convert(object(name), "example.com/v2")),
      converter.convert(object("d"), "example.com/v3"),
    ]);
    assert.deepEqual(
      made.map(({ metadata }) => metadata.name),
      ["a", "b", "c", "d"],
    );
    assert.deepEqual(
      asked.map(({ request }) => request.objects.length),
      [3, 1],
    );
    assert.equal(asked[0]?.apiVersion, "apiextensions.k8s.io/v1");
    await converter.convert(object("e"), "example.com/v2");
    assert.equal(asked.length, 3);
  });

  it("does not ask about an object that is in the version wanted", async () => {
    const { asked, post } = webhook();
    const same = object("a");
    assert.equal(await new WebhookConverter(post, ["v1"]).convert(same, "example.com/v1"), same);
    assert.equal(asked.length, 0);
  });

  it("takes labels and annotations of the converted object, and no other metadata", async () => {
    const { post } = webhook((objects, answer) => {
      for (const each of objects) {
        each.metadata = {
          ...each.metadata,
          generation: 9,
          labels: { c: "d" },
          annotations: { e: "f" },
          finalizers: ["x/y"],
        };
      }
      return answer;
    });
    assert.deepEqual((await convert(post)).metadata, {
      name: "a",
      uid: "uid-a",
      generation: 4,
      labels: { c: "d" },
      annotations: { e: "f" },
    });
  });

  it("speaks v1beta1 with webhooks that know nothing else, which need not say what they answer to", async () => {
    const { asked, post } = webhook((_, { response }) => {
      const { uid: _uid, ...rest } = response as Record<string, unknown>;
      return { response: rest };
    });
    assert.equal((await convert(post, ["v1beta1"])).apiVersion, "example.com/v2");
    assert.equal(asked[0]?.apiVersion, "apiextensions.k8s.io/v1beta1");
  });

  const bad: readonly (readonly [string, RegExp, Parameters<typeof webhook>[0]])[] = [
    ["no response", /no response provided/, (_, { kind, apiVersion }) => ({ kind, apiVersion })],
    ["an answer of another kind", /expected webhook response of/, (_, answer) => ({ ...answer, kind: "Pod" })],
    ["nothing", /expected webhook response of/, () => undefined],
    ["an answer to another question", /expected response.uid/, (_, answer) => with_(answer, { uid: "x" })],
    ["a failure", /: not today$/, (_, a) => with_(a, { result: { status: "Failure", message: "not today" } })],
    ["a failure without words", /was '', not 'Success'/, (_, answer) => with_(answer, { result: {} })],
    ["too few objects", /returned 0 objects, expected 1/, (_, answer) => with_(answer, { convertedObjects: [] })],
    ["another version", /invalid groupVersion/, changed({ apiVersion: "example.com/v9" })],
    ["another kind", /invalid kind/, changed({ kind: "Gadget" })],
    ["another name", /must have the same name/, changed({ metadata: { name: "z", uid: "uid-a" } })],
    ["another uid", /must have the same UID/, changed({ metadata: { name: "a", uid: "z" } })],
    ["no metadata", /must have the same name/, changed({ metadata: undefined as never })],
    ["bad labels", /invalid metadata/, changed({ metadata: { name: "a", uid: "uid-a", labels: { a: 1 } as never } })],
    ["text for an object", /no object/, (_, answer) => with_(answer, { convertedObjects: ["x"] })],
  ];
  for (const [what, message, spoil] of bad) {
    it(`fails on ${what}`, async () => {
      await assert.rejects(convert(webhook(spoil).post), refused(message));
    });
  }

  it("fails when the webhook cannot be reached, or speaks no version we speak", async () => {
    await assert.rejects(
      convert(() => Promise.reject(new Error("no route"))),
      refused(/Kind=Widget failed: no route$/),
    );
    await assert.rejects(convert(webhook().post, ["v7"]), refused(/no supported conversion review versions/));
  });

  it("holds one object's fault against that object alone", async () => {
    const { post } = webhook((objects, answer) => {
      const [first] = objects;
      if (first !== undefined) first.kind = "Gadget";
      return answer;
    });
    const converter = new WebhookConverter(post, ["v1"]);
    const [a, b] = await Promise.allSettled(
      ["a", "b"].map((name) => converter.convert(object(name), "example.com/v2")),
    );
    assert.deepEqual([a?.status, b?.status], ["rejected", "fulfilled"]);
  });
});

function with_(answer: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  return { ...answer, response: { ...(answer["response"] as object), ...change } };
}

function changed(change: Partial<ApiObject>): Parameters<typeof webhook>[0] {
  return (objects, answer) => {
    for (const each of objects) Object.assign(each, change);
    return answer;
  };
}
