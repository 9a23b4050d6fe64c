import { Seen } from "../../provider/host/seen";
import { rule } from "../../provider/kinds/rule";
import { namespacesSection } from "../../provider/model/namespaces";
import { answers, netns } from "./answers";
import { Bench } from "./steps";

const bench = new Bench(rule, { namespace: "blue", priority: 5 });

// `ip -N -j -d rule show` of iproute2 6.1 on Linux 6.18.
const four = [
  { priority: 0, src: "all", table: "255", protocol: "2" },
  { priority: 5, src: "10.0.0.0", srclen: 8, table: "7", protocol: "241" },
  { priority: 5, src: "10.0.0.0", srclen: 8, table: "7", protocol: "0" },
  { priority: 5, src: "all", table: "7", protocol: "240" },
  {
    ...{ priority: 6, not: null, src: "10.1.1.1", dst: "10.2.0.0", dstlen: 16, tos: "0x10", fwmark: "0x5" },
    ...{ fwmask: "0xff", iif: "lo", oif: "dummy9", oif_detached: null, uid_start: 1000, uid_end: 2000 },
    ...{ ipproto: "ipproto-6", sport_start: 10, sport_end: 20, dport: 80, table: "254", suppress_prefixlen: 0 },
    protocol: "253",
  },
  { priority: 7, src: "all", fwmark: "0x5", table: "1000", suppress_ifgroup: "5", protocol: "0" },
  { priority: 8, src: "all", fwmark: "0", fwmask: "0xff", action: "6", protocol: "241" },
  { priority: 11, src: "all", goto: 100, protocol: "240" },
  { priority: 12, src: "all", nop: null, protocol: "240" },
  { priority: 13, src: "all", l3mdev: null, protocol: "241" },
];
const five = (more: object) => ({ priority: 5, src: "10.0.0.0", srclen: 8, protocol: "241", ...more });
const six = [
  { priority: 6, src: "fd00::1", dst: "fd00:2::", dstlen: 64, ipproto: "ipproto-58", table: "8", protocol: "243" },
];
const seen = { netns: netns("blue"), "rules4@blue": four, "rules6@blue": six };
const none = { netns: netns("blue"), "rules4@blue": [], "rules6@blue": [] };
const inBlue = (step: string) => `ip netns exec blue ip ${step}`;

const everySelector = {
  ...{ priority: 6, not: true, from: "10.1.1.1", to: "10.2.0.0/16", tos: 16, fwmark: 5, fwmask: 255, iif: "lo" },
  ...{ oif: "dummy9", uidRange: "1000-2000", ipProtocol: "tcp", sourcePort: "10-20", destinationPort: 80 },
};

describe("makes, with as high a protocol as it has words", () => {
  test.each<[object, string]>([
    [{}, "-4 rule add priority 5 protocol 240 table main"],
    [{ from: "0.0.0.0/0", table: 254 }, "-4 rule add priority 5 protocol 240 table main"],
    [{ family: "ipv6", table: 100 }, "-6 rule add priority 5 protocol 240 table 100"],
    [{ to: "FD00::/16" }, "-6 rule add priority 5 to fd00::/16 protocol 241 table main"],
    [
      { ...everySelector, suppressPrefixLength: 0 },
      "-4 rule add not priority 6 from 10.1.1.1/32 to 10.2.0.0/16 tos 0x10 fwmark 0x5/0xff iif lo oif dummy9 uidrange 1000-2000 ipproto 6 sport 10-20 dport 80 protocol 253 table main suppress_prefixlength 0",
    ],
    [{ fwmark: 0, fwmask: 255, action: "blackhole" }, "-4 rule add priority 5 fwmark 0x0/0xff protocol 241 blackhole"],
    [{ action: "goto", goto: 100 }, "-4 rule add priority 5 protocol 240 goto 100"],
    [{ l3mdev: true }, "-4 rule add priority 5 protocol 241 l3mdev"],
  ])("%j", (args, words) => expect(bench.steps(none, { ...args })).toEqual([inBlue(words)]));
});

describe("is done when the kernel shows it", () => {
  test.each<object>([
    { from: "10.0.0.0/8", table: 7 },
    { table: 7 },
    { ...everySelector, suppressPrefixLength: 0 },
    { priority: 8, fwmark: 0, fwmask: 255, action: "blackhole" },
    { priority: 11, action: "goto", goto: 100 },
    { priority: 12, action: "nop" },
    { priority: 13, l3mdev: true },
    { priority: 6, from: "fd00::1", to: "fd00:2::/64", ipProtocol: "icmpv6", table: 8 },
  ])("%j", (args) => {
    expect(bench.look(seen, { ...args })).toBeDefined();
    expect(bench.steps(seen, { ...args })).toEqual([]);
  });
});

test("with other selectors it is another rule, and absent with its namespace", () => {
  expect(bench.look(seen, { from: "10.0.0.0/9", table: 7 })).toBeUndefined();
  expect(bench.look(seen, { priority: 12, not: true, from: "10.0.0.1" })).toBeUndefined();
  expect(bench.look({ netns: [] })).toBeUndefined();
});

