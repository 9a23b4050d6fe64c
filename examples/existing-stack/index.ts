import * as pulumi from "@pulumi/pulumi";
import * as hostnet from "pulumi-hostnet";
import { labHost } from "../hosts";

// The library in a program that has components, configuration and resources of its own: hostnet's are resources like
// any other, so that they take part in components, transformations, aliases, protection and outputs.
const config = new pulumi.Config();
const tenants = config.getObject<string[]>("tenants") || ["red", "green"];

class Tenant extends pulumi.ComponentResource {
  readonly gateway: pulumi.Output<string>;

  constructor(name: string, host: hostnet.Host, subnet: string, opts?: pulumi.ComponentResourceOptions) {
    super("example:index:Tenant", name, {}, opts);
    const namespace = new hostnet.Namespace(name, { host, sysctls: { "net.ipv4.ip_forward": 1 } }, { parent: this });
    const bridge = new hostnet.LinuxBridge(`br-${name}`, { host, addresses: [`${subnet}.254/24`] }, { parent: this });
    const cable = new hostnet.VethPair(
      `${name}-cable`,
      {
        a: { name: "eth0", namespace, addresses: [`${subnet}.1/24`] },
        b: { name: `port-${name}`, bridge },
      },
      { parent: this },
    );
    new hostnet.Route(
      `${name}-default`,
      { namespace, to: "default", via: `${subnet}.254` },
      { parent: this, dependsOn: cable },
    );
    this.gateway = pulumi.interpolate`${subnet}.254`;
    this.registerOutputs({ gateway: this.gateway });
  }
}

const host = labHost(0);
export const gateways = tenants.map((name, index) => new Tenant(name, host, `10.60.${index + 1}`).gateway);
export const proof = [{ host: host.name, namespace: tenants[0], to: "10.60.1.254", says: "its gateway on the bridge" }];
