import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { qemuCommand, type Backing, type Shape } from "./argv.ts";
import { shimArguments } from "./shim.ts";
import { checkSpec, SpecInvalid, type MachineSpec } from "./spec.ts";

const shape: Shape = { memoryMiB: 128, vcpus: 1, accelerator: "tcg", acpi: true };
const backing: Backing = { birth: "boot", disks: [], tap: false, tscKhz: 2_600_000 };

/** Devices of a command, in order, without what may differ between a template and its copies. */
function devices(command: readonly string[]): readonly string[] {
  const values = command.filter((_, index) => command[index - 1] === "-device");
  return values.map((value) => value.replaceAll(/,(serial|netdev)=[^,]*/g, ""));
}

test("a template and its copies have the same devices in the same order, whatever is behind them", () => {
  const disks = [{ file: "disk-a", serial: "a", readOnly: true }];
  const template = qemuCommand(shape, { ...backing, birth: "template" });
  const clone = qemuCommand(shape, { ...backing, birth: "clone", disks, tap: true });
  assert.deepEqual(devices(clone), devices(template));
  assert.ok(clone.includes("-incoming") && !clone.includes("-kernel"));
});

test("QEMU is always sandboxed, and never told to make a process", () => {
  for (const birth of ["boot", "template", "clone"] as const) {
    const command = qemuCommand(shape, { ...backing, birth });
    const sandbox = command[command.indexOf("-sandbox") + 1];
    assert.equal(sandbox, "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    assert.ok(command.every((each) => !each.includes("exec:")));
  }
});

test("checkSpec() lets nothing through that could be an option of QEMU or a path", () => {
  const spec: MachineSpec = { id: "a", owner: "", memoryMiB: 128, vcpus: 1, disks: [] };
  checkSpec(spec);
  const bad: readonly (readonly [string, Partial<MachineSpec>])[] = [
    ["id", { id: "../x" }],
    ["id", { id: "a,file=/etc/shadow" }],
    ["id", { id: "-a" }],
    ["memoryMiB", { memoryMiB: 1e30 }],
    ["memoryMiB", { memoryMiB: 64.5 }],
    ["vcpus", { vcpus: 0 }],
    ["tap", { tap: "tap0,fd=3" }],
    ["tap", { tap: "a".repeat(16) }],
    ["disks[0].serial", { disks: [{ serial: "a,b", path: "/x", readOnly: true }] }],
    ["disks[0].path", { disks: [{ serial: "a", path: "x", readOnly: true }] }],
    ["disks", { disks: ["/x", "/y"].map((path) => ({ serial: "a", path, readOnly: true })) }],
  ];
  for (const [path, change] of bad)
    assert.throws(
      () => checkSpec({ ...spec, ...change }),
      (error: SpecInvalid) => error.path === path,
    );
  fc.assert(
    fc.property(fc.string(), (id) => {
      try {
        checkSpec({ ...spec, id });
        assert.match(id, /^[a-z0-9-]+$/);
      } catch (error) {
        assert.ok(error instanceof SpecInvalid);
      }
    }),
  );
});

test("shimArguments() leaves out what is not asked for, and puts QEMU's behind a mark", () => {
  const options = {
    program: "/shim",
    folder: "/m",
    name: "m",
    uid: 5,
    kvm: false,
    cgroups: ["/g"],
    command: ["/qemu", "-x"],
  };
  const expected = "--folder /m --name m --uid 5 --gid 5 --cgroup /g -- /qemu -x";
  assert.equal(shimArguments(options).join(" "), expected);
});
