import { isIP, isIPv6 } from "node:net";
import { z } from "zod";
import type { KnownHost } from "./question";

/**
 * The words that kinds share: names, numbers and addresses, each in the form in which the kernel prints it, so that
 * what is declared and what is read can be compared as text. A message says what is allowed; validate.ts adds path and value.
 */

/** Gives the schema of a reference the kinds of resource that may stand there instead of a name. */
export function refersTo<S extends z.ZodType>(schema: S, ...kinds: string[]): S {
  return schema.meta({ ...schema.meta(), refersTo: kinds }) as S;
}

/** Marks a schema as secret: its value is never printed. */
export function secret<S extends z.ZodType>(schema: S): S {
  return schema.meta({ ...schema.meta(), secret: true }) as S;
}

// Narrower than dev_valid_name() of the kernel, so that no tokenizer (ip -batch, sysctl, nft) reads it otherwise.
const interfaceNamePattern = /^(?!\.{1,2}$)[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/;

/** A network interface's name: IFNAMSIZ - 1 characters. */
export const interfaceName = z
  .string()
  .regex(interfaceNamePattern, "must be 1 to 15 letters, digits, '.', '_' or '-', not beginning with '-'")
  .refine(
    (name) => name !== "all" && name !== "default",
    "must not be 'all' or 'default', which sysctl gives a meaning",
  );

/** A network namespace's name, as `ip netns` keeps it under /run/netns. */
export const namespaceName = z
  .string()
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
    "must be 1 to 64 letters, digits, '_', '.' or '-', beginning with a letter, digit or '_'",
  )
  .refine((name) => !/^\d+$/.test(name), "must not be digits only: ip takes such a name for a process id");

/** The kinds whose `name` is that of a device. */
export const deviceKinds = [
  "Bond",
  "Dummy",
  "GreTunnel",
  "Interface",
  "LinuxBridge",
  "Macvlan",
  "Macvtap",
  "OvsBridge",
  "OvsPort",
  "Tap",
  "Vlan",
  "Vxlan",
];

/** A device: its name, or the resource that makes it. */
export const deviceRef = refersTo(interfaceName, ...deviceKinds);

export const namespaceRef = refersTo(namespaceName, "Namespace");

/** What a resource carries of a Host: resource.ts puts it where the program gives one. */
export const hostRef = secret(
  refersTo(
    z
      .custom<KnownHost>(
        (value) => typeof value === "object" && value !== null && "machineId" in value,
        "must be a Host",
      )
      .meta({ output: "object" }),
    "Host",
  ),
);

/** A unicast MAC address; lower case is the normal form. */
export const macAddress = z
  .string()
  .regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/, "must be six pairs of hex digits, as 02:00:00:00:00:01")
  .refine((mac) => (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0, "must be unicast: its first octet must be even")
  .refine((mac) => !/^[0:]+$/.test(mac), "must not be all zeros")
  .transform((mac) => mac.toLowerCase());

/** Bytes of an IP packet that fits into a frame: ETH_MIN_MTU to ETH_MAX_MTU. */
export const mtu = z.int("must be a whole number").min(68, "must be 68 to 65535").max(65535, "must be 68 to 65535");

export const port = z.int("must be a whole number").min(1, "must be 1 to 65535").max(65535, "must be 1 to 65535");

export const vlanId = z.int("must be a whole number").min(1, "must be 1 to 4094").max(4094, "must be 1 to 4094");

/** An unsigned number of so many bits. */
export function unsigned(bits: 8 | 16 | 32) {
  const most = 2 ** bits - 1;
  return between(0, most);
}

/** A whole number from `least` to `most`. */
export function between(least: number, most: number) {
  const text = `must be a whole number from ${least} to ${most}`;
  return z.int(text).min(least, text).max(most, text);
}

export const hex = (value: number | bigint) => `0x${value.toString(16)}`;

/** The text that `ip -j` prints for an address: IPv6 in the form of RFC 5952. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** 4 or 6. */
export function family(address: string): 4 | 6 {
  return isIPv6(address.split("/")[0] ?? "") ? 6 : 4;
}

const addressText = "must be an IPv4 or IPv6 address without a zone, octets without leading zeros";

/** An IPv4 or IPv6 address. */
export const ipAddress = z
  .string()
  .refine((value) => isIP(value) !== 0 && !value.includes("%"), addressText)
  .transform(canonicalAddress);

/** An address of one family. */
export const ipv4Address = z.string().refine((value) => isIP(value) === 4, "must be an IPv4 address");

function isCidr(value: string): boolean {
  const [address = "", length = "", ...rest] = value.split("/");
  if (rest.length > 0 || isIP(address) === 0 || address.includes("%")) return false;
  return /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= (isIP(address) === 4 ? 32 : 128);
}

/** An address with its prefix length, as 10.0.1.1/24. */
export const cidr = z
  .string()
  .refine(isCidr, "must be an address with its prefix length, as 10.0.1.1/24 (0 to 32) or fd00::1/64 (0 to 128)")
  .transform((value) => {
    const [address = "", length = ""] = value.split("/");
    return `${canonicalAddress(address)}/${length}`;
  });

/** An address that a device has is said with it; that of another machine is not. */
export const hasPrefixLength = (address: string) => address.includes("/");

/** The address as a number, for masks and containment. */
export function addressBits(address: string): bigint {
  if (family(address) === 4) return address.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
  const [head = "", tail] = canonicalAddress(address).split("::");
  const left = head ? head.split(":") : [];
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill("0");
  return [...left, ...zeros, ...right].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** The network's bits of an address with prefix length: equal for two addresses of one subnet. */
export function subnet(cidrText: string): string {
  const [address = "", length = "0"] = cidrText.split("/");
  const width = family(address) === 4 ? 32 : 128;
  return `${family(address)}/${length}/${addressBits(address) >> BigInt(width - Number(length))}`;
}

/** Whether an address is of a network, given as 10.0.0.0/24; also of the other IP version. */
export const contains = (network: string, address: string) =>
  family(network) === family(address) && subnet(network) === subnet(`${address}/${network.split("/")[1]}`);

/** A destination: an address with prefix length whose host bits are zero, or a bare address for a single host. */
export const prefix = z
  .string()
  .refine(
    (value) => isCidr(value) || (isIP(value) !== 0 && !value.includes("%")),
    "must be a network as 10.0.2.0/24 or fd00::/64, or a single address",
  )
  .transform((value) => {
    const full = value.includes("/") ? value : `${value}/${isIP(value) === 4 ? 32 : 128}`;
    const [address = "", length = ""] = full.split("/");
    return `${canonicalAddress(address)}/${length}`;
  })
  .refine((value) => {
    const [address = "", length = "0"] = value.split("/");
    const host = BigInt((family(address) === 4 ? 32 : 128) - Number(length));
    return (addressBits(address) & ((1n << host) - 1n)) === 0n;
  }, "must be a network: the bits behind the prefix length must be zero");

/** IPv4 or IPv6, with or without a prefix length. */
export const isMulticast = (address: string) => /^(22[4-9]|23\d|ff)/i.test(address);

/** For `refine`: nothing stands twice in the list. */
export const distinct = (what: string) =>
  [(list: readonly unknown[]) => new Set(list).size === list.length, `must not name a ${what} twice`] as const;

/** What stands in the place of a secret. */
export const hidden = "[secret]";
