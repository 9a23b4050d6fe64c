import type { Seen } from "../host/seen";
import { notInstalled, type Section } from "./command";
import type { LinkJson } from "./link-state";
import { keyIn } from "./namespaces";
import { unsaidOf } from "./unsaid";

/** A forwarding entry of a bridge's port, or of a tunnel (`self`), as `bridge -j fdb show` prints it. */
export interface FdbJson {
  mac: string;
  ifname: string;
  /** `static`; `permanent`, which of a port's entries is an address of the host; empty for what was learned. */
  state: string;
  flags: string[];
  master?: string;
  vlan?: number;
  dst?: string;
  /** Both are left out where they are the device's own. */
  port?: number;
  vni?: number;
}

export const fdbSection: Section = { key: "fdb", argv: ["bridge", "-j", "fdb", "show"] };

/** The entry of a tunnel for frames to everybody, and to whom no other entry is for. */
export const everybody = "00:00:00:00:00:00";

/** All entries of a namespace; none where the host has no `bridge`. Throws READ_FAILED. */
export function fdbIn(seen: Seen, namespace: string | undefined): FdbJson[] {
  const key = keyIn("fdb", namespace);
  return seen.result(key).exitCode === notInstalled ? [] : seen.json<FdbJson[]>(key);
}

/** Somebody has made it: neither learned nor the kernel's own. */
export function isMade({ mac, dst, state, master, flags }: FdbJson, { linkinfo }: LinkJson): boolean {
  if (!isLasting(state) || flags.includes("extern_learn")) return false;
  // Without `dst`, what is permanent is the kernel's: addresses of devices, groups that they listen to.
  if (dst === undefined) return state === "static" && master !== undefined;
  const { remote, remote6, group, group6 } = linkinfo?.info_data ?? {};
  return mac !== everybody || ![remote, remote6, group, group6].includes(dst);
}

export const isLasting = (state: string) => state === "permanent" || state === "static";

const known = new Set(["mac", "ifname", "state", "flags", "master", "vlan", "dst", "port", "vni"]);

/** What it has besides, and no FdbEntry says: `viaIf eth0`. */
export const unsaidIn = (entry: FdbJson) => unsaidOf(entry, known);
