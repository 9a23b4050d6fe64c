import type { Sample, Update } from "../sample";
import { macvlanSample } from "./macvlan";

const common = macvlanSample("Macvtap", "macvtap");
const node = "/dev/tap$(cat /sys/class/net/s-macvtap/ifindex)";

const ofNode = (to: unknown, format: string, expect: RegExp, removed: RegExp, drift: string): Update => ({
  to,
  shows: `stat -c '${format}' ${node}`,
  expect,
  removed,
  drift: `${drift} ${node}`,
});

export const macvtap: Sample = {
  ...common,
  updates: {
    ...common.updates,
    owner: ofNode("nobody", "%U", /^nobody$/m, /^root$/m, "chown daemon"),
    group: ofNode(65534, "%g", /^65534$/m, /^0$/m, "chgrp daemon"),
    permissions: ofNode("0660", "%a", /^660$/m, /^600$/m, "chmod 666"),
    txQueueLength: {
      to: 77,
      shows: "ip link show dev s-macvtap",
      expect: /qlen 77/,
      removed: /qlen 500/,
      drift: "ip link set dev s-macvtap txqueuelen 78",
    },
  },
  invalid: [
    ...common.invalid,
    { args: { permissions: "rw" }, path: "permissions", text: /octal/ },
    { args: { owner: -1 }, path: "owner", text: /0 to/ },
    { args: { group: "no body" }, path: "group", text: /account on the host/ },
  ],
};
