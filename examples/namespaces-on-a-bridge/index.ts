import * as hostnet from "pulumi-hostnet";
import { labHost } from "../hosts";

// net0 and net1 reach each other through the bridge `br`, which lives in a namespace of its own: nobody outside sees it.
const host = labHost(0);
const inside = new hostnet.Namespace("bridge", { host });
const br = new hostnet.LinuxBridge("br", { host, namespace: inside });

const cables = [0, 1].map((index) => {
  const net = new hostnet.Namespace(`net${index}`, { host });
  return new hostnet.VethPair(`net${index}-bridge`, {
    a: { name: "eth0", namespace: net, addresses: [`10.0.0.${index + 1}/24`] },
    b: { name: `bridge-net${index}`, namespace: inside, bridge: br },
  });
});

new hostnet.ConnectivityCheck(
  "net0-net1",
  { host, namespace: "net0", to: "10.0.0.2", triggers: cables.map((cable) => cable.id) },
  { dependsOn: cables },
);

export const proof = [{ host: host.name, namespace: "net0", to: "10.0.0.2", says: "net1, across the bridge" }];
