import { firewallArgs } from "../../provider/model/nft-args";
import { ruleText } from "../../provider/neutron/group-rules";
import { groupRule } from "../../provider/neutron/group-schema";
import { instanceDevices } from "../../provider/neutron/names";
import { type PortPlan, portChains, portSets } from "../../provider/neutron/port-firewall";
import { routerTable } from "../../provider/neutron/router-firewall";
import { validate } from "../../provider/validate";

const words = (rule: unknown) => ruleText(groupRule.parse(rule));

it("writes rules about the packet that began the flow", () => {
  expect(words({ direction: "ingress", protocol: "tcp", ports: 22, remoteCidr: "203.0.113.0/24" })).toEqual([
    "meta protocol ip meta l4proto tcp ct original proto-dst 22 ct original ip saddr 203.0.113.0/24 accept",
  ]);
  expect(words({ direction: "egress", protocol: "udp", ports: "8000-8080", remoteCidr: "fd00::/64" })).toEqual([
    "meta protocol ip6 meta l4proto udp ct original proto-dst 8000-8080 ct original ip6 daddr fd00::/64 accept",
  ]);
});

it("writes a rule for each IP version that it may be about", () => {
  expect(words({ direction: "egress" })).toEqual(["meta protocol ip accept", "meta protocol ip6 accept"]);
  expect(words({ direction: "ingress", remoteGroup: "web" })).toEqual([
    "meta protocol ip ct original ip saddr @group-web-v4 accept",
    "meta protocol ip6 ct original ip6 saddr @group-web-v6 accept",
  ]);
});

it("finds ICMP types where conntrack keeps them", () => {
  expect(words({ direction: "ingress", protocol: "icmp", icmpType: 8 })).toEqual([
    "meta protocol ip meta l4proto icmp ct original proto-dst 2048-2303 accept",
  ]);
  expect(words({ direction: "ingress", protocol: "icmpv6", icmpType: 128, icmpCode: 0 })).toEqual([
    "meta protocol ip6 meta l4proto ipv6-icmp ct original proto-dst 32768 accept",
  ]);
});

it.each([
  [{ protocol: "icmp", ports: 22 }, "ports: need protocol tcp, udp, sctp, dccp, udplite; given was 22"],
  [{ protocol: "tcp", ports: "90-80" }, "ports: must be a range of ports from 1 to 65535"],
  [{ protocol: "tcp", icmpType: 8 }, "icmpType: needs protocol icmp or icmpv6"],
  [{ protocol: "icmp", icmpCode: 1 }, "icmpCode: needs icmpType"],
  [{ protocol: "icmp", remoteCidr: "fd00::/64" }, "ethertype: is required; must fit the protocol and remoteCidr"],
  [{ remoteCidr: "10.0.0.0/8", remoteGroup: "web" }, "remoteGroup: must not be given together with remoteCidr"],
  [{ direction: "sideways" }, 'direction: must be one of "ingress", "egress"'],
])("refuses %j", (rule, message) => {
  const { failures } = validate(groupRule, { direction: "ingress", ...rule });
  expect(failures.map(({ path, reason }) => `${path}: ${reason}`).join("; ")).toContain(message);
});

const mac = "fa:16:3e:01:02:03";
const plan: PortPlan = {
  devices: instanceDevices("web1"),
  zone: 10,
  security: true,
  mac,
  pairs: [
    { mac, address: "10.0.0.10" },
    { mac, address: "fd00::10" },
    { mac: "fa:16:3e:00:00:99", address: "10.0.0.128/28" },
  ],
  rules: [
    { direction: "ingress", protocol: "tcp", ports: 22, remoteGroup: "web" },
    { direction: "ingress", protocol: "tcp", ports: 22, remoteGroup: "web" },
    { direction: "egress" },
  ],
};

it("lets a port's frames into its conntrack zone, its own chains, and never into the host", () => {
  const chains = portChains(plan);
  expect(chains["to-host"]?.rules).toEqual(['iifname { "tapweb1", "qvbweb1" } drop']);
  expect(chains["ct-zone"]).toMatchObject({
    priority: -300,
    rules: ['iifname { "tapweb1", "qvbweb1" } ct zone set 10'],
  });
  expect(chains["from-guest"]).toMatchObject({ hook: "prerouting", rules: ['iifname "tapweb1" jump o'] });
  expect(chains["to-guest"]).toMatchObject({ hook: "forward", rules: ['oifname "tapweb1" jump i'] });
});

