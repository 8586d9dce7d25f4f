/** Programs are executed here by a few lines of interpreter, against what the profile says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assemble } from "./assemble.ts";
import { systemCalls } from "./calls.ts";
import { defaultProfile, type SeccompArgument } from "./profile.ts";

const allowed = 0x7fff_0000;
const refused = (errno: number) => 0x0005_0000 | errno;

/** Executes a program on one system call. */
function execute(
  program: Uint8Array,
  call: { number: number; args?: readonly bigint[]; architecture?: number },
): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.architecture ?? 0xc000_003e, 4);
  (call.args ?? []).forEach((value, index) => data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + index * 8));
  const code = Buffer.from(program);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const operation = code.readUInt16LE(at * 8);
    const [ifTrue, ifFalse] = [code[at * 8 + 2] ?? 0, code[at * 8 + 3] ?? 0];
    const operand = code.readUInt32LE(at * 8 + 4);
    const jump = (truth: boolean) => (at += truth ? ifTrue : ifFalse);
    if (operation === 0x20) accumulator = data.readUInt32LE(operand);
    else if (operation === 0x54) accumulator = (accumulator & operand) >>> 0;
    else if (operation === 0x05) at += operand;
    else if (operation === 0x15) jump(accumulator === operand);
    else if (operation === 0x25) jump(accumulator > operand);
    else if (operation === 0x35) jump(accumulator >= operand);
    else if (operation === 0x06) return operand;
    else assert.fail(`operation ${operation}`);
  }
}

const number = (name: string): number => {
  const found = systemCalls[name];
  assert.ok(found !== undefined, name);
  return found;
};

test("the default profile allows what programs need and refuses what reaches for the machine", () => {
  const program = assemble(defaultProfile(0xa80425fbn));
  for (const name of ["read", "write", "openat", "mmap", "execve", "futex", "exit_group", "statx", "chroot", "wait4"])
    assert.equal(execute(program, { number: number(name) }), allowed, name);
  for (const name of ["mount", "bpf", "init_module", "reboot", "kexec_load", "keyctl", "setns", "unshare", "umount2"])
    assert.equal(execute(program, { number: number(name) }), refused(1), name);
  assert.equal(execute(program, { number: number("clone3") }), refused(38));
  assert.equal(execute(program, { number: 9999 }), refused(38));
  assert.equal(execute(program, { number: number("read"), architecture: 0x4000_0003 }), 0x8000_0000);
  assert.equal(execute(program, { number: 0x4000_0000 }), refused(1));
});

test("the default profile looks at arguments: namespaces, vsock, personalities", () => {
  const program = assemble(defaultProfile(0xa80425fbn));
  const call = (name: string, ...args: bigint[]) => execute(program, { number: number(name), args });
  assert.equal(call("clone", 0x11n), allowed);
  assert.equal(call("clone", 0x1000_0011n), refused(1)); // CLONE_NEWUSER
  assert.equal(call("socket", 2n), allowed);
  assert.equal(call("socket", 40n), refused(1));
  assert.equal(call("personality", 0xffff_ffffn), allowed);
  assert.equal(call("personality", 0x4n), refused(1));
});

test("capabilities bring their calls", () => {
  const program = assemble(defaultProfile((1n << 41n) - 1n));
  for (const name of ["mount", "clone3", "unshare", "reboot", "bpf", "settimeofday"])
    assert.equal(execute(program, { number: number(name) }), allowed, name);
});

test("assemble() decides conditions as 64-bit numbers do", () => {
  const compare: Record<SeccompArgument["op"], (a: bigint, b: bigint, c: bigint) => boolean> = {
    SCMP_CMP_NE: (a, b) => a !== b,
    SCMP_CMP_LT: (a, b) => a < b,
    SCMP_CMP_LE: (a, b) => a <= b,
    SCMP_CMP_EQ: (a, b) => a === b,
    SCMP_CMP_GE: (a, b) => a >= b,
    SCMP_CMP_GT: (a, b) => a > b,
    SCMP_CMP_MASKED_EQ: (a, b, c) => (a & b) === c,
  };
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.constantFrom(0n, 1n, 2n ** 32n - 1n, 2n ** 32n),
  );
  const ops = Object.keys(compare) as SeccompArgument["op"][];
  const condition = fc.record({ index: fc.nat(5), op: fc.constantFrom(...ops), value, valueTwo: value });
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 1, maxLength: 3 }),
      fc.array(value, { minLength: 6, maxLength: 6 }),
      (args, given) => {
        // Half of the time the values compared are equal, where mistakes live.
        const rule = { names: ["read"], action: "SCMP_ACT_ALLOW", args } as const;
        const program = assemble({ defaultAction: "SCMP_ACT_ERRNO", syscalls: [rule] });
        for (const actual of [
          given,
          given.map((each, index) => args.find((arg) => arg.index === index)?.value ?? each),
        ]) {
          const expected = args.every((arg) => compare[arg.op](actual[arg.index] ?? 0n, arg.value, arg.valueTwo));
          assert.equal(execute(program, { number: number("read"), args: actual }), expected ? allowed : refused(1));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
