/** Writes the C header of the protocol from its tables, so that both sides cannot differ. */
import { frameTypes, headerLength, maxPayload, moreFlag, protocolVersion } from "./frame.ts";
import { events, limits, logRecordHeader, messages, operations, subStreams, volumeKinds } from "./messages.ts";

const constant = (name: string): string => name.replaceAll(/([a-z])([A-Z])/g, "$1_$2").toUpperCase();

function enumeration(prefix: string, values: Iterable<readonly [string, number]>): string {
  const lines = [...values].map(([name, value]) => `  ${prefix}_${constant(name)} = ${value},`);
  return `enum {\n${lines.join("\n")}\n};\n`;
}

/** The text of `protocol.h`. */
export function protocolHeader(): string {
  const tags = messages.map((message) => {
    const fields = Object.entries<{ tag: number }>(message.fields).map(([name, field]) => [name, field.tag] as const);
    return enumeration(`TAG_${constant(message.name)}`, fields);
  });
  const numbers = (table: Record<string, { number: number }>) =>
    Object.entries(table).map(([name, { number }]) => [name, number] as const);
  return [
    "/* Generated from crx/channel/messages.ts; see docs/crx-protocol.md. */",
    "#ifndef CRX_PROTOCOL_H",
    "#define CRX_PROTOCOL_H",
    enumeration("PROTOCOL", [
      ["version", protocolVersion],
      ["maxPayload", maxPayload],
      ["headerLength", headerLength],
      ["more", moreFlag],
      ["logRecordHeader", logRecordHeader],
    ]),
    enumeration("FRAME", Object.entries(frameTypes)),
    enumeration("OP", numbers(operations)),
    enumeration("EVENT", numbers(events)),
    enumeration("SUB", Object.entries(subStreams)),
    enumeration("VOLUME", Object.entries(volumeKinds)),
    enumeration("MAX", Object.entries(limits)),
    ...tags,
    "#endif",
    "",
  ].join("\n");
}
