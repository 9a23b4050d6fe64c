import { Seen } from "../../provider/host/seen";
import type { Hop } from "../../provider/model/trace-graph";
import { reasonFor } from "../../provider/model/trace-reasons";
import type { CountedLink, View } from "../../provider/model/trace-view";

// As `ip -d -j link` shows a bridge and its one port after `stp_state 1` (Linux 6.1): it has no carrier until a port forwards.
const view = { host: { name: "n1", machineId: "n1" }, seen: new Seen(new Map()) } as unknown as View;
const hop = (link: object, direction: Hop["direction"]): Hop => {
  const { ifname: name } = link as CountedLink;
  return { point: { view, name, link: link as CountedLink }, direction };
};
const port = (state: string, flags = ["UP", "LOWER_UP"]) =>
  hop(
    { ifname: "p1", flags, master: "br0", linkinfo: { info_slave_kind: "bridge", info_slave_data: { state } } },
    "rx",
  );
const bridge = (flags: string[]) => hop({ ifname: "br0", flags, linkinfo: { info_kind: "bridge" } }, "rx");

test.each([
  [port("learning"), bridge(["NO-CARRIER", "UP"]), "p1 on n1 is learning (bridge port state)"],
  [port("disabled", ["NO-CARRIER", "UP"]), bridge(["NO-CARRIER", "UP"]), "p1 on n1 has no carrier"],
  [port("disabled"), bridge(["NO-CARRIER", "UP"]), "p1 on n1 is disabled (bridge port state)"],
])("the port of a bridge without carrier is to blame", (before, at, reason) => {
  const after = () => new Seen(new Map());
  expect(reasonFor({ before, at, size: 84, resolving: true, answering: false, after })).toBe(reason);
});
