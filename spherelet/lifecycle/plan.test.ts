import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "@atoll/client/builtin";
import fc from "fast-check";
import { planPod, type Step } from "./plan.ts";
import { nextBackOff, restartMs, shouldRestart } from "./restart.ts";
import { container, podOf } from "./testing.ts";
import {
  castOf,
  containerOf,
  type ContainerWorld,
  isAlive,
  newWorld,
  type PodWorld,
  type Termination,
} from "./world.ts";

function ended(exitCode: number, atMs: number): Termination {
  const reason = exitCode === 0 ? "Completed" : "Error";
  return { exitCode, signal: 0, reason, message: "", startedMs: atMs, finishedMs: atMs, containerId: "" };
}

/** A Pod's driver without a machine: every step is done at once, and chance decides what happens besides. */
class Simulation {
  readonly pod: Pod;
  readonly world: PodWorld = newWorld(0);
  readonly starts = new Map<string, number>();
  nowMs = 0;
  done = false;

  constructor(pod: Pod) {
    this.pod = pod;
  }

  get alive(): readonly string[] {
    return [...this.world.containers.values()].filter(isAlive).map(({ name }) => name);
  }

  state(name: string): ContainerWorld {
    return containerOf(this.world, name);
  }

  /** One turn. @returns the steps that were planned */
  turn(): readonly Step[] {
    const plan = planPod(this.pod, this.world, this.nowMs);
    this.done = plan.done;
    for (const step of plan.steps) this.#act(step);
    if (plan.steps.length === 0 && Number.isFinite(plan.wakeMs)) this.nowMs = Math.max(this.nowMs, plan.wakeMs);
    return plan.steps;
  }

  exit(name: string, exitCode: number): void {
    if (isAlive(this.state(name))) this.state(name).run = { phase: "ended", end: ended(exitCode, this.nowMs) };
  }

  loseMachine(): void {
    if (this.world.machine !== "running") return;
    for (const name of this.alive) this.exit(name, 137);
    this.world.machine = "none";
    this.world.initialized = false;
    if (this.world.ending !== undefined || planPod(this.pod, this.world, this.nowMs).done) return;
    for (const cast of castOf(this.pod))
      if (cast.role === "init") this.state(cast.container.name).run = { phase: "none" };
  }

  #act(step: Step): void {
    if (step.do === "startMachine") this.world.machine = "running";
    else if (step.do === "endMachine") this.world.machine = "none";
    else if (step.do === "start") this.#start(step.name);
    else this.state(step.name).run = { phase: "stopping", startedMs: this.nowMs };
  }

  #start(name: string): void {
    const state = this.state(name);
    if (state.run.phase === "ended") state.backOff = nextBackOff(state.backOff, state.run.end, this.nowMs);
    if (this.pod.spec.containers?.some((each) => each.name === name)) this.world.initialized = true;
    this.starts.set(name, (this.starts.get(name) ?? 0) + 1);
    state.run = { phase: "running", startedMs: this.nowMs };
    state.started = true;
  }
}

const names = (pod: Pod, role: string) =>
  castOf(pod)
    .filter((cast) => cast.role === role)
    .map((cast) => cast.container.name);

const pods = fc
  .record({
    restartPolicy: fc.constantFrom("Always", "OnFailure", "Never"),
    inits: fc.array(fc.boolean(), { maxLength: 3 }),
    mains: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ restartPolicy, inits, mains }) =>
    podOf({
      restartPolicy,
      initContainers: inits.map((isSidecar, index) =>
        container(`i${index}`, isSidecar ? { restartPolicy: "Always" } : {}),
      ),
      containers: Array.from({ length: mains }, (_, index) => container(`m${index}`)),
    }),
  );

const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("turn" as const), name: fc.nat(5), code: fc.constant(0) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("exit" as const), name: fc.nat(5), code: fc.constantFrom(0, 0, 1) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("machine" as const), name: fc.nat(5), code: fc.constant(0) }) },
);

/** What must hold of the steps of one turn, seen from before they are taken. */
function checkSteps(simulation: Simulation, steps: readonly Step[], aliveBefore: readonly string[]): void {
  const { pod } = simulation;
  const [inits, mains, sidecars] = [names(pod, "init"), names(pod, "main"), names(pod, "sidecar")];
  for (const step of steps) {
    if (step.do === "start") {
      assert.ok(!aliveBefore.includes(step.name), `${step.name} runs already`);
      if (mains.includes(step.name)) {
        assert.ok(!aliveBefore.some((name) => inits.includes(name)), "an init container still runs");
      }
      if (inits.includes(step.name)) {
        assert.ok(
          !aliveBefore.some((name) => inits.includes(name) || mains.includes(name)),
          "init containers go alone",
        );
      }
    }
    if (step.do === "stop" && sidecars.includes(step.name)) {
      const others = aliveBefore.filter((name) => !sidecars.includes(name));
      assert.deepEqual(others, [], "a sidecar ends after the others");
      assert.equal(step.name, aliveBefore.at(-1) ?? "", "from the last to the first");
    }
    if (step.do === "endMachine") assert.deepEqual(aliveBefore, [], "nothing runs in a machine that ends");
  }
}

