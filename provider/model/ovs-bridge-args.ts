import { z } from "zod";
import { ipv6Rules } from "./link-ipv6";
import { type OvsColumn, reservedIn } from "./ovs-columns";
import { deviceNameTaken, deviceShape, mtuColumn } from "./ovs-device";
import { externalIdsArgument, textMap } from "./ovs-port";
import { distinct, interfaceName, macAddress, mtu } from "./scalars";

// Tables and defaults: ovs-vswitchd.conf.db(5) of 3.1.
export const bridgeColumns: OvsColumn[] = [
  { path: "failMode", column: "fail_mode", as: "text" },
  { path: "datapathType", column: "datapath_type", as: "text", default: "system", full: true, rebuilds: true },
  { path: "protocols", column: "protocols", as: "list", default: [] },
  { path: "stp", column: "stp_enable", as: "boolean", default: false, full: true },
  { path: "rstp", column: "rstp_enable", as: "boolean", default: false, full: true },
  { path: "mcastSnooping", column: "mcast_snooping_enable", as: "boolean", default: false, full: true },
  { path: "datapathId", column: "other_config", key: "datapath-id", as: "text" },
];
export const bridgeMtu = [mtuColumn("mtu")];
export const hwaddr = { column: "other_config", key: "hwaddr" };

const controller = z
  .string()
  .regex(
    /^((tcp|ssl):[^\s,"']+|(ptcp|pssl):[^\s,"']*|p?unix:[^\s,"']+)$/,
    "must be tcp:, ssl:, ptcp:, pssl:, unix: or punix: with an address, as tcp:192.0.2.1:6653",
  );

export const ovsBridgeArgs = z
  .strictObject({
    name: interfaceName.describe(
      "The bridge's name, and that of its own port and device, 1 to 15 characters. Default: the last part of the resource's name after '/'.",
    ),
    failMode: z
      .enum(["secure", "standalone"])
      .optional()
      .describe(
        "What the bridge does without a controller (`fail_mode`): `standalone` switches like a learning switch, `secure` does only what flows say, and drops everything while there are none. A change takes away all flows, groups and meters. Default of Open vSwitch: standalone.",
      ),
    datapathType: z
      .enum(["system", "netdev"])
      .optional()
      .describe(
        "Who forwards the packets (`datapath_type`): `system`, the kernel's module, or `netdev`, ovs-vswitchd itself. A change replaces the bridge: what is on it is made anew. Default of Open vSwitch: system.",
      ),
    protocols: z
      .array(z.enum(["OpenFlow10", "OpenFlow11", "OpenFlow12", "OpenFlow13", "OpenFlow14", "OpenFlow15"]))
      .refine(...distinct("version"))
      .optional()
      .describe(
        "OpenFlow versions that the bridge speaks (`protocols`). Without OpenFlow10 a plain `ovs-ofctl` fails and needs `-O`. Default of Open vSwitch: all.",
      ),
    controllers: z
      .array(controller)
      .refine(...distinct("controller"))
      .optional()
      .describe(
        "OpenFlow controllers, as `tcp:192.0.2.1:6653`; exactly these. The first one to come and the last one to go take away all flows. Default of Open vSwitch: none.",
      ),
    stp: z
      .boolean()
      .optional()
      .describe(
        "Run the spanning tree protocol (`stp_enable`). Turned off, Open vSwitch 3.1 goes on to flood nothing to patch ports: `ovs-ofctl mod-port BRIDGE PORT no-flood`, then `flood`, mends that. Default of Open vSwitch: false.",
      ),
    rstp: z
      .boolean()
      .optional()
      .describe("Run the rapid spanning tree protocol (`rstp_enable`), not together with `stp`. Default: false."),
    mcastSnooping: z
      .boolean()
      .optional()
      .describe(
        "Forward multicast only where it is listened to (`mcast_snooping_enable`). Default of Open vSwitch: false.",
      ),
    mac: z
      .union([z.literal("kernel"), macAddress])
      .optional()
      .describe(
        "MAC address of the bridge's own port (`other_config:hwaddr`); the datapath id follows it. Default: derived from owner and name, so that a rebuilt bridge keeps it; `kernel` leaves it to Open vSwitch, which takes the lowest of the ports'.",
      ),
    mtu: mtu
      .optional()
      .describe(
        "MTU of the bridge's own port in bytes (`mtu_request`), 68 to 65535. Default of Open vSwitch: the lowest of the ports'. Internal ports without an MTU of their own come down to this one.",
      ),
    datapathId: z
      .string()
      .regex(/^(?!0{16})[0-9a-f]{16}$/, "must be 16 hex digits in lower case, not all zeros")
      .optional()
      .describe(
        "OpenFlow datapath id, 16 hex digits (`other_config:datapath-id`). Default of Open vSwitch: from the MAC address.",
      ),
    otherConfig: textMap({
      ...Object.fromEntries(Object.entries(reservedIn(bridgeColumns, "other_config")).map(useArgument)),
      hwaddr: "use the argument `mac`",
    })
      .optional()
      .describe(
        "More settings (`other_config`), as { 'mac-aging-time': 600, 'forward-bpdu': true }. Keys that others set stay; a removed key of ours goes.",
      ),
    externalIds: externalIdsArgument("bridge"),
    ...deviceShape,
  })
  .superRefine(({ name, stp, rstp, ...device }, issues) => {
    const taken = deviceNameTaken(name, undefined);
    if (taken) issues.addIssue({ code: "custom", path: ["name"], message: taken });
    if (stp && rstp) issues.addIssue({ code: "custom", path: ["rstp"], message: "must not be true together with stp" });
    for (const [path, message] of ipv6Rules(device)) issues.addIssue({ code: "custom", path: [path], message });
  });

function useArgument([key, path]: [string, string]): [string, string] {
  return [key, `use the argument \`${path}\``];
}

export type OvsBridgeArgs = z.output<typeof ovsBridgeArgs>;
