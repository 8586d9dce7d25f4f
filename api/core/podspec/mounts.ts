/** Where volumes appear in a container. Source: pkg/apis/core/validation (ValidateVolumeMounts, ValidateVolumeDevices) */
import type { Volume, VolumeDevice, VolumeMount } from "../../builtin/core/v1.types.ts";
import type { AnyContainer } from "./defaults.ts";
import { checkDescending, hasBacksteps } from "./paths.ts";
import type { Place } from "./place.ts";

const none: readonly never[] = [];
const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursiveModes = ["Disabled", "Enabled", "IfPossible"];

/** Mounts and devices of one container. */
export function checkMounts(container: AnyContainer, volumes: ReadonlyMap<string, Volume>, at: Place): void {
  const mounts = container.volumeMounts ?? none;
  const devices = container.volumeDevices ?? none;
  if (mounts.length > 0) checkVolumeMounts(container, { mounts, devices, volumes }, at);
  if (devices.length > 0) checkDevices({ mounts, devices, volumes }, at);
}

interface Mounted {
  readonly mounts: readonly VolumeMount[];
  readonly devices: readonly VolumeDevice[];
  readonly volumes: ReadonlyMap<string, Volume>;
}

function checkVolumeMounts(container: AnyContainer, { mounts, devices, volumes }: Mounted, at: Place): void {
  const taken = new Set<string>();
  const list = at.child("volumeMounts");
  for (const [i, mount] of mounts.entries()) {
    const here = new MountPlace(at, i);
    const { name, mountPath } = mount;
    if (name === "") here.place.required("name");
    if (!volumes.has(name)) here.place.notFound("name", name);
    if (mountPath === "") here.place.required("mountPath");
    if (taken.has(mountPath)) here.place.invalid("mountPath", mountPath, "must be unique");
    taken.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      here.place.invalid("name", name, "must not already exist in volumeDevices");
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      here.place.invalid("mountPath", mountPath, "must not already exist as a path in volumeDevices");
    }
    checkSubPaths(mount, here, list);
    if (volumes.get(name)?.image !== undefined) checkImageMount(mount, here);
    checkPropagation(mount, container, list);
    checkRecursive(mount, list);
  }
}

/** A place that is made when the first error asks for it. */
class MountPlace {
  readonly #container: Place;
  readonly #i: number;
  #made: Place | undefined;

  constructor(container: Place, i: number) {
    this.#container = container;
    this.#i = i;
  }

  get place(): Place {
    this.#made ??= this.#container.item("volumeMounts", this.#i);
    return this.#made;
  }
}

/** Upstream reports bad paths at the list. */
function checkSubPaths({ subPath, subPathExpr }: VolumeMount, at: MountPlace, list: Place): void {
  if (subPath) checkDescending(subPath, list, "subPath");
  if (!subPathExpr) return;
  if (subPath) at.place.invalid("subPathExpr", subPathExpr, "subPathExpr and subPath are mutually exclusive");
  checkDescending(subPathExpr, list, "subPathExpr");
}

function checkImageMount({ subPathExpr }: VolumeMount, at: MountPlace): void {
  if (subPathExpr) at.place.invalid("subPathExpr", subPathExpr, "not allowed in image volume sources");
}

function checkPropagation({ mountPropagation }: VolumeMount, { securityContext }: AnyContainer, list: Place): void {
  if (mountPropagation === undefined) return;
  if (!propagations.includes(mountPropagation)) {
    list.notSupported("mountPropagation", mountPropagation, propagations);
  }
  if (mountPropagation === "Bidirectional" && securityContext?.privileged !== true) {
    list.forbidden("mountPropagation", "Bidirectional mount propagation is available only to privileged containers");
  }
}

function checkRecursive({ recursiveReadOnly: mode, readOnly, mountPropagation }: VolumeMount, list: Place): void {
  if (mode === undefined || mode === "Disabled") return;
  if (!recursiveModes.includes(mode)) return list.notSupported("recursiveReadOnly", mode, recursiveModes);
  if (readOnly !== true) list.forbidden("recursiveReadOnly", "may only be specified when readOnly is true");
  if (mountPropagation !== undefined && mountPropagation !== "None") {
    list.forbidden("recursiveReadOnly", "may only be specified when mountPropagation is None or not specified");
  }
}

function checkDevices({ mounts, devices, volumes }: Mounted, at: Place): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [i, { name, devicePath }] of devices.entries()) {
    const here = at.item("volumeDevices", i);
    checkDeviceName(name, volumes.get(name), here);
    if (names.has(name)) here.invalid("name", name, "must be unique");
    if (name !== "") names.add(name);
    if (devicePath === "") here.required("devicePath");
    if (paths.has(devicePath)) here.invalid("devicePath", devicePath, "must be unique");
    if (hasBacksteps(devicePath)) here.invalid("devicePath", devicePath, "can not contain backsteps ('..')");
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      here.invalid("name", name, "must not already exist in volumeMounts");
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      here.invalid("devicePath", devicePath, "must not already exist as a path in volumeMounts");
    }
  }
}

function checkDeviceName(name: string, volume: Volume | undefined, at: Place): void {
  if (name === "") at.required("name");
  if (volume === undefined) at.notFound("name", name);
  else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
    at.invalid("name", name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
  }
}
