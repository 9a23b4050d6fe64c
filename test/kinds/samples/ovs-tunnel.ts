import type { Sample, Update } from "../sample";

/** A key of the interface's options; nothing is printed of one that is not there. */
const option = (to: unknown, key: string, printed: string, args?: Record<string, unknown>): Update => ({
  to,
  ...(args && { with: args }),
  shows: `ovs-vsctl --if-exists get Interface s-tun options:${key}`,
  expect: new RegExp(`^"?${printed}"?$`, "m"),
  removed: /^\s*$/,
  drift: `ovs-vsctl remove Interface s-tun options ${key}`,
});

export const ovsTunnel: Sample = {
  kind: "OvsTunnel",
  needs: ["s-ovs", "s-ovs2"].map((name) => ({ kind: "OvsBridge", args: { name } })),
  args: { bridge: "s-ovs", name: "s-tun", type: "vxlan", remote: "192.0.2.2" },
  exists: "test $(ovs-vsctl get Interface s-tun type) = vxlan",
  vanish: "ovs-vsctl del-port s-tun",
  updates: {
    local: option("192.0.2.1", "local_ip", "192.0.2.1"),
    remote: {
      ...option("192.0.2.3", "remote_ip", "192.0.2.3"),
      removed: undefined,
      drift: 'ovs-vsctl set Interface s-tun options:remote_ip=\\"192.0.2.9\\"',
    },
    key: option("flow", "key", "flow"),
    inKey: option(5, "in_key", "5"),
    outKey: option(6, "out_key", "6"),
    dstPort: option(4790, "dst_port", "4790"),
    checksum: option(true, "csum", "true"),
    dontFragment: option(false, "df_default", "false"),
    tos: option("inherit", "tos", "inherit"),
    ttl: option(7, "ttl", "7"),
    packetMark: option(9, "egress_pkt_mark", "9"),
    packetType: option("ptap", "packet_type", "ptap", { extensions: "gpe", dstPort: 4791 }),
    // All VXLAN tunnels of a host with one UDP port have the same extension.
    extensions: option("gbp", "exts", "gbp", { dstPort: 4792 }),
    tag: {
      to: 4,
      shows: "ovs-vsctl get Port s-tun tag",
      expect: /^4$/m,
      removed: /^\[\]$/m,
      drift: "ovs-vsctl set Port s-tun tag=5",
    },
    ofportRequest: {
      to: 99,
      shows: "ovs-vsctl get Interface s-tun ofport ofport_request",
      expect: /^99\n99$/m,
      removed: /^\d+\n\[\]$/m,
      drift: "ovs-vsctl set Interface s-tun ofport_request=98",
    },
    externalIds: {
      to: { a: "b" },
      shows: "ovs-vsctl --if-exists get Port s-tun external_ids:a",
      expect: /^b$/m,
      removed: /^\s*$/,
      drift: "ovs-vsctl set Port s-tun external_ids:a=c",
    },
  },
  replaces: { name: "s-tun2", bridge: "s-ovs2", type: "geneve" },
  invalid: [
    { args: { key: 2 ** 24 }, path: "key", text: /2\^24/ },
    { args: { remote: "010.0.0.1" }, path: "remote", text: /leading zeros/ },
    { args: { tos: 3 }, path: "tos", text: /multiple of 4/ },
    { args: { local: "flow" }, path: "local", text: /remote is flow/ },
  ],
};

/** What only GRE has. */
export const ovsGre: Sample = {
  ...ovsTunnel,
  args: { bridge: "s-ovs", name: "s-tun-gre", type: "gre", remote: "192.0.2.2" },
  exists: "test $(ovs-vsctl get Interface s-tun-gre type) = gre",
  vanish: "ovs-vsctl del-port s-tun-gre",
  updates: {
    sequence: {
      ...option(true, "seq", "true"),
      shows: "ovs-vsctl --if-exists get Interface s-tun-gre options:seq",
      drift: "ovs-vsctl remove Interface s-tun-gre options seq",
    },
  },
  replaces: {},
  invalid: [],
};
