/**
 * Shuffle sharding: each flow has a hand of a few queues, dealt from its name. Two flows share some queues now and then,
 * and all of them hardly ever, so a flow that fills its own hand leaves the others places to stand.
 * Source: k8s.io/apiserver/pkg/util/shufflesharding
 */
import { createHash } from "node:crypto";

/** Different queues, 0-based, the same for the same flow. @param size at most `queues` */
export function dealHand(flow: string, queues: number, size: number): readonly number[] {
  let rest = createHash("sha256").update(flow).digest().readBigUInt64BE(0);
  const hand: number[] = [];
  for (let i = 0; i < Math.min(size, queues); i++) {
    const left = BigInt(queues - i);
    let card = Number(rest % left);
    rest /= left;
    // The card counts among those not dealt yet.
    for (const dealt of hand.toSorted((a, b) => a - b)) if (card >= dealt) card++;
    hand.push(card);
  }
  return hand;
}

const mostHands = 16_384;

/** Remembers hands, since flows come again. */
export class Hands {
  readonly #queues: number;
  readonly #size: number;
  readonly #known = new Map<string, readonly number[]>();

  constructor(queues: number, size: number) {
    this.#queues = queues;
    this.#size = size;
  }

  of(flow: string): readonly number[] {
    let hand = this.#known.get(flow);
    if (hand !== undefined) return hand;
    if (this.#known.size >= mostHands) this.#known.clear();
    hand = dealHand(flow, this.#queues, this.#size);
    this.#known.set(flow, hand);
    return hand;
  }
}
