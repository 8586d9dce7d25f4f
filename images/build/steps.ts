/** Follows buildah's output, so that a failure can be told by the line of the Containerfile. */
import { ImageBuildFailed } from "../errors.ts";
import { lineOfStep } from "./containerfile.ts";

const announced = /(?:\[(\d+)\/\d+\] )?STEP (\d+)\/\d+: ([^\n]*)\n/g;
const keptCharacters = 4_000;
const toldLines = 10;
/** buildah's own code, when no command of the Containerfile has one. */
const ownFailure = 125;

/** What a build is at. */
export class StepFollower {
  readonly #containerfile: string;
  #step: { readonly line: number | undefined; readonly text: string } | undefined;
  /** Of the step. */
  #output = "";

  constructor(containerfile: string) {
    this.#containerfile = containerfile;
  }

  /** Takes output as it comes. */
  add(text: string): void {
    this.#output = (this.#output + text).slice(-keptCharacters);
    for (const match of this.#output.matchAll(announced)) {
      const [whole, stage = "1", step = "0", instruction = ""] = match;
      const line = lineOfStep(this.#containerfile, { stage: Number(stage), step: Number(step) });
      this.#step = { line, text: instruction };
      this.#output = this.#output.slice(this.#output.indexOf(whole) + whole.length);
    }
  }

  /** The failure in terms of the Containerfile: line, instruction, exit code, the last lines that were printed. */
  explained({ code, output, cause }: ImageBuildFailed): ImageBuildFailed {
    const step = this.#step;
    const reason = /^Error: (?:error )?building at STEP "[^]*?": (.*)$/m.exec(output)?.[1];
    const lines = this.#output.split("\n").filter((line) => line !== "" && !isToolsOwn(line));
    const printed = lines.slice(-toldLines).join("\n");
    const isOwn = code === ownFailure || code === undefined;
    const how = isOwn ? (reason ?? `buildah failed with code ${code ?? "?"}`) : `the command's exit code is ${code}`;
    const where = step === undefined ? "" : `line ${step.line ?? "?"}: ${step.text}: `;
    const told = isOwn || printed === "" ? "" : `; it printed last:\n${printed}`;
    return new ImageBuildFailed(`Containerfile, ${where}${how}${told}`, output, { cause, code });
  }
}

const isToolsOwn = (line: string): boolean =>
  line.startsWith("Error: ") || line.startsWith("subprocess exited with status") || /^time=.* level=/.test(line);
