import assert from "node:assert/strict";
import { test } from "node:test";
import { basesOf } from "./containerfile.ts";

test("basesOf() names the images of FROM and COPY --from, but no stages", () => {
  const text = `
# syntax=docker/dockerfile:1
ARG SUITE=bookworm
ARG TOOL="tool"
FROM --platform=linux/amd64 debian:\${SUITE}-slim AS build
RUN echo FROM nothing \\
  && FROM inside/continued
from build as Second
COPY --from=build /a /b
COPY --from=0 /a /b
COPY --from=second /a /b
COPY --chown=1:1 --from=registry.example.com/\${TOOL}:v1 /a /b
FROM scratch
COPY --from=build /a /b
FROM $SUITE:\${NONE:-x}
`;
  assert.deepEqual(basesOf(text), ["debian:bookworm-slim", "registry.example.com/tool:v1", "bookworm:x"]);
  assert.equal(basesOf(text, { SUITE: "trixie" })[0], "debian:trixie-slim");
});

test("basesOf() refuses a file that starts from nothing", () => {
  assert.throws(() => basesOf("RUN true"), { name: "ImageBuildFailed" });
  assert.throws(() => basesOf("FROM $NOTHING"), { name: "ImageBuildFailed" });
});
