import { route } from "../../provider/kinds/route";
import { validate } from "../../provider/validate";
import { answers, netns } from "./answers";

const context = { mark: "hostnet:a1b2:c3", owner: "a1b2", was: [] as object[] };
const plain = { namespace: "blue", to: "10.9.0.0/16", via: "10.0.1.2" };

// `ip -N -j -d route show table all` of iproute2 6.1 on Linux 6.18.
const four = [
  {
    type: "1",
    dst: "default",
    gateway: "10.0.1.2",
    dev: "d0",
    table: "100",
    protocol: "3",
    scope: "0",
    prefsrc: "10.0.1.1",
    metric: 50,
    flags: [],
  },
  {
    type: "1",
    dst: "10.0.1.0/24",
    dev: "d0",
    table: "254",
    protocol: "2",
    scope: "253",
    prefsrc: "10.0.1.1",
    flags: [],
  },
  {
    type: "1",
    dst: "10.9.0.0/16",
    gateway: "10.0.1.2",
    dev: "d0",
    table: "254",
    protocol: "4",
    scope: "0",
    flags: [],
    metrics: [{ mtu: 1400, advmss: 1300, initcwnd: 10 }],
  },
  { type: "6", dst: "10.10.0.0/16", table: "254", protocol: "3", scope: "0", flags: [] },
  {
    type: "1",
    dst: "10.11.0.0/16",
    table: "254",
    protocol: "3",
    scope: "0",
    flags: [],
    nexthops: [
      { gateway: "10.0.1.2", dev: "d0", weight: 2, flags: [] },
      { gateway: "10.0.2.2", dev: "d1", weight: 1, flags: [] },
    ],
  },
  {
    type: "1",
    dst: "10.12.0.1",
    gateway: "192.0.2.1",
    dev: "d0",
    table: "254",
    protocol: "3",
    scope: "0",
    flags: ["onlink"],
  },
  {
    type: "1",
    dst: "10.13.0.0/16",
    via: { family: "inet6", host: "fe80::1" },
    dev: "d0",
    table: "254",
    protocol: "3",
    scope: "0",
    flags: [],
  },
  {
    type: "2",
    dst: "127.0.0.1",
    dev: "lo",
    table: "255",
    protocol: "2",
    scope: "254",
    prefsrc: "127.0.0.1",
    flags: [],
  },
];
const six = [
  {
    type: "1",
    dst: "default",
    gateway: "fd00:1::2",
    dev: "d0",
    table: "254",
    protocol: "3",
    scope: "0",
    metric: 1024,
    flags: [],
    pref: "medium",
  },
  {
    type: "7",
    dst: "fd00:a::/64",
    dev: "lo",
    table: "254",
    protocol: "3",
    scope: "0",
    metric: 1024,
    flags: [],
    pref: "medium",
  },
  {
    type: "1",
    dst: "fd00:9::/64",
    gateway: "fd00:1::2",
    dev: "d0",
    table: "254",
    protocol: "4",
    scope: "0",
    metric: 1024,
    flags: [],
    pref: "medium",
  },
  {
    type: "1",
    dst: "fd00:9::/64",
    dev: "d0",
    table: "254",
    protocol: "3",
    scope: "0",
    metric: 1024,
    flags: [],
    pref: "medium",
  },
  { type: "1", dst: "fd00:b::1", gateway: "fe80::1", dev: "d0", table: "254", protocol: "4", scope: "0", metric: 7 },
];

const want = (args: object) => {
  const { value, failures } = validate(route.args, args);
  expect(failures).toEqual([]);
  return value as never;
};

const look = (args: object, lists = { "routes4@blue": four, "routes6@blue": six }) => {
  const parsed = want(args);
  return route.find(parsed, answers(route.observe(parsed), { netns: netns("blue"), ...lists }));
};

const todo = (args: object, was: object[] = []) =>
  steps(route.converge(want(args), look(args), { ...context, was: was as never }));
const create = (args: object) => steps(route.converge(want(args), undefined, context));
const steps = (list: { argv: string[] }[]) => list.map((step) => step.argv.join(" "));

