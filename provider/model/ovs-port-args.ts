import { z } from "zod";
import { ipv6Rules } from "./link-ipv6";
import { type OvsColumn, reservedIn } from "./ovs-columns";
import { deviceNameTaken, deviceShape } from "./ovs-device";
import { externalIdsArgument, textMap, vlanTag } from "./ovs-port";
import { qosArgument } from "./ovs-qos";
import { between, distinct, interfaceName, macAddress, mtu, namespaceRef, refersTo, unsigned } from "./scalars";

// Columns, keys and defaults: ovs-vswitchd.conf.db(5) of 3.1, tables Port and Interface.
export const portColumns: OvsColumn[] = [
  { path: "tag", column: "tag", as: "number" },
  { path: "trunks", column: "trunks", as: "list", default: [] },
  { path: "cvlans", column: "cvlans", as: "list", default: [] },
  { path: "vlanMode", column: "vlan_mode", as: "text" },
  { path: "protected", column: "protected", as: "boolean", default: false, full: true },
  { path: "transient", column: "other_config", key: "transient", as: "boolean", default: false },
  { path: "bond.mode", column: "bond_mode", as: "text" },
  { path: "bond.lacp", column: "lacp", as: "text" },
  { path: "bond.upDelay", column: "bond_updelay", as: "number", default: 0, full: true },
  { path: "bond.downDelay", column: "bond_downdelay", as: "number", default: 0, full: true },
  { path: "bond.lacpTime", column: "other_config", key: "lacp-time", as: "text", default: "slow" },
  { path: "bond.lacpFallback", column: "other_config", key: "lacp-fallback-ab", as: "boolean", default: false },
  { path: "bond.lacpSystemId", column: "other_config", key: "lacp-system-id", as: "text" },
  { path: "bond.lacpSystemPriority", column: "other_config", key: "lacp-system-priority", as: "number" },
  { path: "bond.primary", column: "other_config", key: "bond-primary", as: "text" },
  { path: "bond.detectMode", column: "other_config", key: "bond-detect-mode", as: "text", default: "carrier" },
  { path: "bond.miimonInterval", column: "other_config", key: "bond-miimon-interval", as: "number" },
  { path: "bond.rebalanceInterval", column: "other_config", key: "bond-rebalance-interval", as: "number" },
  { path: "bond.hashBasis", column: "other_config", key: "bond-hash-basis", as: "number" },
  { path: "bond.allMembersActive", column: "other_config", key: "all-members-active", as: "boolean", default: false },
];

export const interfaceColumns: OvsColumn[] = [
  { path: "interface.ofportRequest", column: "ofport_request", as: "number", rebuilds: true },
  { path: "interface.ingressPolicing.rate", column: "ingress_policing_rate", as: "number", default: 0, full: true },
  { path: "interface.ingressPolicing.burst", column: "ingress_policing_burst", as: "number", default: 0, full: true },
];

const milliseconds = (doc: string) => unsigned(32).optional().describe(`${doc}, in milliseconds.`);