test("whatever happens, containers start in their order, restart by policy, and end in the opposite order", () => {
  fc.assert(
    fc.property(pods, fc.array(happening, { maxLength: 60 }), (pod, script) => {
      const simulation = new Simulation(pod);
      const all = castOf(pod).map((cast) => cast.container.name);
      const turn = () => {
        const before = all.filter((name) => simulation.alive.includes(name));
        checkSteps(simulation, simulation.turn(), before);
      };
      for (const event of script) {
        if (event.do === "turn") turn();
        else if (event.do === "machine") simulation.loseMachine();
        else simulation.exit(all[event.name % all.length] ?? "", event.code);
      }
      if (pod.spec.restartPolicy === "Never") {
        for (const name of names(pod, "main"))
          assert.ok((simulation.starts.get(name) ?? 0) <= 1, "never started again");
      }
      // Deleted, everything comes to rest.
      simulation.world.ending = { failure: undefined, deadlineMs: simulation.nowMs };
      for (let i = 0; i < 20 && !simulation.done; i++) {
        turn();
        for (const name of simulation.alive)
          if (simulation.state(name).run.phase === "stopping") simulation.exit(name, 0);
      }
      assert.ok(simulation.done);
      assert.equal(simulation.world.machine, "none");
      assert.deepEqual(simulation.turn(), []);
    }),
    { numRuns: 500 },
  );
});

test("planPod() is done when every main container of a Job's Pod has ended, and gives the machine back", () => {
  const simulation = new Simulation(podOf({ restartPolicy: "OnFailure", containers: [container("main")] }));
  simulation.turn();
  simulation.turn();
  simulation.exit("main", 1);
  assert.deepEqual(simulation.turn(), [{ do: "start", name: "main" }]);
  simulation.exit("main", 0);
  assert.deepEqual(simulation.turn(), [{ do: "endMachine" }]);
  simulation.turn();
  assert.ok(simulation.done);
});

test("an unfit container is stopped with its probe's grace", () => {
  const simulation = new Simulation(podOf({ containers: [container("main")] }));
  simulation.turn();
  simulation.turn();
  simulation.state("main").unfit = { reason: "Unhealthy", message: "failed", graceSeconds: 3 };
  assert.deepEqual(simulation.turn(), [{ do: "stop", name: "main", graceMs: 3000, reason: "failed" }]);
  assert.deepEqual(simulation.turn(), []);
});

test("the first crash costs no delay, the others 10 s doubling to 5 minutes, until it ran for 10 minutes", () => {
  const delays: number[] = [];
  let backOff: ReturnType<typeof nextBackOff> | undefined;
  let nowMs = 1_000_000;
  for (let i = 0; i < 8; i++) {
    const end = ended(1, nowMs);
    const dueMs = restartMs(backOff, end);
    delays.push(Math.max(dueMs - nowMs, 0) / 1000);
    nowMs = Math.max(nowMs, dueMs);
    backOff = nextBackOff(backOff, end, nowMs);
  }
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.equal(restartMs(backOff, ended(1, nowMs + 600_001)), 0);
});

test("shouldRestart() follows the Pod's policy, the container's own, and its rules", () => {
  const policies = ["Always", "OnFailure", "Never"];
  const verdict = (restartPolicy: string, exitCode: number, more = {}) => {
    const pod = podOf({ restartPolicy, containers: [container("main", more)] });
    const [cast] = castOf(pod);
    return cast !== undefined && shouldRestart(pod, cast, ended(exitCode, 0));
  };
  assert.deepEqual(
    policies.map((policy) => verdict(policy, 0)),
    [true, false, false],
  );
  assert.deepEqual(
    policies.map((policy) => verdict(policy, 1)),
    [true, true, false],
  );
  assert.equal(verdict("Never", 1, { restartPolicy: "OnFailure" }), true);
  const restartPolicyRules = [{ action: "Restart", exitCodes: { operator: "In", values: [42] } }];
  assert.deepEqual(
    [42, 43].map((code) => verdict("Never", code, { restartPolicy: "Never", restartPolicyRules })),
    [true, false],
  );
});
