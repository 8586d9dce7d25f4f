import assert from "node:assert/strict";
import test from "node:test";
import { foregroundFinalizer, orphanFinalizer } from "./graph.ts";
import { plan } from "./plan.ts";

const owner = (uid: string) => ({ apiVersion: "v1", kind: "Owner", name: uid, uid });
const none = { solid: [], dangling: [], waiting: [] };
const latest = (finalizers: string[] = []) => ({ metadata: { name: "x", finalizers } });

test("plan() leaves an object alone whose owners all stay", () => {
  assert.deepEqual(plan(latest(), { ...none, solid: [owner("a")] }, []), { do: "nothing" });
});

test("plan() takes gone and waiting owners off an object that another owner keeps", () => {
  const owners = { solid: [owner("a")], dangling: [owner("b")], waiting: [owner("c")] };
  assert.deepEqual(plan(latest(), owners, []), { do: "unlink", uids: ["b", "c"] });
});

test("plan() deletes an object without owners left, as its finalizers say", () => {
  const owners = { ...none, dangling: [owner("a")] };
  assert.deepEqual(plan(latest(), owners, []), { do: "delete", propagation: "Background", unblock: false });
  assert.deepEqual(plan(latest([orphanFinalizer]), owners, []), {
    do: "delete",
    propagation: "Orphan",
    unblock: false,
  });
  assert.deepEqual(plan(latest([foregroundFinalizer]), owners, []), {
    do: "delete",
    propagation: "Foreground",
    unblock: false,
  });
});

test("plan() deletes in the foreground below an owner that waits, and breaks a circle of waiting", () => {
  const owners = { ...none, waiting: [owner("a")] };
  assert.deepEqual(plan(latest(), owners, []), { do: "delete", propagation: "Background", unblock: false });
  const quiet = [{ deletingDependents: false }];
  assert.deepEqual(plan(latest(), owners, quiet), { do: "delete", propagation: "Foreground", unblock: false });
  const circle = [{ deletingDependents: true }];
  assert.deepEqual(plan(latest(), owners, circle), { do: "delete", propagation: "Foreground", unblock: true });
});