const bond = z
  .strictObject({
    members: z
      .array(interfaceName)
      .min(2, "must have at least two members")
      .refine(...distinct("member"))
      .describe("The devices that are bonded, at least two; exactly these."),
    mode: z
      .enum(["active-backup", "balance-slb", "balance-tcp"])
      .optional()
      .describe(
        "How packets are spread (`bond_mode`); balance-tcp needs LACP. Default of Open vSwitch: active-backup.",
      ),
    lacp: z
      .enum(["active", "passive", "off"])
      .optional()
      .describe("Link aggregation control protocol (`lacp`). Default of Open vSwitch: off."),
    lacpTime: z
      .enum(["fast", "slow"])
      .optional()
      .describe("Heartbeats every 1 s or 30 s (`lacp-time`). Default: slow."),
    lacpFallback: z
      .boolean()
      .optional()
      .describe(
        "Be active-backup while the partner speaks no LACP (`lacp-fallback-ab`), instead of off. Default: false.",
      ),
    lacpSystemId: macAddress
      .optional()
      .describe("The LACP system id, a MAC address (`lacp-system-id`). Default of Open vSwitch: the bridge's."),
    lacpSystemPriority: between(1, 65535)
      .optional()
      .describe(
        "The LACP system priority (`lacp-system-priority`), 1 to 65535; the lower decides. Default of Open vSwitch: 65534.",
      ),
    upDelay: milliseconds("Time for which a member must be up before it is used (`bond_updelay`). Default: 0"),
    downDelay: milliseconds("Time for which a member must be down before it is left (`bond_downdelay`). Default: 0"),
    primary: interfaceName
      .optional()
      .describe("The member that is active whenever it is up (`bond-primary`), with active-backup."),
    detectMode: z
      .enum(["carrier", "miimon"])
      .optional()
      .describe("How a dead link is noticed (`bond-detect-mode`). Default of Open vSwitch: carrier."),
    miimonInterval: milliseconds(
      "Time between two looks at the MII with detectMode miimon (`bond-miimon-interval`). Default of Open vSwitch: 200",
    ),
    rebalanceInterval: between(0, 2 ** 31 - 1)
      .optional()
      .describe(
        "Time between two rebalancings (`bond-rebalance-interval`), in milliseconds; 0 for none. Default of Open vSwitch: 10000.",
      ),
    hashBasis: unsigned(32)
      .optional()
      .describe("Hashed along with flows when a member is chosen (`bond-hash-basis`). Default of Open vSwitch: 0."),
    allMembersActive: z
      .boolean()
      .optional()
      .describe("Take broadcasts from secondary members too, with balance-slb (`all-members-active`). Default: false."),
  })
  .describe("The devices of a bond and how they work together; with type bond only.");

const policing = z
  .strictObject({
    rate: unsigned(32).describe(
      "What is received faster than this is dropped (`ingress_policing_rate`), in kbit/s; 0 for no limit.",
    ),
    burst: unsigned(32)
      .optional()
      .describe(
        "What may come at once (`ingress_policing_burst`), in kbit. Default of Open vSwitch: 0, which is 8000.",
      ),
  })
  .describe("A limit on what the bridge receives from the port, so on what the device behind it sends.");

const iface = z
  .strictObject({
    externalIds: externalIdsArgument("interface").describe(
      "Identifiers for other programs on the interface (`external_ids`), as { 'iface-id': … , 'attached-mac': … } for Neutron and OVN.",
    ),
    options: textMap({})
      .optional()
      .describe("Options of the interface's type (`options`). Keys that others set stay; a removed key of ours goes."),
    ofportRequest: between(1, 65279)
      .optional()
      .describe("The OpenFlow port number to ask for (`ofport_request`), 1 to 65279. Default: the next free one."),
    mac: z
      .union([z.literal("kernel"), macAddress])
      .optional()
      .describe(
        "MAC address of an internal port (`mac`). Default: derived from owner, namespace and name, so that a rebuilt port keeps it; `kernel` leaves it to Open vSwitch, which takes a random one.",
      ),
    mtu: mtu
      .optional()
      .describe(
        "MTU in bytes (`mtu_request`), 68 to 65535. Default of Open vSwitch: of an internal port the lowest of the bridge's other ports, of a system port as the device has it. One that is declared counts for that too: with 1400 here the bridge's own port and internal ports without one come down to 1400; give them theirs where they must not.",
      ),
    ingressPolicing: policing.optional(),
  })
  .describe("What belongs to the port's one interface; not with type bond.");

const internalOnly = ["namespace", "up", "addresses", "addressesExact", "ipv6", "interface.mac"] as const;

