import type { Sample, Update } from "../sample";

const service = "hostnet-lldp:s-ll";
const socket = `/run/pulumi-hostnet/services/${service}/data/socket`;
const shows = `lldpcli -u ${socket} show configuration`;
const command = `systemctl cat ${service}.service`;
const told = (to: unknown, expect: RegExp, configure?: string): Update => ({
  to,
  shows,
  expect,
  drift: configure && `lldpcli -u ${socket} configure ${configure}`,
});
const flag = (to: unknown, expect: RegExp): Update => ({ to, shows: command, expect });

export const lldp: Sample = {
  kind: "Lldp",
  needs: [{ kind: "Namespace", args: { name: "s-ll" } }],
  args: { namespace: "s-ll" },
  exists: `systemctl is-active -q ${service}.service && ip netns pids s-ll | grep -qx $(systemctl show -P MainPID ${service}.service)`,
  vanish: `systemctl stop ${service}.service; rm -rf /run/pulumi-hostnet/services/${service}`,
  updates: {
    devices: told(["s-ll0"], /Interface pattern: s-ll0/, "system interface pattern s-ll9"),
    systemName: told("node a", /Override system name with: node a/, "system hostname other"),
    systemDescription: told("a, b", /Override description with: a, b/, "system description other"),
    platform: told("lab", /Override platform with: lab/),
    chassisId: told("c1", /Override chassis ID with: c1/),
    txInterval: told(7, /Transmit delay: 7/, "lldp tx-interval 9"),
    txHold: told(3, /Transmit hold: 3/, "lldp tx-hold 5"),
    portId: told("ifname", /Port ID TLV subtype for LLDP frames: ifname/),
    agentType: told("nearest-customer-bridge", /Agent type: +nearest customer bridge/),
    managementAddresses: told(["10.*", "!fd00:*"], /management addresses: 10\.\*,!fd00:\*/),
    maxNeighbors: told(5, /Maximum number of neighbors: 5/),
    receiveOnly: told(true, /Receive mode: yes/),
    advertiseVersion: told(false, /Advertise version: no/),
    cdp: flag(true, / -c\b/),
    edp: flag(true, / -e\b/),
    fdp: flag(true, / -f\b/),
    sonmp: flag(true, / -s\b/),
    medClass: flag(2, / -M 2/),
    running: {
      to: false,
      apart: true,
      shows: `systemctl is-active ${service}.service`,
      expect: /^inactive$/m,
      removed: /^active$/m,
      drift: `systemctl start ${service}.service`,
    },
  },
  replaces: { namespace: "s-ll2" },
  invalid: [
    { args: { systemName: 'a"b' }, path: "systemName", text: /without quotes/ },
    { args: { txInterval: 0 }, path: "txInterval", text: /1 to 3600/ },
    { args: { devices: [] }, path: "devices", text: /one device or more/ },
    { args: { managementAddresses: ["a b"] }, path: "managementAddresses[0]", text: /pattern/ },
    { args: { medClass: 5 }, path: "medClass", text: /1 to 4/ },
  ],
};
