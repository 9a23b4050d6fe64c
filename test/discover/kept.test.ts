import { keptIn, keptSections } from "../../provider/discover/kept";
import { linksSection } from "../../provider/model/link-state";
import { answers } from "../kinds/answers";

const link = (ifname: string, link_type = "ether") => ({ ifname, link_type, flags: ["UP"], addr_info: [] });
const links = ["lo", "px", "py", "br0", "vx0"].map((name) => link(name)).concat(link("wg0", "none"));

/** As a host answers (iproute2 6.1): one line for each list of a batch. */
function told(answer: Record<string, string>, isManaged: (device: string) => boolean = () => false) {
  const seen = answers([linksSection, ...keptSections(undefined)], { links, ...answer });
  return keptIn(seen, undefined, isManaged).map(({ type, name, why }) => `${type} ${name}: ${why}`);
}

const lines = (...lists: object[][]) => lists.map((list) => `${JSON.stringify(list)}\n`).join("");
const netconf = (device: string, more: object = {}, family = "inet") => ({
  ...{ family, interface: device, forwarding: false, rp_filter: "loose", mc_forwarding: false, proxy_neigh: false },
  ...{ ignore_routes_with_linkdown: false, ...more },
});

const labels =
  "::1/128 0,::/96 3,::ffff:0.0.0.0/96 4,2001::/32 6,2001:10::/28 7,3ffe::/16 12,2002::/16 2,fec0::/10 11,fc00::/7 5,::/0 1"
    .split(",")
    .map((text) => {
      const [, address, prefixlen, label] = /^(.*)\/(\d+) (\d+)$/.exec(text) ?? [];
      return { address, prefixlen: Number(prefixlen), label: Number(label) };
    });

test("what `ip` keeps beside devices is told where somebody has set it", () => {
  const all = lines(
    [
      { id: 12, blackhole: null, flags: [] },
      { id: 13, gateway: "10.50.0.2", dev: "py", scope: "link", protocol: "static", flags: [] },
      { id: 14, gateway: "10.50.0.3", dev: "py", scope: "link", protocol: "zebra", flags: [] },
    ],
    [...labels, { address: "2001:db8::", prefixlen: 32, label: 77 }],
    [
      { token: "::", ifname: "py" },
      { token: "::5", ifname: "px" },
    ],
    [
      {
        ifindex: 43,
        ifname: "py",
        maddr: [{ link: "33:33:00:00:00:01" }, { link: "33:33:00:00:00:55", features: "static" }],
      },
    ],
    [
      ...[netconf("all", { forwarding: true }), netconf("default"), netconf("lo", { rp_filter: "off" }), netconf("py")],
      ...[netconf("px", { rp_filter: "strict", proxy_neigh: true }), netconf("default", {}, "inet6")],
      ...[netconf("px", { forwarding: true }, "inet6"), { family: "mpls", interface: "px", input: true }],
    ],
    [
      { port: 7778, gue: null, family: "inet" },
      { port: 7777, ipproto: 47, family: "inet" },
    ],
  );
  expect(told({ "kept:ip": all })).toEqual([
    "kernel nexthop objects: no resource declares id 12, id 13",
    "kernel address labels: no resource declares 2001:db8::/32 77",
    "token px: no resource declares ::5",
    "multicast address py: no resource declares 33:33:00:00:00:55",
    "kernel parameter px: not as new devices have it, and not described: rp_filter strict (inet), proxy_neigh on (inet), forwarding on (inet6); a Sysctl can declare it",
    "kernel FOU ports: no resource declares 7778 ipproto gue, 7777 ipproto 47",
  ]);
  // Who manages a device sees to what hangs on it; what a kernel lacks is refused, and has no line.
  const managed = told({ "kept:ip": lines([{ token: "::5", ifname: "px" }]) }, (device) => device === "px");
  expect(managed).toEqual([]);
});

test("what a bridge forwards by hand is told, and nothing learned", () => {
  const mdb = [
    { index: 42, dev: "br0", port: "px", grp: "239.1.1.1", state: "permanent", flags: [], vid: 1 },
    { index: 42, dev: "br0", port: "px", grp: "ff02::1:ff04:8688", state: "temp", flags: [] },
  ];
  const tunnels = [{ ifname: "vx0", tunnels: [{ vlan: 10, tunid: 100 }] }];
  // On a host without a bridge, which says so.
  expect(told({ "kept:bridge": `${lines([])}[{"mdb":[\n` })).toEqual([]);
  expect(told({ "kept:bridge": lines(tunnels, [{ mdb, router: {} }]) })).toEqual([
    "multicast entry br0: no resource declares 239.1.1.1 port px vid 1",
    "VLANs of tunnels vx0: no resource declares vid 10 tunnel_info id 100",
  ]);
});

test("rules of the old iptables are told where they do something, IPsec and how addresses are made", () => {
  const rules = "family ip\n*filter\n:INPUT ACCEPT [1:2]\n:FORWARD DROP [0:0]\n-A INPUT -j DROP\nCOMMIT\n";
  const ipsec = "\t SPD IN  1 OUT 1 FWD 0\n\t SAD count 2\n";
  const mode = (device: string, value: number) => `/proc/sys/net/ipv6/conf/${device}/addr_gen_mode ${value}\n`;
  const answer = rules + mode("px", 1) + mode("wg0", 1) + mode("default", 3) + ipsec;
  expect(told({ "kept:more": answer })).toEqual([
    "kernel rules of the old iptables: no resource declares 2 in ip filter",
    "kernel IPsec: no resource declares 2 of ip xfrm policy, 2 of ip xfrm state",
    "addrgenmode px: no resource declares none",
  ]);
  const idle = "family ip\n*filter\n:INPUT ACCEPT [1:2]\nCOMMIT\n\t SPD IN  0 OUT 0 FWD 0\n\t SAD count 0\n";
  expect(told({ "kept:more": idle })).toEqual([]);
  // Where iptables is the new one, what it saves are tables of nftables.
  expect(told({ "kept:more": `# Generated by iptables-save v1.8.9 (nf_tables)\n${rules}` })).toEqual([]);
});
