import type { Drawn, DrawnOn } from "../../provider/graph/build";
import type { Picture } from "../../provider/graph/drawn";
import { kinds } from "../../provider/kinds";
import { validate } from "../../provider/validate";

/** Arguments as a program gives them, in normal form. Throws Error when they are none. */
export function drawn(host: string, kind: string, args: Record<string, unknown>, more: Partial<Drawn> = {}): Drawn {
  const spec = kinds[kind];
  const { value, failures } = spec ? validate(spec.args, args) : { value: args, failures: [] };
  if (!value) throw new Error(`${kind}: ${JSON.stringify(failures)}`);
  return { host, kind, title: `${host}/${args.name ?? args.device ?? kind}`, args: value, ...more };
}

/** Nodes as OpenStack has them, a full mesh of tunnels between them, and guests on br-int: 5 objects a guest. */
export function cloud(nodes: number, guests: number): Picture {
  const address = (node: number) => `10.199.0.${node + 1}`;
  const all = [...Array(nodes).keys()];
  const resources = all.flatMap((node) => {
    const one = (kind: string, args: Record<string, unknown>) => drawn(`n${node + 1}`, kind, args);
    const others = all.filter((other) => other !== node);
    return [
      one("Interface", { name: "eth1", addresses: [`${address(node)}/24`] }),
      one("OvsBridge", { name: "br-int" }),
      one("OvsBridge", { name: "br-tun" }),
      one("OvsPatch", { a: { bridge: "br-int", name: "patch-tun" }, b: { bridge: "br-tun", name: "patch-int" } }),
      ...others.map((other) =>
        one("OvsTunnel", {
          ...{ name: `gre-${other + 1}`, bridge: "br-tun", type: "gre", key: 100 },
          ...{ local: address(node), remote: address(other) },
        }),
      ),
      ...[...Array(guests).keys()].flatMap((guest) => {
        const [name, port, ip] = [`guest${guest + 1}`, `port${guest + 1}`, `10.0.${node}.${guest + 1}`];
        return [
          one("Namespace", { name }),
          one("VethPair", { a: { name: "eth0", namespace: name, addresses: [`${ip}/16`] }, b: { name: port } }),
          one("OvsPort", { name: port, bridge: "br-int", tag: 10 + (guest % 3) }),
          one("Route", { namespace: name, to: "default", via: "10.0.255.254" }),
          one("Sysctl", { namespace: name, key: "net.ipv4.ip_forward", value: "0" }),
        ];
      }),
    ];
  });
  const on = all.map((node): DrawnOn => ({ host: `n${node + 1}`, args: { address: address(node) } }));
  return { drawn: resources, on };
}
