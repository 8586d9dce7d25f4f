/**
 * For tests: one end of a conversation in a pod.
 *   serve PROTOCOL PORT NAME      answers with NAME and the caller's address
 *   call PROTOCOL ADDRESS PORT [FROM]   prints the answer, or what went wrong
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { systemClock } from "@atoll/machinery/clock";

const patienceMs = 1500;
const [verb, protocol, ...rest] = process.argv.slice(2);

function serve(port: number, name: string): void {
  const ready = () => process.stdout.write("ready\n");
  if (protocol === "tcp") {
    createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${name} ${socket.remoteAddress}\n`);
    }).listen(port, "0.0.0.0", ready);
    return;
  }
  const socket = createSocket("udp4");
  socket.on("message", (_, from) => socket.send(`${name} ${from.address}\n`, from.port, from.address));
  socket.bind(port, ready);
}

function finish(word: string): void {
  process.stdout.write(`${word}\n`, () => process.exit(0));
}

function call(address: string, port: number, from: string): void {
  systemClock.after(patienceMs, () => finish("timeout"));
  const failed = (error: NodeJS.ErrnoException) => finish(error.code ?? String(error));
  if (protocol === "tcp") {
    const socket = connect({ host: address, port, ...(from === "" ? {} : { localAddress: from }) });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => finish(text.trim()));
    socket.on("error", failed);
    return;
  }
  const socket = createSocket("udp4");
  socket.on("message", (chunk) => finish(chunk.toString().trim()));
  socket.on("error", failed);
  // A connected socket hears of refusals.
  socket.connect(port, address, () => socket.send("?"));
}

if (verb === "serve") serve(Number(rest[0]), rest[1] ?? "");
else call(rest[0] ?? "", Number(rest[1]), rest[2] ?? "");