describe("makes", () => {
  test.each<[object, string]>([
    [{ to: "10.9.0.0/16", via: "10.0.1.2" }, "unicast 10.9.0.0/16 table main metric 0 proto static via 10.0.1.2"],
    [{ to: "0.0.0.0/0", device: "eth0", metric: 7 }, "unicast default table main metric 7 proto static dev eth0"],
    [
      { to: "::/0", via: "FE80::1", device: "eth0" },
      "unicast ::/0 table main metric 1024 proto static via fe80::1 dev eth0",
    ],
    [{ to: "10.9.0.1", type: "local", device: "lo" }, "local 10.9.0.1/32 table local metric 0 proto static dev lo"],
    [{ to: "10.9.0.0/16", type: "blackhole", table: 100 }, "blackhole 10.9.0.0/16 table 100 metric 0 proto static"],
    [
      { to: "10.9.0.0/16", via: "fe80::1", device: "d0" },
      "unicast 10.9.0.0/16 table main metric 0 proto static via inet6 fe80::1 dev d0",
    ],
    [
      {
        ...plain,
        device: "d0",
        onlink: true,
        scope: "site",
        source: "10.0.1.1",
        mtu: 1400,
        advmss: 1300,
        initcwnd: 9,
        initrwnd: 8,
      },
      "unicast 10.9.0.0/16 table main metric 0 proto static scope site src 10.0.1.1 mtu 1400 advmss 1300 initcwnd 9 initrwnd 8 via 10.0.1.2 dev d0 onlink",
    ],
    [
      { to: "10.9.0.0/16", nexthops: [{ via: "10.0.1.2", weight: 2 }, { device: "d1" }] },
      "unicast 10.9.0.0/16 table main metric 0 proto static nexthop via 10.0.1.2 weight 2 nexthop dev d1 weight 1",
    ],
  ])("%j", (args, words) => expect(create(args)).toEqual([`ip route add ${words}`]));
});

describe("is done when the kernel shows it", () => {
  test.each([
    plain,
    { ...plain, device: "d0", mtu: 1400, advmss: 1300, scope: "global", table: 254 },
    { namespace: "blue", to: "default", table: 100, metric: 50, via: "10.0.1.2", source: "10.0.1.1" },
    { namespace: "blue", to: "10.10.0.0/16", type: "blackhole" },
    {
      namespace: "blue",
      to: "10.11.0.0/16",
      nexthops: [
        { via: "10.0.2.2", device: "d1" },
        { via: "10.0.1.2", weight: 2 },
      ],
    },
    { namespace: "blue", to: "10.12.0.1", via: "192.0.2.1", device: "d0", onlink: true },
    { namespace: "blue", to: "10.13.0.0/16", via: "fe80::1", device: "d0" },
    { namespace: "blue", to: "::/0", via: "fd00:1::2" },
    { namespace: "blue", to: "::/0", via: "fd00:1::2", metric: 1024 },
    { namespace: "blue", to: "fd00:a::/64", type: "unreachable" },
    { namespace: "blue", to: "fd00:b::1", via: "fe80::1", device: "d0", metric: 7 },
    { namespace: "blue", to: "127.0.0.1/32", type: "local", device: "lo" },
  ])("%j", (args) => {
    expect(look(args)).toBeDefined();
    expect(todo(args)).toEqual([]);
  });
});

test("another metric or table is another route", () => {
  expect(look({ ...plain, metric: 5 })).toBeUndefined();
  expect(look({ ...plain, table: 100 })).toBeUndefined();
  expect(look({ namespace: "blue", to: "default", via: "10.0.1.2" })).toBeUndefined();
});

test("a change replaces the whole route", () => {
  expect(todo({ ...plain, via: "10.0.1.3", mtu: 1200 })).toEqual([
    "ip route replace unicast 10.9.0.0/16 table main metric 0 proto static mtu 1200 via 10.0.1.3",
  ]);
  expect(todo({ namespace: "blue", to: "10.9.0.0/16", type: "prohibit" }, [plain])).toEqual([
    "ip route replace prohibit 10.9.0.0/16 table main metric 0 proto static",
  ]);
});

test("what was declared and is no more goes: resets say it with empty values, the scope is the kernel's again", () => {
  expect(route.reset).toMatchObject({ mtu: 0, source: "", nexthops: [], onlink: false, via: "" });
  const reset = { ...(want(plain) as object), mtu: 0, source: "" } as never;
  expect(steps(route.converge(reset, look(plain), context))).toEqual([
    "ip route replace unicast 10.9.0.0/16 table main metric 0 proto static via 10.0.1.2",
  ]);
  const direct = { namespace: "blue", to: "10.0.1.0/24", device: "d0" };
  expect(todo(direct, [{ scope: "site" }])).toEqual([]);
  expect(todo({ ...plain, scope: "site" })).toHaveLength(1);
});

test("of an IPv6 destination the kernel may keep several routes: those beside ours go", () => {
  expect(todo({ namespace: "blue", to: "fd00:9::/64", via: "fd00:1::2" })).toEqual([
    "ip route del unicast fd00:9::/64 table main metric 1024 dev d0",
  ]);
});

