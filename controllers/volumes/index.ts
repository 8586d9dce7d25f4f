/** The controllers of volumes. */
import type { Controller } from "@atoll/runtime/controller";
import { volumeBinder } from "./claims.ts";
import { ephemeralVolumes } from "./ephemeral.ts";
import { attributesProtection, claimProtection, volumeProtection } from "./protection.ts";
import { diskProvisioner, diskRemover } from "./provisioner.ts";
import { volumePhases } from "./volumes.ts";

/** All of them. */
export const volumeControllers: readonly Controller[] = [
  volumeBinder,
  volumePhases,
  ephemeralVolumes,
  claimProtection,
  volumeProtection,
  attributesProtection,
  diskProvisioner,
  diskRemover,
];
