/** A shell in a container, over the API's exec. */
import "@xterm/xterm/css/xterm.css";
import { Alert, Button, FormSelect, FormSelectOption } from "@patternfly/react-core";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Screen } from "@xterm/xterm";
import { useEffect, useRef, useState } from "react";
import type { AnyObject } from "../../model/object.ts";
import { containersOf } from "./pod.ts";

/** Channels of the stream. Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const protocol = "v5.channel.k8s.io";

/** The best shell that is there. */
const command = ["sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"];

/** A terminal in a pod. */
export function Terminal({ pod }: { pod: AnyObject }) {
  const names = containersOf(pod);
  const [container, setContainer] = useState(names[0] ?? "");
  const [attempt, setAttempt] = useState(0);
  const [ended, setEnded] = useState("");
  const place = useRef<HTMLDivElement>(null);
  const { name, namespace = "" } = pod.metadata;

  useEffect(() => {
    if (place.current === null || container === "") return;
    setEnded("");
    const query = new URLSearchParams({ container, stdin: "true", stdout: "true", tty: "true" });
    for (const word of command) query.append("command", word);
    const path = `/hub/api/v1/namespaces/${namespace}/pods/${name}/exec?${query.toString()}`;
    return openScreen(place.current, `wss://${location.host}${path}`, setEnded);
  }, [name, namespace, container, attempt]);

  return (
    <div className="logs">
      <div className="tools">
        <FormSelect
          className="tools-namespace"
          aria-label="Container"
          value={container}
          onChange={(_, value) => setContainer(value)}
        >
          {names.map((each) => (
            <FormSelectOption key={each} value={each} label={each} />
          ))}
        </FormSelect>
        {ended !== "" && (
          <Button variant="secondary" onClick={() => setAttempt((count) => count + 1)}>
            Connect again
          </Button>
        )}
      </div>
      {ended !== "" && <Alert variant="info" isInline title={ended} />}
      <div className="terminal-place" ref={place} />
    </div>
  );
}

/** @returns closes it */
function openScreen(place: HTMLElement, url: string, onEnd: (why: string) => void): () => void {
  const screen = new Screen({ cursorBlink: true, fontSize: 13, fontFamily: "monospace", screenReaderMode: true });
  const fit = new FitAddon();
  screen.loadAddon(fit);
  screen.open(place);
  fit.fit();
  screen.focus();
  const socket = new WebSocket(url, [protocol]);
  socket.binaryType = "arraybuffer";
  const encoder = new TextEncoder();
  let said = "";
  let isLeft = false;

  function write(to: number, bytes: Uint8Array) {
    if (socket.readyState !== WebSocket.OPEN) return;
    const frame = new Uint8Array(bytes.length + 1);
    frame[0] = to;
    frame.set(bytes, 1);
    socket.send(frame);
  }
  const resize = () =>
    write(channel.resize, encoder.encode(JSON.stringify({ Width: screen.cols, Height: screen.rows })));
  screen.onData((text) => write(channel.stdin, encoder.encode(text)));
  screen.onResize(resize);
  const observer = new ResizeObserver(() => fit.fit());
  observer.observe(place);
  socket.addEventListener("open", resize);
  socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
    const bytes = new Uint8Array(data);
    const rest = bytes.subarray(1);
    if (bytes[0] === channel.error) said = messageOf(new TextDecoder().decode(rest));
    else screen.write(rest);
  });
  socket.addEventListener("close", ({ reason }) => {
    if (!isLeft) onEnd(reason || said || "The shell has ended.");
  });
  return () => {
    isLeft = true;
    observer.disconnect();
    socket.close();
    screen.dispose();
  };
}

/** The error channel carries a Status when the command ends. */
function messageOf(text: string): string {
  try {
    const { status, message } = JSON.parse(text) as { status?: string; message?: string };
    return status === "Success" ? "" : (message ?? "");
  } catch {
    return text;
  }
}
