import { declareHost } from "../helpers/declare";
import { host } from "../helpers/lab";

/** What a test changes of the cloud. */
export interface Variant {
  /** Rules of the group `web`, beside echo requests; the text of an array. */
  rules?: string;
  /** The guest that the floating IP leads to: of the router of blue, or of that of red. */
  floating?: "blue1" | "blue2" | "red1";
  /** The tunnel id of blue. */
  segment?: number;
  /** More of the program. */
  more?: string;
}

/** `outside` is a machine of the network outside: a namespace that the test has on n1's external card. */
export const outsideIp = "203.0.113.99";
export const floatingIp = "203.0.113.20";
export const routerIp = { blue: "203.0.113.10", red: "203.0.113.11" };

/** TCP 22 from members of the group, TCP 8000 to 8090 and UDP 9999 from anybody. */
export const webRules = (more = '{ direction: "ingress", protocol: "tcp", ports: 22, remoteGroup: "self" },') => `[
  ${more}
  { direction: "ingress", protocol: "tcp", ports: "8000-8090" },
  { direction: "ingress", protocol: "udp", ports: 9999 },
]`;

/**
 * A compute node n1 and a network node n2. Tenants blue and red have the same addresses; green is blue's second network.
 * Local VLANs of blue differ on the two nodes; it has IPv6 as well.
 */
export const cloudProgram = ({
  rules = webRules(),
  floating = "blue1",
  segment = 100,
  more = "",
}: Variant = {}): string => `
const hostnet = require("pulumi-hostnet");
const { neutron } = hostnet;
const hosts = [${declareHost("n1")}, ${declareHost("n2")}];
const nics = ["${host("n1").interfaces.underlay}", "${host("n2").interfaces.underlay}"];
hosts.forEach((host, at) => new hostnet.Interface("underlay" + at, { host, name: nics[at], addresses: ["10.199.0." + (at + 1) + "/24"] }));

const cloud = new neutron.Cloud("cloud");
const n1 = new neutron.ComputeNode("n1", { cloud, host: hosts[0], tunnelAddress: "10.199.0.1" });
const n2 = new neutron.NetworkNode("n2", {
  cloud, host: hosts[1], tunnelAddress: "10.199.0.2",
  physicalNetworks: { public: { bridge: "br-ex", interface: "${host("n2").interfaces.external}" } },
});
const network = (name, segmentationId, extra = {}) => new neutron.Network(name, { cloud, segmentationId, ...extra });
const blue = network("blue", ${segment}, { localVlan: { n1: 11, n2: 12 } });
const red = network("red", 200);
const green = network("green", 5000, { localVlan: 50 });
const pool = { range: "10.0.0.100-10.0.0.120" };
const blueNet = new neutron.Subnet("blue-v4", { network: blue, cidr: "10.0.0.0/24", dhcp: pool });
new neutron.Subnet("blue-v6", { network: blue, cidr: "fd00:100::/64", dhcp: false });
const redNet = new neutron.Subnet("red-v4", { network: red, cidr: "10.0.0.0/24", dhcp: false });
const greenNet = new neutron.Subnet("green-v4", { network: green, cidr: "10.0.1.0/24", dhcp: false });

const echo = { direction: "ingress", protocol: "icmp", icmpType: 8 };
const web = new neutron.SecurityGroup("web", { cloud, rules: [echo, ...${rules}] });
const quiet = new neutron.SecurityGroup("quiet", {
  cloud, allowEgress: false, rules: [echo, { direction: "egress", protocol: "tcp", ports: 8080 }],
});
const guest = (name, node, network, addresses, extra = {}, addressing = "static") =>
  new neutron.Instance(name, {
    node, guest: { type: "namespace", addressing }, ports: [{ network, addresses, securityGroups: [web], ...extra }],
  });
const machine = (name, guest, address) =>
  new neutron.Instance(name, { node: n1, guest, ports: [{ network: blue, addresses: [address], securityGroups: [web] }] });
const nobodys = { securityGroups: undefined };
const guests = {
  blue1: guest("blue1", n1, blue, ["10.0.0.10", "fd00:100::10"]),
  blue2: guest("blue2", n2, blue, ["10.0.0.11", "fd00:100::11"]),
  blue3: guest("blue3", n1, blue, ["10.0.0.12", "fd00:100::12"]),
  red1: guest("red1", n1, red, ["10.0.0.10"]),
  red2: guest("red2", n2, red, ["10.0.0.11"]),
  green2: guest("green2", n2, green, ["10.0.1.11"]),
  // Of no group: nobody may begin anything with it, and it is no member for others.
  loner: guest("loner", n1, blue, ["10.0.0.30", "fd00:100::30"], nobodys),
  // It may begin nothing but TCP 8080.
  muted: guest("muted", n1, blue, ["10.0.0.31"], { securityGroups: [quiet] }),
  // What the others must not send, it may: the control of the proofs that nothing arrives.
  open1: guest("open1", n1, blue, ["10.0.0.32", "fd00:100::32"], { ...nobodys, portSecurity: false }),
  // They get their addresses by DHCP, one on each node.
  dhcp1: guest("dhcp1", n1, blue, undefined, nobodys, "dhcp"),
  dhcp2: guest("dhcp2", n2, blue, undefined, nobodys, "dhcp"),
  // Of the one the TAP is ours, of the other that of who starts it.
  vm1: machine("vm1", { type: "tap", owner: "ops" }, "10.0.0.40"),
  vm2: machine("vm2", "external", "10.0.0.41"),
};

const outside = new neutron.Network("public", { cloud, physicalNetwork: "public", localVlan: 4000 });
const outsideNet = new neutron.Subnet("public-v4", { network: outside, cidr: "203.0.113.0/24", gateway: "${outsideIp}", dhcp: false });
const router = (name, subnets, address, own) =>
  new neutron.Router(name, {
    cloud, subnets, external: { subnet: outsideNet, address },
    floatingIps: own.includes("${floating}") ? [{ address: "${floatingIp}", to: guests.${floating} }] : [],
  });
router("blue-router", [blueNet, greenNet], "${routerIp.blue}", ["blue1", "blue2"]);
router("red-router", [redNet], "${routerIp.red}", ["red1"]);
${more}
exports.macs = Object.fromEntries(Object.entries(guests).map(([name, { ports }]) => [name, ports[0].mac]));
`;
