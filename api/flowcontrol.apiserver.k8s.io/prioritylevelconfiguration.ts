/**
 * PriorityLevelConfiguration.
 * Source: k8s.io/kubernetes/pkg/registry/flowcontrol/prioritylevelconfiguration, pkg/apis/flowcontrol/{validation,v1}
 */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import type {
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "../builtin/flowcontrol.apiserver.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { mandatoryPriorityLevels } from "./bootstrap.ts";
import { checkConditionTypes } from "./conditions.ts";

const defaultShares = 30;
const defaultQueues = 64;
const defaultHandSize = 8;
const defaultQueueLength = 50;
const maxQueues = 10_000_000;
const maxEntropyBits = 60;
const none = "<none>";

/** The rules of PriorityLevelConfigurations. */
export const priorityLevelConfiguration: Strategy<PriorityLevelConfiguration> = {
  generation: true,
  setDefaults({ spec: { limited, exempt } }) {
    if (limited !== undefined) {
      limited.nominalConcurrencyShares ??= defaultShares;
      limited.lendablePercent ??= 0;
      if (limited.limitResponse.queuing !== undefined) setQueuingDefaults(limited.limitResponse.queuing);
    }
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate({ metadata, spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    const { name = "" } = metadata;
    checkSpec(spec, name, at);
    const fixed = mandatoryPriorityLevels.find((level) => level.name === name);
    // What the exempt level may borrow and lend is for the administrator to say.
    if (fixed !== undefined && name !== "exempt" && !deepEqual(fixed.spec, spec)) {
      at.invalid("", spec, `spec of '${name}' must equal the fixed value`);
    }
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _, errors) => priorityLevelConfiguration.validate?.(object, errors),
  status: {
    validateUpdate: ({ status }, _, errors) =>
      checkConditionTypes(status.conditions, new Place(errors, Path.of("status"))),
  },
  table: {
    columns: [
      nameColumn,
      column("Type", "Whether requests are limited or exempt."),
      column("NominalConcurrencyShares", "Its share of the server's capacity."),
      column("Queues", "How many queues it has."),
      column("HandSize", "How many queues one flow may use."),
      column("QueueLengthLimit", "How many requests may wait in a queue."),
      ageColumn,
    ],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      spec.type,
      spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares ?? none,
      ...queuingCells(spec.limited?.limitResponse.queuing),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function setQueuingDefaults(queuing: QueuingConfiguration): void {
  queuing.queues ||= defaultQueues;
  queuing.handSize ||= defaultHandSize;
  queuing.queueLengthLimit ||= defaultQueueLength;
}

function queuingCells(queuing: QueuingConfiguration | undefined): readonly (string | number)[] {
  return [queuing?.queues ?? none, queuing?.handSize ?? none, queuing?.queueLengthLimit ?? none];
}

function checkSpec({ type, limited, exempt }: PriorityLevelConfigurationSpec, name: string, at: Place): void {
  if ((name === "exempt") !== (type === "Exempt")) {
    at.invalid("type", type, "type must be 'Exempt' if and only if name is 'exempt'");
  }
  switch (type) {
    case "Exempt":
      if (limited !== undefined) at.forbidden("limited", "must be nil if the type is not Limited");
      if (exempt !== undefined) checkShares(exempt, at.child("exempt"));
      return;
    case "Limited":
      if (exempt !== undefined) at.forbidden("exempt", "must be nil if the type is Limited");
      if (limited === undefined) at.required("limited", "must not be empty when type is Limited");
      else checkLimited(limited, at.child("limited"));
      return;
    default:
      at.notSupported("type", type, ["Exempt", "Limited"]);
  }
}

function checkShares(given: { nominalConcurrencyShares?: number | null; lendablePercent?: number }, at: Place): void {
  const { nominalConcurrencyShares: shares, lendablePercent: lendable } = given;
  if ((shares ?? 0) < 0) at.invalid("nominalConcurrencyShares", shares, "must be a non-negative integer");
  if (lendable !== undefined && (lendable < 0 || lendable > 100)) {
    at.invalid("lendablePercent", lendable, "must be between 0 and 100, inclusive");
  }
}

function checkLimited(limited: LimitedPriorityLevelConfiguration, at: Place): void {
  checkShares(limited, at);
  const { borrowingLimitPercent: borrowing, limitResponse } = limited;
  if (borrowing !== undefined && borrowing < 0) {
    at.invalid("borrowingLimitPercent", borrowing, "if specified, must be a non-negative integer");
  }
  const { type, queuing } = limitResponse;
  const place = at.child("limitResponse");
  switch (type) {
    case "Reject":
      if (queuing !== undefined) place.forbidden("queuing", "must be nil if limited.limitResponse.type is not Limited");
      return;
    case "Queue":
      if (queuing === undefined)
        place.required("queuing", "must not be empty if limited.limitResponse.type is Limited");
      else checkQueuing(queuing, place.child("queuing"));
      return;
    default:
      place.notSupported("type", type, ["Queue", "Reject"]);
  }
}

function checkQueuing({ queues, handSize, queueLengthLimit }: QueuingConfiguration, at: Place): void {
  if (queueLengthLimit <= 0) at.invalid("queueLengthLimit", queueLengthLimit, "must be positive");
  if (queues <= 0) at.invalid("queues", queues, "must be positive");
  if (queues > maxQueues) at.invalid("queues", queues, `must not be greater than ${maxQueues}`);
  if (handSize <= 0) at.invalid("handSize", handSize, "must be positive");
  if (handSize > queues) at.invalid("handSize", handSize, `should not be greater than queues (${queues})`);
  else if (entropyBits(queues, handSize) > maxEntropyBits) {
    const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than 60`;
    at.invalid("handSize", handSize, why);
  }
}

/** Bits it takes to deal a hand. Source: k8s.io/apiserver/pkg/util/shufflesharding (RequiredEntropyBits) */
function entropyBits(deck: number, hand: number): number {
  let bits = 0;
  for (let i = 0; i < hand && bits <= maxEntropyBits; i++) bits += Math.log2(deck - i);
  return Math.ceil(bits);
}
