import { z } from "zod";
import { optionNumber, optionRefusal } from "./dnsmasq";
import { addressBits, between, deviceRef, ipv4Address, macAddress, mtu, namespaceRef, prefix } from "./scalars";
import { serviceLabel, serviceShape } from "./service";

const domainName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** A client's name. dnsmasq takes the parts of a `dhcp-host` in any order: 42 and 7d would be lease times. */
export const dhcpHostName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, "must be a host name without dots")
  .refine(
    (name) => !/^(ignore|infinite|\d+[smhdw]?)$/i.test(name),
    "must not be a number, lease time or `ignore`, which dnsmasq would take for a word of its own",
  );

/** `10.0.1.10-10.0.1.200`. */
const range = z.string().refine((value) => {
  const [first = "", last = "", ...rest] = value.split("-");
  const both = [first, last].every((address) => ipv4Address.safeParse(address).success);
  return value === "static" || (rest.length === 0 && both && addressBits(first) <= addressBits(last));
}, "must be two IPv4 addresses of one subnet, as 10.0.1.10-10.0.1.200, or 'static'");

export const dhcpRanges = z.union([range, z.array(range).min(1, "must hold one range or more")]);

export const dhcpArgs = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace in which the device is. Default: that of a `device` given as a resource, else the host's own. A change replaces the server.",
      ),
    name: serviceLabel.describe(
      "What it is called in the unit's name, 1 to 64 characters. Default: the last part of the resource's name after '/'. A change replaces the server.",
    ),
    device: deviceRef.describe(
      "The device on which clients are served. It has to have an address of the subnet: while it has none nobody is served, which an `up` that changes the server and a refresh warn of. dnsmasq is started again when the device was made anew.",
    ),
    range: dhcpRanges.describe(
      "The addresses to give away, first and last, as 10.0.1.10-10.0.1.200; several in a list. 'static': only reservations are served (`dhcp-range`).",
    ),
    gateway: ipv4Address
      .optional()
      .describe(
        "The router that clients are told (option 3). Default: none; dnsmasq's own, its own address, is not sent.",
      ),
    dns: z
      .array(ipv4Address)
      .min(1, "must hold one address or more")
      .optional()
      .describe(
        "The name servers that clients are told (option 6). Default: none; with `forwarders`, the server itself.",
      ),
    domain: z
      .string()
      .regex(domainName, "must be a domain name, as example.org")
      .optional()
      .describe("The domain that clients are told (option 15), and that of their names where `forwarders` is given."),
    leaseTime: z
      .union([z.literal("infinite"), between(120, 4_294_967_294)])
      .optional()
      .describe("For how many seconds a lease holds, 120 or more, or 'infinite'. dnsmasq's default: 3600."),
    mtu: mtu
      .optional()
      .describe(
        "The MTU that clients are told, in bytes (option 26), 68 to 65535. Default: none, they take their device's. A tunnel's: 1458 for GRE with a key on a 1500 underlay.",
      ),
    routes: z
      .array(
        z.strictObject({
          to: prefix
            .refine(
              (value) => value !== "0.0.0.0/0" && !value.includes(":"),
              "must be an IPv4 network; the default route is `gateway`",
            )
            .describe("The destination, as 10.2.0.0/16."),
          via: ipv4Address.describe("The router to it."),
        }),
      )
      .optional()
      .describe("Routes that clients are told (options 121 and 249), the one by `gateway` with them."),
    options: z
      .record(
        z.string(),
        z
          .string()
          .regex(
            /^(?! )(?!.* #)[\x20-\x21\x23-\x5b\x5d-\x7e]{1,250}(?<! )$/,
            "must be 1 to 250 printable characters without quotes, backslashes and ' #'",
          ),
      )
      .optional()
      .describe(
        "More options by number or dnsmasq's name (`dnsmasq --help dhcp`), as { 'ntp-server': '192.0.2.1', 114: 'https://a/b' }; the value is dnsmasq's text (`dhcp-option`).",
      ),
    reservations: z
      .array(
        z.strictObject({
          mac: macAddress.describe("The client's MAC address."),
          address: ipv4Address.describe("The address that it gets, and nobody else."),
          hostname: dhcpHostName.optional().describe("The name that it is told. Default: its own."),
        }),
      )
      .optional()
      .describe(
        "Clients with an address of their own (`dhcp-host`). A change interrupts nobody: dnsmasq reads it again.",
      ),
    authoritative: z
      .boolean()
      .optional()
      .describe(
        "It is the only server of the subnet: clients with a lease of before it are answered at once (`dhcp-authoritative`), as after a reboot, which loses the leases. Default: false.",
      ),
    maxLeases: between(1, 1_000_000)
      .optional()
      .describe("How many leases it gives at most (`dhcp-lease-max`), up to 1000000. dnsmasq's default: 1000."),
    forwarders: z
      .array(ipv4Address)
      .min(1, "must hold one address or more")
      .optional()
      .describe(
        "Name servers to which it passes on what clients ask it; then it also knows their names. Default: none, it is no name server (`port=0`).",
      ),
    ...serviceShape,
  })
  .superRefine((want, issues) => {
    const refuse = (path: PropertyKey[], message: string) => issues.addIssue({ code: "custom", path, message });
    const told = Object.keys(want.options ?? {});
    for (const [at, key] of told.entries()) {
      const number = optionNumber(key);
      const twice = told.slice(0, at).some((other) => optionNumber(other) === number);
      const text = optionRefusal(key) ?? (twice ? `must not be given as option ${number} too` : undefined);
      if (text) refuse(["options", key], text);
    }
    for (const what of ["mac", "address"] as const) {
      const all = (want.reservations ?? []).map((each) => each[what]);
      const twice = all.findIndex((value, index) => all.indexOf(value) < index);
      if (twice >= 0) refuse(["reservations", twice, what], "must not be in two reservations");
    }
    const anchored = want.gateway !== undefined || (want.reservations ?? []).length > 0;
    if ([want.range].flat().includes("static") && !anchored)
      refuse(["range"], "must come with gateway or reservations where it is 'static': they tell the subnet");
  });

export type DhcpArgs = z.output<typeof dhcpArgs>;