it("ends both chains with a drop, and judges answers by the rules of the other direction", () => {
  const { i, o, ...others } = portChains(plan);
  expect(i?.rules.slice(-3)).toEqual(["ct direction reply jump o-rules", "ct direction original jump i-rules", "drop"]);
  expect(o?.rules.slice(-3)).toEqual(["ct direction reply jump i-rules", "ct direction original jump o-rules", "drop"]);
  // A rule that two groups have in common stands there once.
  expect(others["i-rules"]?.rules).toHaveLength(2);
});

it("has only the guest's own pairs of MAC and address in its sets, with the link-local ones", () => {
  const sets = portSets(plan, new Map([["web", ["10.0.0.10", "10.0.0.11", "fd00::10"]]]));
  expect(sets["pairs-v4"]?.elements).toEqual([`${mac} . 10.0.0.10`, "fa:16:3e:00:00:99 . 10.0.0.128/28"]);
  expect(sets["pairs-v6"]?.elements).toEqual([
    `${mac} . fd00::10`,
    `${mac} . fe80::f816:3eff:fe01:203`,
    "fa:16:3e:00:00:99 . fe80::f816:3eff:fe00:99",
  ]);
  expect(sets["group-web-v4"]?.elements).toEqual(["10.0.0.10", "10.0.0.11"]);
  expect(sets["group-web-v6"]?.elements).toEqual(["fd00::10"]);
});

it("has nothing twice in a set, as nft takes no element that overlaps another", () => {
  const pairs = [
    { mac, address: "10.0.0.10" },
    { mac, address: "10.0.0.0/28" },
    { mac: "fa:16:3e:00:00:99", address: "10.0.0.11/32" },
    { mac, address: "fe80::/64" },
  ];
  const sets = portSets({ ...plan, pairs }, new Map([["web", ["10.0.0.10", "10.0.0.0/28", "10.0.0.11"]]]));
  expect(sets["pairs-v4"]?.elements).toEqual([`${mac} . 10.0.0.0/28`, "fa:16:3e:00:00:99 . 10.0.0.11/32"]);
  expect(sets["pairs-v6"]?.elements).toEqual([`${mac} . fe80::/64`, "fa:16:3e:00:00:99 . fe80::f816:3eff:fe00:99"]);
  expect(sets["group-web-v4"]?.elements).toEqual(["10.0.0.0/28"]);
});

it.each(["pairs", "2nd", "web.1", "set"])(
  "names the sets of a group %s as nft takes it, and none as another",
  (remoteGroup) => {
    const sets = portSets(
      { ...plan, rules: [{ direction: "ingress", remoteGroup }] },
      new Map([[remoteGroup, ["10.0.0.9"]]]),
    );
    expect(Object.keys(sets)).toHaveLength(4);
    expect(sets["pairs-v4"]?.elements).toContain(`${mac} . 10.0.0.10`);
    const table = { namespace: "ns", name: "neutron", family: "bridge", sets };
    expect(validate(firewallArgs, table).failures).toEqual([]);
  },
);

it("without port security keeps the guest from the host, and nothing else", () => {
  const open = { ...plan, security: false };
  expect(Object.keys(portChains(open))).toEqual(["to-host"]);
  expect(portSets(open, new Map())).toEqual({});
});

it("translates floating IPs both ways, and all others to the router's own address", () => {
  const floating = [{ address: "203.0.113.20", fixed: "10.0.0.10" }];
  const external = { device: "qg-r1", address: "203.0.113.10" };
  const table = routerTable({ external, snat: true, floating });
  expect(table.maps["floating-in"].elements).toEqual(["203.0.113.20 : 10.0.0.10"]);
  expect(table.maps["floating-out"].elements).toEqual(["10.0.0.10 : 203.0.113.20"]);
  expect(table.sets["floating-pairs"].elements).toEqual(["203.0.113.20 . 10.0.0.10"]);
  // Who calls from outside is not translated: the guest sees who it is.
  expect(table.chains.postrouting.rules[0]).toBe(
    'iifname != "qg-r1" oifname != "qg-r1" ct status dnat snat to 203.0.113.10',
  );
  expect(table.chains.postrouting.rules.at(-1)).toBe('oifname "qg-r1" snat to 203.0.113.10');
  expect(routerTable({ external, snat: false, floating }).chains.postrouting.rules).toHaveLength(2);
});
