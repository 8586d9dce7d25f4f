import assert from "node:assert/strict";
import { test } from "node:test";
import { basesOf, checkContainerfile, lineOfStep } from "./containerfile.ts";

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

test("checkContainerfile() names the line of what cannot be built, and what to write instead", () => {
  const faults: readonly (readonly [string, RegExp])[] = [
    ["FROM scratch\n# c\nRNU true", /^Containerfile, line 3: RNU is no instruction; there are ADD, .*RUN/],
    ["FROM scratch\nONBUILD RUN x", /^Containerfile, line 2: ONBUILD is not supported: write/],
    ["FROM scratch\nRUN <<EOF\ntrue\nEOF", /^Containerfile, line 2: RUN with a here-document is not supported: join/],
    ["FROM scratch\nRUN a \\\n b\n&& c", /^Containerfile, line 4: "&& c" is no instruction/],
  ];
  for (const [text, message] of faults) assert.throws(() => checkContainerfile(text), { message });
  assert.deepEqual(checkContainerfile("FROM scratch\nRUN a \\\n\n # c\n b << 2\nUSER 1\n"), []);
  assert.match(checkContainerfile("FROM scratch\nHEALTHCHECK NONE")[0] ?? "", /line 2: HEALTHCHECK has no effect/);
});

test("lineOfStep() finds the instruction of a stage", () => {
  const text = "ARG A\nFROM scratch AS a\nRUN x \\\n  y\n\nUSER 1\nFROM a\nCMD x\n";
  const lines = [1, 2, 3].map((step) => lineOfStep(text, { stage: 1, step }));
  assert.deepEqual([...lines, lineOfStep(text, { stage: 2, step: 2 })], [2, 3, 6, 8]);
  assert.equal(lineOfStep(text, { stage: 3, step: 1 }), undefined);
});
