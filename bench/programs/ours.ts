import * as hostnet from "../../provider";
import { specFromEnv } from "../spec";

/** The workload as a user writes it. */
const { hosts, links } = specFromEnv();
for (const login of hosts) {
  const host = new hostnet.Host(login.name, login);
  const bridges = new Map<string, hostnet.LinuxBridge>();
  for (const link of links) {
    const name = `${login.name}/${link.name}`;
    if (link.kind === "LinuxBridge") {
      bridges.set(link.name, new hostnet.LinuxBridge(name, { host }));
    } else {
      const { near, far } = link;
      new hostnet.VethPair(name, {
        host,
        a: { name: near.name, addresses: [near.address] },
        b: { name: far.name, bridge: bridges.get(far.bridge) ?? far.bridge },
      });
    }
  }
}
