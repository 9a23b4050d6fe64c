import type { Sample } from "../sample";

const table = "ip -n s-nb neighbour show dev s-nbr";
const made =
  "for n in s-nb s-nb2; do ip netns add $n; ip -n $n link add name s-nbr type bridge; ip -n $n link set dev s-nbr up; done; " +
  "ip -n s-nb link add name s-nbr2 type bridge";

const answersIn = (namespace: string) => ({
  netns: [{ name: namespace }],
  [`links@${namespace}`]: [{ ifname: "s-nbr", flags: ["UP"], link_type: "ether", addr_info: [] }],
  [`ipv6@${namespace}`]: "/proc/sys/net/ipv6/conf/s-nbr/disable_ipv6:0\n",
});

/** A permanent neighbour of IPv6, which alone has routers among them. */
export const neighbor: Sample = {
  kind: "Neighbor",
  before: made,
  after: "ip netns del s-nb; ip netns del s-nb2",
  answers: answersIn("s-nb"),
  args: { namespace: "s-nb", device: "s-nbr", address: "fd00:96::2", mac: "02:00:00:00:96:02" },
  exists: `${table} nud permanent | grep -q '^fd00:96::2 '`,
  vanish: "ip -n s-nb neighbour del fd00:96::2 dev s-nbr",
  updates: {
    mac: {
      to: "02:00:00:00:96:03",
      shows: `${table} nud permanent`,
      expect: /^fd00:96::2 lladdr 02:00:00:00:96:03 .*PERMANENT/m,
      drift: "ip -n s-nb neighbour replace fd00:96::2 lladdr 02:00:00:00:96:04 dev s-nbr nud permanent",
    },
    router: {
      to: true,
      shows: `${table} nud permanent`,
      expect: /^fd00:96::2 .* router PERMANENT/m,
      removed: /^fd00:96::2 (?!.*router).*PERMANENT/m,
      drift: "ip -n s-nb neighbour replace fd00:96::2 lladdr 02:00:00:00:96:02 dev s-nbr nud permanent",
    },
  },
  replaces: { namespace: "s-nb2", device: "s-nbr2", address: "10.96.0.2", proxy: true },
  replacesTogether: { proxy: { mac: undefined } },
  invalid: [
    { args: { address: "ff02::1" }, path: "address", text: /address of one host/ },
    { args: { address: "224.0.0.1" }, path: "address", text: /address of one host/ },
    { args: { address: "255.255.255.255" }, path: "address", text: /address of one host/ },
    { args: { address: "0.0.0.0" }, path: "address", text: /address of one host/ },
    { args: { address: "::" }, path: "address", text: /address of one host/ },
    { args: { address: "10.96.0.2/24" }, path: "address", text: /must be an IPv4 or IPv6 address/ },
    { args: { mac: "01:00:5e:00:00:01" }, path: "mac", text: /must be unicast/ },
    { args: { mac: undefined }, path: "mac", text: /is required, unless it is a `proxy`/ },
    { args: { proxy: true }, path: "mac", text: /must not be given with `proxy`/ },
    { args: { address: "10.96.0.2", router: true }, path: "router", text: /is of IPv6 addresses only/ },
  ],
};

const proxies = "ip -n s-nbp neighbour show proxy dev s-nbr";

export const neighborProxy: Sample = {
  kind: "Neighbor",
  before: "ip netns add s-nbp; ip -n s-nbp link add name s-nbr type bridge; ip -n s-nbp link set dev s-nbr up",
  after: "ip netns del s-nbp",
  answers: answersIn("s-nbp"),
  args: { namespace: "s-nbp", device: "s-nbr", address: "fd00:96::3", proxy: true },
  exists: `${proxies} | grep -q '^fd00:96::3 '`,
  vanish: "ip -n s-nbp neighbour del proxy fd00:96::3 dev s-nbr",
  updates: {
    router: {
      to: true,
      shows: proxies,
      expect: /^fd00:96::3 .*router/m,
      removed: /^fd00:96::3 (?!.*router)/m,
      drift: "ip -n s-nbp neighbour replace proxy fd00:96::3 dev s-nbr",
    },
  },
  replaces: {},
  invalid: [],
};
