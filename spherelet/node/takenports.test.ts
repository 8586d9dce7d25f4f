import assert from "node:assert/strict";
import { test } from "node:test";
import { spellPorts } from "./takenports.ts";

const line = (address: string, state: string) =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n`;

test("ports at which the host listens are told, those on loopback and those lent to whoever sends are not", () => {
  const tcp = [
    line("00000000:0016", "0A"), // 22
    line("0100007F:192B", "0A"), // 127.0.0.1:6443
    line("010200C0:01BB", "0A"), // 192.0.2.1:443
    line("010200C0:9C40", "01"), // a connection
    line("00000000000000000000000000000000:0016", "0A"),
    line("00000000000000000000000001000000:0277", "0A"), // ::1
  ];
  const udp = [line("00000000:0035", "07"), line("00000000:D431", "07")];
  assert.equal(spellPorts({ tcp: `  sl  local_address\n${tcp.join("")}`, udp: udp.join("") }), "22/TCP,443/TCP,53/UDP");
});
