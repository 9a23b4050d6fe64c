import type { Sample } from "../sample";

const dump = "ovs-ofctl -O OpenFlow14 --no-stats --names dump-flows s-flow";

const base = [
  { priority: 1, match: 'in_port="s-flow-p"', actions: "resubmit(,4)" },
  { table: 4, match: "tun_id=0x64", actions: "mod_vlan_vid:7,resubmit(,10)" },
  {
    table: 10,
    priority: 1,
    actions:
      "learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[])",
  },
];

const extra = { table: 22, match: "dl_vlan=7", actions: 'strip_vlan,set_tunnel:0x64,output:"s-flow-p"' };

export const ovsFlows: Sample = {
  kind: "OvsFlows",
  needs: [
    { kind: "OvsBridge", args: { name: "s-flow", failMode: "secure" } },
    { kind: "OvsPort", args: { bridge: "s-flow", name: "s-flow-p", type: "internal" } },
  ],
  answers: {
    ovsdb: [
      { rows: [] },
      { rows: [{ _uuid: ["uuid", "b"], name: "s-flow", ports: ["uuid", "p"], external_ids: ["map", []] }] },
      { rows: [{ _uuid: ["uuid", "p"], name: "s-flow-p", interfaces: ["uuid", "i"] }] },
      { rows: [{ _uuid: ["uuid", "i"], name: "s-flow-p", ofport: 1 }] },
      ...[{ rows: [] }, { rows: [] }, { rows: [] }],
    ],
    "ovs-vswitchd": "ovs-vswitchd.4711.ctl\n",
  },
  args: { bridge: "s-flow", name: "base", flows: base },
  exists: `${dump} | grep -q 'table=4.*tun_id=0x64'`,
  vanish: "ovs-ofctl -O OpenFlow14 del-flows s-flow && ovs-vsctl remove Bridge s-flow external_ids hostnet-flows-base",
  updates: {
    flows: {
      to: [...base, extra],
      shows: `${dump} table=22`,
      expect: /dl_vlan=7 actions=pop_vlan,set_field:0x64->tun_id,output:"s-flow-p"/,
      removed: /^\s*$/,
      drift: "ovs-ofctl -O OpenFlow14 del-flows s-flow table=22",
    },
  },
  replaces: { bridge: "s-flow2", name: "other" },
  invalid: [
    {
      args: { flows: [{ match: "ip,actions=drop", actions: "drop" }] },
      path: "flows[0].match",
      text: /argument of their own/,
    },
    { args: { flows: [{ match: "table=3", actions: "drop" }] }, path: "flows[0].match", text: /must not have table/ },
    {
      args: { flows: [{ match: "eth, dl_vlan=5", actions: "drop" }] },
      path: "flows[0].match",
      text: /must not have `eth`/,
    },
    { args: { flows: [{ match: "cookie=0x1/-1", actions: "drop" }] }, path: "flows[0].match", text: /cookie/ },
    { args: { flows: [{ actions: "drop\nadd actions=NORMAL" }] }, path: "flows[0].actions", text: /one line/ },
    { args: { flows: [{ actions: "drop # all" }] }, path: "flows[0].actions", text: /comment/ },
    { args: { flows: [{ actions: "learn(table=1,cookie=0x5)" }] }, path: "flows[0].actions", text: /cookie/ },
    { args: { flows: [{ actions: 'output:"x' }] }, path: "flows[0].actions", text: /a second '"'/ },
    { args: { flows: [{ actions: "" }] }, path: "flows[0].actions", text: /drop/ },
    { args: { flows: [{ table: 255, actions: "drop" }] }, path: "flows[0].table", text: /0 to 254.*255/ },
    {
      args: {
        flows: [
          { match: "ip,dl_vlan=5", actions: "drop" },
          { match: "dl_vlan=5, ip", actions: "NORMAL" },
        ],
      },
      path: "flows[1]",
      text: /must differ from flows\[0\]/,
    },
  ],
};
