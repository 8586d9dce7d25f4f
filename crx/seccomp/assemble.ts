/**
 * Seccomp profiles as programs of classic BPF, for x86-64. The guest's init only loads them.
 * Source: Linux Documentation/userspace-api/seccomp_filter.rst, include/uapi/linux/{seccomp,filter,bpf_common}.h.
 */
import { systemCalls } from "./calls.ts";
import type { SeccompAction, SeccompArgument, SeccompProfile, SeccompRule } from "./profile.ts";

/** The profile names what this machine has not, or needs too long a program. */
export class ProfileUnusable extends Error {
  override readonly name = "ProfileUnusable";
}

/** Longest program Linux takes. */
const mostInstructions = 4096;
const auditArchX86_64 = 0xc000_003e;
const x32Bit = 0x4000_0000;
/** Offsets in struct seccomp_data. */
const dataAt = { number: 0, architecture: 4, arguments: 16 } as const;
const code = { load: 0x20, jump: 0x05, jumpEqual: 0x15, jumpGreater: 0x25, jumpAtLeast: 0x35, and: 0x54, return: 0x06 };
const errnoNotSupported = 38;
const errnoNotPermitted = 1;

/** One instruction: code, how far to jump if true and if false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

const loadNumber: Instruction = [code.load, 0, 0, dataAt.number];
const back = (value: number): Instruction => [code.return, 0, 0, value];

/** Return value for an action. */
function outcome(action: SeccompAction, errno: number = errnoNotPermitted): number {
  switch (action) {
    case "SCMP_ACT_ALLOW":
      return 0x7fff_0000;
    case "SCMP_ACT_LOG":
      return 0x7ffc_0000;
    case "SCMP_ACT_ERRNO":
      return 0x0005_0000 | (errno & 0xfff);
    case "SCMP_ACT_TRAP":
      return 0x0003_0000;
    case "SCMP_ACT_KILL":
    case "SCMP_ACT_KILL_THREAD":
      return 0x0000_0000;
    case "SCMP_ACT_KILL_PROCESS":
      return 0x8000_0000;
  }
}

/**
 * The program of a profile, eight bytes an instruction. Names that x86-64 does not have are left out, as runtimes do:
 * profiles are written for all architectures.
 * @throws {ProfileUnusable}
 */
export function assemble(profile: SeccompProfile): Uint8Array {
  const otherwise = outcome(profile.defaultAction, profile.defaultErrnoRet);
  const program: Instruction[] = [
    [code.load, 0, 0, dataAt.architecture],
    [code.jumpEqual, 1, 0, auditArchX86_64],
    back(outcome("SCMP_ACT_KILL_PROCESS")),
    loadNumber,
    [code.jumpAtLeast, 0, 1, x32Bit],
    back(outcome("SCMP_ACT_ERRNO")),
    ...newerCalls(profile),
    ...decide(fates(profile, otherwise), otherwise),
  ];
  if (program.length > mostInstructions) throw new ProfileUnusable(`the profile needs ${program.length} instructions`);
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([operation, ifTrue, ifFalse, operand], index) => {
    bytes.writeUInt16LE(operation, index * 8);
    bytes[index * 8 + 2] = ifTrue;
    bytes[index * 8 + 3] = ifFalse;
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  });
  return bytes;
}

/** Calls newer than any the profile could know do not exist, so that programs fall back to older ones. */
function newerCalls(profile: SeccompProfile): readonly Instruction[] {
  if (profile.defaultAction === "SCMP_ACT_ALLOW") return [];
  const newest = Math.max(...Object.values(systemCalls));
  return [[code.jumpGreater, 0, 1, newest], back(outcome("SCMP_ACT_ERRNO", errnoNotSupported))];
}

/** What happens to one call: instructions that end with returning. They find its number loaded. */
type Fate = readonly Instruction[];

/** The fate of every call that a rule names, by number. */
function fates(profile: SeccompProfile, otherwise: number): ReadonlyMap<number, Fate> {
  const rules = new Map<number, SeccompRule[]>();
  for (const rule of profile.syscalls)
    for (const name of rule.names) {
      const number = systemCalls[name];
      if (number !== undefined) rules.set(number, [...(rules.get(number) ?? []), rule]);
    }
  return new Map([...rules].map(([number, list]) => [number, fateOf(list, otherwise)]));
}

function fateOf(rules: readonly SeccompRule[], otherwise: number): Fate {
  const fate: Instruction[] = [];
  for (const rule of rules) {
    const end = back(outcome(rule.action, rule.errnoRet));
    fate.push(...conditions(rule.args ?? []), end);
    if ((rule.args ?? []).length === 0) return fate;
  }
  return [...fate, back(otherwise)];
}

/** Instructions that fall through when all conditions hold, and otherwise jump behind the return that follows. */
function conditions(args: readonly SeccompArgument[]): readonly Instruction[] {
  const blocks = args.map(condition);
  const lengths = blocks.map((block) => block.length);
  return blocks.flatMap((block, index) => {
    // From the end of this block over the later blocks and the return.
    const over = lengths.slice(index + 1).reduce((sum, length) => sum + length, 0) + 1;
    return block.map((instruction, at) => resolve(instruction, block.length - at - 1, over));
  });
}

