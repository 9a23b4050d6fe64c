import type { Sample, Update } from "../sample";
import { running } from "../service";

const service = "hostnet-lldp:s-ll";
const socket = `/run/pulumi-hostnet/services/${service}/data/socket`;
const shows = `lldpcli -u ${socket} show configuration`;
const unit = `/run/pulumi-hostnet/services/${service}/${service}.service`;
const config = `/run/pulumi-hostnet/services/${service}/data/config`;
const command = `systemctl cat ${service}.service`;
const told = (to: unknown, expect: RegExp, configure?: string): Update => ({
  to,
  shows,
  expect,
  drift: configure && `lldpcli -u ${socket} configure ${configure}`,
});
/** What lldpd reads when it starts. */
const changed = (change: string, file: string) => `sed -i '${change}' ${file}`;
const flag = (to: unknown, expect: RegExp, word: string): Update => ({
  to,
  shows: command,
  expect,
  drift: changed(`/^ExecStart/s/ ${word}//`, unit),
});

export const lldp: Sample = {
  kind: "Lldp",
  needs: [{ kind: "Namespace", args: { name: "s-ll" } }],
  args: { namespace: "s-ll" },
  exists: `systemctl is-active -q ${service}.service && ip netns pids s-ll | grep -qx $(systemctl show -P MainPID ${service}.service)`,
  vanish: `systemctl stop ${service}.service; rm -rf /run/pulumi-hostnet/services/${service}`,
  updates: {
    portId: {
      ...told("ifname", /Port ID TLV subtype for LLDP frames: ifname/),
      drift: changed("s/portidsubtype ifname/portidsubtype macaddress/", config),
    },
    receiveOnly: { ...told(true, /Receive mode: yes/), drift: changed("/^ExecStart/s/ -r//", unit) },
    advertiseVersion: { ...told(false, /Advertise version: no/), drift: changed("/^ExecStart/s/ -k//", unit) },
    cdp: flag(true, / -c\b/, "-c"),
    edp: flag(true, / -e\b/, "-e"),
    fdp: flag(true, / -f\b/, "-f"),
    sonmp: flag(true, / -s\b/, "-s"),
    medClass: flag(2, / -M 2/, "-M 2"),
    devices: told(["s-ll0"], /Interface pattern: s-ll0/, "system interface pattern s-ll9"),
    systemName: told("node a", /Override system name with: node a/, "system hostname other"),
    systemDescription: told("a, b", /Override description with: a, b/, "system description other"),
    platform: told("lab", /Override platform with: lab/, "system platform other"),
    chassisId: told("c1", /Override chassis ID with: c1/, "system chassisid c2"),
    txInterval: told(7, /Transmit delay: 7/, "lldp tx-interval 9"),
    txHold: told(3, /Transmit hold: 3/, "lldp tx-hold 5"),
    agentType: told(
      "nearest-customer-bridge",
      /Agent type: +nearest customer bridge/,
      "lldp agent-type nearest-bridge",
    ),
    managementAddresses: told(
      ["10.*", "!fd00:*"],
      /management addresses: 10\.\*,!fd00:\*/,
      "system ip management pattern 10.9.*",
    ),
    maxNeighbors: told(5, /Maximum number of neighbors: 5/, "system max-neighbors 6"),
    running: running(service),
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
