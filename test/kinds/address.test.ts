import { address } from "../../provider/kinds/address";
import { validate } from "../../provider/validate";
import { answers, netns } from "./answers";

const mark = "hostnet:a1b2:c3";
const context = { mark, owner: "a1b2", was: [] };
const plain = { namespace: "blue", device: "eth0", address: "10.0.1.2/24" };

const info = (local: string, more: object = {}) => ({ family: "inet", local, prefixlen: 24, scope: "global", ...more });
// As `ip -j -d address show` of iproute2 6.1 prints them.
const primary = info("10.0.1.1", { broadcast: "10.0.1.255", label: "eth0", valid_life_time: 4294967295 });
const secondary = info("10.0.1.2", { secondary: true, label: "eth0" });
const link = (...addr_info: object[]) => ({
  ifindex: 2,
  ifname: "eth0",
  flags: ["UP"],
  operstate: "UP",
  mtu: 1500,
  addr_info,
});

const want = (args: object) => {
  const { value, failures } = validate(address.args, args);
  expect(failures).toEqual([]);
  return value as never;
};

const look = (args: object, ...addresses: object[]) => {
  const parsed = want(args);
  const seen = answers(address.observe(parsed), { netns: netns("blue"), "links@blue": [link(...addresses)] });
  return address.find(parsed, seen);
};

const argv = (steps: { argv: string[] }[]) => steps.map((step) => step.argv.join(" "));

test("adds the address, with all that was said of it", () => {
  expect(look(plain, primary)).toBeUndefined();
  expect(address.converge(want(plain), undefined, context)).toEqual([
    { argv: ["ip", "address", "add", "10.0.1.2/24", "dev", "eth0"], namespace: "blue" },
  ]);
  const full = { address: "10.0.1.2/32", peer: "10.0.1.9", scope: "link", label: "eth0:1" };
  expect(argv(address.converge(want({ ...plain, address: full }), undefined, context))).toEqual([
    "ip address add 10.0.1.2 peer 10.0.1.9/32 scope link label eth0:1 dev eth0",
  ]);
  expect(argv(address.converge(want({ ...plain, address: "FD00::1/64" }), undefined, context))).toEqual([
    "ip address add fd00::1/64 dev eth0 nodad",
  ]);
});

test("is done when it is there; foreign ones do not count", () => {
  const live = look(plain, primary, secondary);
  expect(live).toMatchObject({ args: plain, facts: { scope: "global", secondary: true }, marks: [] });
  expect(address.converge(want(plain), live, context)).toEqual([]);
});

test("another scope is another birth, and the secondary addresses that go with a primary one are given back", () => {
  const scoped = { ...plain, address: { address: "10.0.1.1/24", scope: "link" } };
  const live = look(scoped, primary, secondary);
  expect(live?.args.address).toEqual({ address: "10.0.1.1/24", scope: "global" });
  expect(argv(address.converge(want(scoped), live, context))).toEqual([
    "ip address add 10.0.1.1/32 dev eth0",
    "ip address add 10.0.1.2/32 dev eth0",
    "ip address del 10.0.1.1/24 dev eth0",
    "ip address add 10.0.1.1/24 scope link dev eth0",
    "ip address replace 10.0.1.2/24 scope global label eth0 dev eth0",
    "ip address del 10.0.1.1/32 dev eth0",
    "ip address del 10.0.1.2/32 dev eth0",
  ]);
});

test("takes away its own only, and says which address of the host itself goes", () => {
  const live = look(plain, primary, secondary);
  expect(argv(address.remove(live as never, want(plain), context))).toEqual(["ip address del 10.0.1.2/24 dev eth0"]);
  const { namespace: _, ...root } = plain;
  const parsed = want(root);
  const found = address.find(parsed, answers(address.observe(parsed), { links: [link(secondary)] }));
  expect(address.remove(found as never, parsed, context)).toMatchObject([
    { loses: [{ address: "10.0.1.2/24", secondary: true }] },
  ]);
});

test("waits for duplicate address detection, and says when it failed", () => {
  const six = { ...plain, address: { address: "fd00::1/64", nodad: false } };
  const tentative = info("fd00::1", { family: "inet6", prefixlen: 64, tentative: true });
  expect(look(six, tentative)?.pending).toBe("duplicate address detection");
  const down = answers(address.observe(want(six)), {
    netns: netns("blue"),
    "links@blue": [{ ...link(tentative), operstate: "LOWERLAYERDOWN" }],
  });
  expect(address.find(want(six), down)?.pending).toBeUndefined();
  const failed = look(six, { ...tentative, dadfailed: true });
  expect(failed?.pending).toBeUndefined();
  expect(() => address.converge(want(six), failed, context)).toThrow(/another machine on eth0's link has fd00::1\/64/);
});

test("absent with its device or namespace", () => {
  const parsed = want(plain);
  const gone = answers(address.observe(parsed), { netns: netns("red") });
  expect(address.find(parsed, gone)).toBeUndefined();
  expect(look({ ...plain, device: "eth9" }, primary)).toBeUndefined();
});

test("several on one device go together, but not with the list of the link, nor twice", () => {
  expect(address.claims(want(plain))).toEqual([
    "shared addresses of device eth0 in namespace blue",
    "address 10.0.1.2/24 of device eth0 in namespace blue",
  ]);
  // Of IPv6 the kernel has an address once, whatever its prefix length and peer.
  expect(address.claims(want({ ...plain, address: "fd00::1/64" }))[1]).toBe(
    "address fd00::1 of device eth0 in namespace blue",
  );
});