test("a change is a new rule before the old one goes, but for another target of goto", () => {
  expect(bench.steps(seen, { from: "10.0.0.0/8" }, [{ from: "10.0.0.0/8", table: 7 }])).toEqual([
    inBlue("-4 rule add priority 5 from 10.0.0.0/8 protocol 241 table main"),
    inBlue("-4 rule del priority 5 from 10.0.0.0/8 protocol 241 table 7"),
  ]);
  expect(bench.steps(seen, { priority: 11, action: "goto", goto: 200 })).toEqual([
    inBlue("-4 rule del priority 11 protocol 240 goto 100"),
    inBlue("-4 rule add priority 11 protocol 240 goto 200"),
  ]);
});

test("what an update that was broken off has left goes, with the rule as well", () => {
  const left = [five({ table: "7" }), five({ table: "8" })];
  const both = { netns: netns("blue"), "rules4@blue": left };
  const of = (table: number) => inBlue(`-4 rule del priority 5 from 10.0.0.0/8 protocol 241 table ${table}`);
  expect(bench.steps(both, { from: "10.0.0.0/8", table: 8 })).toEqual([of(7)]);
  expect(bench.removal(both, { from: "10.0.0.0/8", table: 8 })).toEqual([of(8), of(7)]);
});

test("suppressors that are declared no more go", () => {
  const before = { ...everySelector, suppressPrefixLength: 0 };
  expect(bench.steps(seen, everySelector, [before]).map((step) => /protocol.*/.exec(step)?.[0])).toEqual([
    "protocol 252 table main",
    "protocol 253 table main suppress_prefixlength 0",
  ]);
});

test("takes its own of two alike, and away only that", () => {
  expect(bench.look(seen, { from: "10.0.0.0/8", table: 7 })?.facts).toEqual({ protocol: 241 });
  expect(bench.removal(seen, { table: 7 })).toEqual([inBlue("-4 rule del priority 5 protocol 240 table 7")]);
  expect(bench.removal(seen, { priority: 7, fwmark: 5 })).toEqual([]);
});

test("somebody else's that is adopted becomes one of ours", () => {
  expect(bench.steps(seen, { priority: 7, fwmark: 5, table: 1000, suppressIfgroup: 5 })).toEqual([
    inBlue("-4 rule add priority 7 fwmark 0x5/0xffffffff protocol 243 table 1000 suppress_ifgroup 5"),
    inBlue("-4 rule del priority 7 fwmark 0x5/0xffffffff protocol 0 table 1000 suppress_ifgroup 5"),
  ]);
});

test("one made without a protocol, behind another of its priority, is not: which one would go?", () => {
  const alike = [four[3], { ...four[2], dst: "10.3.0.0", dstlen: 16 }];
  const adopt = () => bench.steps({ ...seen, "rules4@blue": alike }, { from: "10.0.0.0/8", to: "10.3.0.0/16" });
  expect(adopt).toThrow(/another rule of priority 5 stands before it/);
});

test("two spellings claim one rule", () => {
  const claims = (args: object) => rule.claims(bench.want({ ...args }));
  expect(claims({ from: "0.0.0.0/0", fwmark: 5 })).toEqual(claims({ family: "ipv4", fwmark: 5, fwmask: 4294967295 }));
  expect(claims({ from: "10.0.0.0/8" })).not.toEqual(claims({}));
});

test("is found on a host by what selects its packets, and told from the kernel's and a daemon's", () => {
  const sections = rule.survey?.("blue", new Seen(new Map())) ?? [];
  expect(sections.map(({ key }) => key)).toEqual(["netns", "rules4@blue", "rules6@blue"]);
  const kernels = four.filter(({ protocol }) => protocol === "2");
  expect(kernels).not.toEqual([]);
  const listed = rule
    .list?.(answers([namespacesSection, ...sections], seen), "blue")
    .map((args) => JSON.parse(JSON.stringify(args)));
  expect(listed).toHaveLength(four.length + six.length - kernels.length);
  expect(listed).toContainEqual({ namespace: "blue", priority: 7, fwmark: 5 });
  expect(listed).toContainEqual({
    ...{ namespace: "blue", priority: 6, from: "fd00::1/128", to: "fd00:2::/64", ipProtocol: 58 },
  });
  const makers = [0, 16, 77, 240].map((protocol) => rule.maker?.({ args: {}, facts: { protocol }, marks: [] }));
  expect(makers).toEqual([undefined, "dhcp", "protocol 77", undefined]);
});

test("one made by hand counts as ours already when it is described, unless it cannot be taken over", () => {
  const todo = (args: object, rules: object = seen) => {
    const found = rule.asOurs?.(bench.look({ ...rules }, { ...args }) as never);
    return rule.converge(bench.want({ ...args }), found, { mark: "", owner: "", was: [] });
  };
  expect(todo({ priority: 7, fwmark: 5, table: 1000, suppressIfgroup: 5 })).toEqual([]);
  const alike = { ...seen, "rules4@blue": [four[3], { ...four[2], dst: "10.3.0.0", dstlen: 16 }] };
  expect(() => todo({ from: "10.0.0.0/8", to: "10.3.0.0/16" }, alike)).toThrow(/stands before it/);
});
