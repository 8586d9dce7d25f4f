import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { UpgradeResponse } from "./upgrade.ts";

test("an answer that is cut takes its connection with it, even when somebody has taken that over", () => {
  const socket = new Socket();
  const response = new UpgradeResponse(new IncomingMessage(socket), socket, Buffer.alloc(0));
  response.take();
  response.destroy();
  assert.equal(socket.destroyed, true);
});