export const ovsPortArgs = z
  .strictObject({
    bridge: refersTo(interfaceName, "OvsBridge").describe("The Open vSwitch bridge. A change replaces the port."),
    name: interfaceName.describe(
      "The port's name, 1 to 15 characters: of a system port the device's, which must be there; of an internal port the one to make. Default: the last part of the resource's name after '/'.",
    ),
    type: z
      .enum(["system", "internal", "bond"])
      .default("system")
      .describe(
        "`system`: a device that something else makes, in the host's own namespace; a NIC loses its addresses' use by that. `internal`: a device that Open vSwitch makes. `bond`: several devices as one. Default: system. A change replaces the port.",
      ),
    tag: vlanTag
      .optional()
      .describe(
        "VLAN of an access port, or the native VLAN (`tag`), 0 to 4095; 0 is untagged, 4095 a dead port. Default: none, so the port is a trunk.",
      ),
    trunks: z
      .array(vlanTag)
      .refine(...distinct("VLAN"))
      .optional()
      .describe("VLANs that a trunk carries (`trunks`), 0 to 4095 each. Default of Open vSwitch: all."),
    cvlans: z
      .array(vlanTag)
      .refine(...distinct("VLAN"))
      .optional()
      .describe(
        "Customer VLANs that a dot1q-tunnel port carries (`cvlans`), 0 to 4095 each. Default of Open vSwitch: all.",
      ),
    vlanMode: z
      .enum(["access", "native-tagged", "native-untagged", "trunk", "dot1q-tunnel"])
      .optional()
      .describe("What `tag` and `trunks` mean (`vlan_mode`). Default of Open vSwitch: access with a tag, else trunk."),
    bond: bond.optional(),
    protected: z
      .boolean()
      .optional()
      .describe("Protected ports do not reach each other (`protected`). Default of Open vSwitch: false."),
    transient: z
      .boolean()
      .optional()
      .describe(
        "The port goes at `ovs-ctl start --delete-transient-ports` (`other_config:transient`), which Debian does not do by itself. Default: false.",
      ),
    qos: qosArgument.optional(),
    otherConfig: textMap(
      Object.fromEntries(
        Object.entries(reservedIn(portColumns, "other_config")).map(([key, path]) => [
          key,
          `use the argument \`${path}\``,
        ]),
      ),
    )
      .optional()
      .describe(
        "More settings of the port (`other_config`), as { 'stp-path-cost': 100 }. Keys that others set stay; a removed key of ours goes.",
      ),
    externalIds: externalIdsArgument("port"),
    interface: iface.optional(),
    addressesToBridge: z
      .boolean()
      .optional()
      .describe(
        "With type system: the addresses and routes that systemd-networkd gives the device go to the bridge's device, now and at boot, in files of ours in /etc/systemd/network; deleted, or with false, the device gets them back. Refused where they come from DHCP, NetworkManager or ifupdown; nothing is done where nobody manages the device. Default: they stay where they are of no use.",
      ),
    namespace: namespaceRef
      .optional()
      .describe(
        "The network namespace of an internal port's device. It is made in the host's own and then moved; after a reboot it is moved again. A VethPair and a system port survive more. A change replaces the port.",
      ),
    ...deviceShape,
    up: deviceShape.up.unwrap().optional().describe("An internal port's device is administratively up. Default: true."),
  })
  .superRefine((want, issues) => {
    const refuse = (path: string, message: string) =>
      issues.addIssue({ code: "custom", path: path.split("."), message });
    const { name, type, tag, trunks, vlanMode } = want;
    const taken = type === "internal" ? deviceNameTaken(name, want.namespace) : undefined;
    if (taken) refuse("name", taken);
    for (const [path, text] of ipv6Rules({ ...want, mtu: want.interface?.mtu })) {
      refuse(path === "mtu" ? "interface.mtu" : path, text);
    }
    if (name === want.bridge) refuse("name", "must not be the bridge's: its own port belongs to OvsBridge");
    if ((type === "bond") !== (want.bond !== undefined)) refuse("bond", "must be given with type bond, and only then");
    if (type === "bond" && want.interface) refuse("interface", "must not be given with type bond");
    if (type !== "system" && want.addressesToBridge !== undefined) {
      refuse("addressesToBridge", `must not be given with type ${type}`);
    }
    if (type !== "internal") {
      for (const path of internalOnly) {
        const given = path === "interface.mac" ? want.interface?.mac : want[path];
        if (given !== undefined)
          refuse(path, `must not be given with type ${type}: the device belongs to what makes it`);
      }
    }
    if (want.namespace !== undefined) {
      const why = "must not be given with a namespace: Open vSwitch does not reach a device there; use a VethPair";
      if (want.qos) refuse("qos", why);
      if (want.interface?.ingressPolicing) refuse("interface.ingressPolicing", why);
    }
    if (vlanMode === "trunk" && tag !== undefined) refuse("tag", "must not be given with vlanMode trunk");
    const access = vlanMode === "access" || (vlanMode === undefined && tag !== undefined);
    if (access && trunks && trunks.length > 0)
      refuse(
        "trunks",
        "must not be given for an access port: with a tag, vlanMode must be native-tagged or native-untagged",
      );
  });

export type OvsPortArgs = z.output<typeof ovsPortArgs>;
