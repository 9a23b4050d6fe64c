import type { Step } from "./command";

/**
 * Waits until udev is done: it sets MAC, sysctls and owners of devices in the host's own namespace a moment after they
 * appear. Something else that keeps udev busy is no failure of ours: what it has done to the device is read afterwards.
 */
export const udevSettled: Step = { argv: ["udevadm", "settle", "--timeout=10"], mayFail: true };
