import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { specFromEnv } from "../spec";

/**
 * The same resources with the same inputs, without our library: BENCH_HANDLER says what the engine has to call.
 * What is not declared has the defaults that our `check` writes into the state.
 */
const handler = join(__dirname, "..", "contenders", "handlers");
const providerText = `exports.handler=()=>require(${JSON.stringify(handler)}).${process.env.BENCH_HANDLER}`;

class StandIn extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly machineId: pulumi.Output<string>;
  declare readonly owner: pulumi.Output<string>;
  declare readonly epoch: pulumi.Output<string>;

  constructor(kind: string, name: string, properties: pulumi.Inputs) {
    super(
      `pulumi-nodejs:dynamic/hostnet:${kind}`,
      name,
      { ...properties, __provider: providerText },
      { deleteBeforeReplace: true },
    );
  }
}

const learned = { machineId: undefined, owner: undefined, epoch: undefined };
const { hosts, links } = specFromEnv();
for (const login of hosts) {
  const defaults = { become: "sudo", commandTimeout: 60, identity: "machineId" };
  const host = new StandIn("Host", login.name, { ...login, ...defaults, ...learned });
  const leaves = {
    ...login,
    ...defaults,
    name: host.name,
    machineId: host.machineId,
    owner: host.owner,
    epoch: host.epoch,
  };
  const common = { host: leaves, revision: undefined, live: undefined };
  const bridges = new Map<string, StandIn>();
  for (const link of links) {
    const title = `${login.name}/${link.name}`;
    if (link.kind === "LinuxBridge") {
      bridges.set(link.name, new StandIn(link.kind, title, { ...common, name: link.name, up: true, parents: {} }));
    } else {
      const { near, far } = link;
      const bridge = bridges.get(far.bridge)?.name ?? far.bridge;
      new StandIn(link.kind, title, {
        ...common,
        a: { name: near.name, addresses: [near.address], up: true },
        b: { name: far.name, bridge, up: true },
        parents: { "b.bridge": bridge },
      });
    }
  }
}
