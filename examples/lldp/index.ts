import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

// Two namespaces joined by a cable. Each tells the other its name and port by LLDP, as switches do: `live.neighbors`
// says who is at the other end.
const host = labHost(0);
const names = ["left", "right"];
const [left, right] = names.map((name) => new hostnet.Namespace(name, { host }));

const cable = new hostnet.VethPair("cable", {
  a: { name: "port-left", namespace: left, addresses: ["10.0.4.1/24"] },
  b: { name: "port-right", namespace: right, addresses: ["10.0.4.2/24"] },
});

const talkers = [left, right].map(
  (namespace, index) =>
    new hostnet.Lldp(
      names[index],
      { namespace, devices: [`port-${names[index]}`], systemName: names[index], portId: "ifname", txInterval: 2 },
      { dependsOn: cable },
    ),
);

export const neighbors = talkers.map(({ live }) => live.neighbors);
export const proof = [{ host: machines[0].name, namespace: left.name, to: "10.0.4.2", says: "the cable's other end" }];
