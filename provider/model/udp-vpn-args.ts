import { z } from "zod";
import { linkShape, nameTaken } from "./link-args";
import { ipv6Rules } from "./link-ipv6";
import { family, ipAddress, mtu, namespaceRef, port } from "./scalars";
import { serviceShape } from "./service";

export const udpVpnArgs = z
  .strictObject({
    namespace: linkShape.namespace,
    name: linkShape.name.describe(
      "The TUN device's name, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
    ),
    underlayNamespace: namespaceRef
      .optional()
      .describe(
        "The network namespace whose addresses carry the packets. Default: the host's own, wherever the device is. A change replaces the tunnel.",
      ),
    local: ipAddress.describe("The own address of the underlay, from which packets are sent."),
    remote: ipAddress.describe("The other end's address on the underlay. Packets from others are dropped."),
    port: port.describe("UDP port on which this end listens, 1 to 65535."),
    remotePort: port.optional().describe("UDP port of the other end, 1 to 65535. Default: the own one."),
    addresses: linkShape.addresses,
    addressesExact: linkShape.addressesExact,
    mtu: mtu
      .optional()
      .describe(
        "Largest packet in bytes, 68 to 65535. Default: 1472 over IPv4 and 1452 over IPv6, which fit a 1500 byte underlay.",
      ),
    up: linkShape.up,
    ipv6: linkShape.ipv6.describe(
      "IPv6 on the device (the inverse of `disable_ipv6`). Default: on with IPv6 addresses, else the kernel's.",
    ),
    txQueueLength: linkShape.txQueueLength.describe(
      "Length of the transmit queue in packets (`txqueuelen`). Kernel default: 500.",
    ),
    ...serviceShape,
  })
  .superRefine((want, issues) => {
    const refuse = (path: string, message: string) => issues.addIssue({ code: "custom", path: [path], message });
    const taken = nameTaken(want.name, want.namespace);
    if (taken) refuse("name", taken);
    for (const [path, message] of ipv6Rules(want)) refuse(path, message);
    if (family(want.local) !== family(want.remote)) refuse("remote", "must be of the same family as local");
    for (const end of ["local", "remote"] as const) {
      if (/^(0\.0\.0\.0|::|22[4-9]\.|23\d\.|255\.255\.255\.255|ff|fe80:)/.test(want[end]))
        refuse(end, "must be one host's address: not multicast, broadcast, link-local of IPv6, or unspecified");
    }
  });

export type UdpVpnArgs = z.output<typeof udpVpnArgs>;