test("shows live values in the words of the arguments", () => {
  expect(look({ namespace: "blue", to: "10.11.0.0/16", via: "10.0.1.2" })?.args).toMatchObject({
    nexthops: [
      { via: "10.0.1.2", device: "d0", weight: 2 },
      { via: "10.0.2.2", device: "d1" },
    ],
  });
  expect(look(plain)).toMatchObject({
    args: { to: "10.9.0.0/16", via: "10.0.1.2", device: "d0", table: "main", metric: 0, mtu: 1400, scope: "global" },
    facts: { device: "d0", protocol: "static" },
  });
});

test("takes away exactly what is there", () => {
  const removal = (args: object) => steps(route.remove(look(args) as never, want(args), context));
  expect(removal(plain)).toEqual(["ip route del unicast 10.9.0.0/16 table main metric 0 via 10.0.1.2 dev d0"]);
  expect(removal({ namespace: "blue", to: "10.13.0.0/16", via: "fe80::1", device: "d0" })).toEqual([
    "ip route del unicast 10.13.0.0/16 table main metric 0 via inet6 fe80::1 dev d0",
  ]);
  expect(removal({ namespace: "blue", to: "fd00:a::/64", type: "unreachable" })).toEqual([
    "ip route del unreachable fd00:a::/64 table main metric 1024",
  ]);
});

test("a route of the host itself says what becomes of it, for the sake of our own connection; others say nothing", () => {
  const live = [{ ...four[0], table: "254", metric: undefined }];
  const args = want({ to: "default", via: "10.0.2.2", device: "d1" });
  const found = route.find(args, answers(route.observe(args), { routes4: live }));
  const what = { to: "default", table: "main", metric: 0 };
  expect(route.converge(args, found, context)).toMatchObject([
    { routes: [{ ...what, hops: [{ via: "10.0.2.2", device: "d1" }] }] },
  ]);
  expect(route.remove(found as never, args, context)).toMatchObject([{ routes: [{ ...what, removed: true }] }]);
  const sink = want({ to: "fd00:9::/64", type: "blackhole", table: 77 });
  expect(route.converge(sink, undefined, context)[0]?.routes).toEqual([
    { to: "fd00:9::/64", table: 77, metric: 1024, hops: [] },
  ]);
  expect(route.converge(want(plain), undefined, context)[0]?.routes).toBeUndefined();
});

test("absent with its namespace; two spellings claim one route", () => {
  const parsed = want(plain);
  expect(route.find(parsed, answers(route.observe(parsed), { netns: [] }))).toBeUndefined();
  expect(route.claims(want({ to: "0.0.0.0/0", via: "10.0.0.1" }))).toEqual(
    route.claims(want({ to: "default", via: "10.0.0.2", table: 254, metric: 0 })),
  );
});

test("a default route that a router has told stays beside ours, and is not taken for it", () => {
  const args = { namespace: "blue", to: "::/0", via: "fd00::1", device: "d0" };
  const declared = want(args);
  const own = { type: "1", dst: "default", gateway: "fd00::1", dev: "d0", table: "254", protocol: "4", metric: 1024 };
  const told = { ...own, gateway: "fe80::1", protocol: "9", expires: 1798 };
  const seen = (...routes: object[]) => look(args, { "routes4@blue": [], "routes6@blue": routes } as never);
  const both = seen(told, own);
  expect(both?.args).toMatchObject({ via: "fd00::1" });
  expect(route.converge(declared, both as never, context)).toEqual([]);
  expect(route.remove(both as never, declared, context).map(({ argv }) => argv.join(" "))).toEqual([
    "ip route del unicast ::/0 table main metric 1024 via fd00::1 dev d0",
  ]);
  // Ours is gone: what is left is nothing that we would remove, and the next `up` puts ours beside it.
  const alone = seen(told);
  expect(route.remove(alone as never, declared, context)).toEqual([]);
  expect(route.converge(declared, alone as never, context).map(({ argv }) => argv.slice(0, 3).join(" "))).toEqual([
    "ip route replace",
  ]);
});

test("a type whose table is another one replaces the route; where the table is said, it changes in place", () => {
  const replaces = (was: object, now: object) =>
    route.replaces?.(want({ ...direct, ...was }), want({ ...direct, ...now }));
  const direct = { to: "10.9.0.0/16", device: "d0" };
  expect(replaces({}, { type: "local" })).toEqual(["type"]);
  expect(replaces({}, { type: "multicast" })).toEqual([]);
  expect(replaces({ table: 7 }, { table: 7, type: "local" })).toEqual([]);
});