/** Jump targets inside a condition, before they are numbers. */
const holds = -1;
const fails = -2;

function resolve(instruction: Instruction, toEnd: number, over: number): Instruction {
  const target = (jump: number): number => {
    if (jump === holds) return toEnd;
    if (jump === fails) return toEnd + over;
    return jump;
  };
  const [operation, ifTrue, ifFalse, operand] = instruction;
  const jumps = [target(ifTrue), target(ifFalse)] as const;
  if (Math.max(...jumps) > 255) throw new ProfileUnusable("too many conditions on one call");
  return [operation, ...jumps, operand];
}

function condition(argument: SeccompArgument): readonly Instruction[] {
  if (argument.index < 0 || argument.index > 5) throw new ProfileUnusable(`argument ${argument.index}`);
  const at = dataAt.arguments + argument.index * 8;
  const [low, high] = halves(argument.value);
  const loadLow: Instruction = [code.load, 0, 0, at];
  const loadHigh: Instruction = [code.load, 0, 0, at + 4];
  switch (argument.op) {
    case "SCMP_CMP_EQ":
      return [loadHigh, [code.jumpEqual, 0, fails, high], loadLow, [code.jumpEqual, holds, fails, low]];
    case "SCMP_CMP_NE":
      return [loadHigh, [code.jumpEqual, 0, holds, high], loadLow, [code.jumpEqual, fails, holds, low]];
    case "SCMP_CMP_MASKED_EQ":
      return masked(argument, [loadLow, loadHigh]);
    case "SCMP_CMP_GT":
      return ordered([loadLow, loadHigh], [low, high], [code.jumpGreater, holds, fails]);
    case "SCMP_CMP_GE":
      return ordered([loadLow, loadHigh], [low, high], [code.jumpAtLeast, holds, fails]);
    case "SCMP_CMP_LT":
      return ordered([loadLow, loadHigh], [low, high], [code.jumpAtLeast, fails, holds]);
    case "SCMP_CMP_LE":
      return ordered([loadLow, loadHigh], [low, high], [code.jumpGreater, fails, holds]);
  }
}

function masked(argument: SeccompArgument, [loadLow, loadHigh]: readonly [Instruction, Instruction]): Instruction[] {
  const [low, high] = halves(argument.value);
  const [wantedLow, wantedHigh] = halves(argument.valueTwo ?? 0);
  return [
    loadHigh,
    [code.and, 0, 0, high],
    [code.jumpEqual, 0, fails, wantedHigh],
    loadLow,
    [code.and, 0, 0, low],
    [code.jumpEqual, holds, fails, wantedLow],
  ];
}

/** Compares 64 bits: by the high half if that decides, else by the low one. Both comparisons are of "greater". */
function ordered(
  [loadLow, loadHigh]: readonly [Instruction, Instruction],
  [low, high]: readonly [number, number],
  [jump, ifTrue, ifFalse]: readonly [number, number, number],
): Instruction[] {
  return [
    loadHigh,
    [code.jumpGreater, ifTrue, 0, high],
    [code.jumpEqual, 0, ifFalse, high],
    loadLow,
    [jump, ifTrue, ifFalse, low],
  ];
}

function halves(value: bigint | number): readonly [low: number, high: number] {
  const bits = BigInt.asUintN(64, BigInt(value));
  return [Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
}

/** A stretch of numbers with one fate. */
interface Stretch {
  readonly from: number;
  readonly fate: Fate;
}

/** A search tree over stretches of numbers: the most used calls are reached in about six comparisons. */
function decide(byNumber: ReadonlyMap<number, Fate>, otherwise: number): readonly Instruction[] {
  const stretches: Stretch[] = [];
  const last = Math.max(-1, ...byNumber.keys());
  const fallback: Fate = [back(otherwise)];
  for (let number = 0; number <= last + 1; number++) {
    const fate = byNumber.get(number) ?? fallback;
    const before = stretches.at(-1);
    if (before === undefined || !sameFate(before.fate, fate)) stretches.push({ from: number, fate });
  }
  return tree(stretches);
}

const sameFate = (one: Fate, two: Fate): boolean => one.length === 1 && two.length === 1 && one[0]?.[3] === two[0]?.[3];

function tree(stretches: readonly Stretch[]): readonly Instruction[] {
  const [first] = stretches;
  if (first === undefined) return [];
  if (stretches.length === 1) return first.fate;
  const middle = Math.floor(stretches.length / 2);
  const left = tree(stretches.slice(0, middle));
  const right = tree(stretches.slice(middle));
  // Conditional jumps reach 255 instructions; an unconditional one reaches everywhere.
  return [[code.jumpAtLeast, 0, 1, stretches[middle]?.from ?? 0], [code.jump, 0, 0, left.length], ...left, ...right];
}
