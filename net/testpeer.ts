/**
 * For tests: one end of a conversation in a pod.
 *   serve PROTOCOL PORT NAME      answers with NAME and the caller's address
 *   keep udp ADDRESS PORT         asks again and again from one port, and prints what is answered each time it is another
 *   call PROTOCOL ADDRESS PORT [FROM]   prints the answer, or what went wrong
 */
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { systemClock } from "@atoll/machinery/clock";

const patienceMs = 1500;
const everyMs = 50;
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

/** As one caller to the kernel: the port stays. A refusal is an answer. */
function keep(address: string, port: number): void {
  let last = "";
  const say = (text: string) => {
    if (text !== last) process.stdout.write(`${text}\n`);
    last = text;
  };
  const socket = createSocket("udp4");
  socket.on("message", (chunk) => say(chunk.toString().trim()));
  socket.on("error", (error: NodeJS.ErrnoException) => say(error.code ?? String(error)));
  const ask = () => {
    socket.send("?");
    systemClock.after(everyMs, ask);
  };
  socket.connect(port, address, ask);
}

if (verb === "serve") serve(Number(rest[0]), rest[1] ?? "");
else if (verb === "keep") keep(rest[0] ?? "", Number(rest[1]));
else call(rest[0] ?? "", Number(rest[1]), rest[2] ?? "");
