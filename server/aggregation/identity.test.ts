import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "@atoll/machinery/status";
import { identityHeaders } from "./identity.ts";

const nobody = { name: "a", uid: "", groups: [], extra: {} };

test("identityHeaders() escapes keys of extra as upstream does, and sends bytes", () => {
  const extra = { "example.org/team%": ["blue"], plain: ["x", "y"] };
  assert.deepEqual(identityHeaders({ name: "zoë", uid: "1", groups: ["g", "h"], extra }), {
    "x-remote-user": "zoÃ«",
    "x-remote-uid": "1",
    "x-remote-group": ["g", "h"],
    "x-remote-extra-example.org%2Fteam%25": ["blue"],
    "x-remote-extra-plain": ["x", "y"],
  });
});

test("identityHeaders() never lets a name end its header", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => {
      try {
        const { "x-remote-user": told } = identityHeaders({ ...nobody, name });
        return (
          typeof told === "string" &&
          !/[\r\n\0]/.test(told) &&
          Buffer.from(told, "latin1").toString() === Buffer.from(name).toString()
        );
      } catch (error) {
        return error instanceof StatusError;
      }
    }),
  );
});
