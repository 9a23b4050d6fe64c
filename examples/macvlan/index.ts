import * as hostnet from "pulumi-hostnet";
import { labHost, machines } from "../hosts";

// Several MACs on one NIC, each in a namespace, without a bridge: `bridge` ports reach each other, `private` ones do not.
const host = labHost(0);
const nic = new hostnet.Interface("nic", { host, name: machines[0].interfaces.external });

const modes = { open: "bridge", closed: "private" } as const;
for (const name of ["open", "closed"] as const) {
  for (const index of [1, 2]) {
    const namespace = new hostnet.Namespace(`${name}${index}`, { host });
    new hostnet.Macvlan(`${name}${index}/${name}${index}`, {
      parent: nic,
      namespace,
      mode: modes[name],
      addresses: [`10.50.${name === "open" ? 1 : 2}.${index}/24`],
    });
  }
}

export const proof = [{ host: host.name, namespace: "open1", to: "10.50.1.2", says: "its sibling on the same NIC" }];
