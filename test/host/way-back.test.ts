import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Seen } from "../../provider/host/seen";
import type { HostFacts } from "../../provider/host/types";
import {
  nextHopSections,
  refuseIfLost,
  refuseIfMisdirected,
  refuseIfRerouted,
  refuseIfRuledOut,
  refuseIfSilenced,
  wayBackSections,
  withoutIpv6,
} from "../../provider/host/way-back";
import type { Result, RouteChange, RuleChange, Section } from "../../provider/model/command";
import { facts, inScratch } from "./helpers/exec-session";

const ssh = (server: string, client: string) =>
  facts({ sshConnection: { clientAddress: client, clientPort: 5000, serverAddress: server, serverPort: 22 } });

/** As `ip -N -j -d route get fibmatch` and `ip -N -j rule` of iproute2 6.1 print it. */
const byRouter =
  '[{"type":"1","dst":"default","gateway":"10.55.0.254","dev":"a0","table":"254","protocol":"3","scope":"0","metric":100,"flags":[]}]';
const onLink =
  '[{"type":"1","dst":"10.55.0.0/24","dev":"a0","table":"254","protocol":"2","scope":"253","prefsrc":"10.55.0.1","flags":[]}]';
const six =
  '[{"type":"1","dst":"default","gateway":"fd55::ff","dev":"a0","table":"254","protocol":"3","scope":"0","metric":1024,"flags":[],"pref":"medium"}]';
const rule = (priority: number, table: string, more: object = {}) => ({ priority, src: "all", table, ...more });
const standard = [rule(0, "255"), rule(32766, "254"), rule(32767, "253")];

const far = ssh("10.55.0.1", "203.0.113.7");
const near = ssh("10.55.0.1", "10.55.0.9");

function refusal(of: HostFacts, match: string, change: RouteChange, rules: object[] = standard): string {
  return said(() => refuseIfRerouted(of, seenOf(of, match, rules), [change]));
}

function said(act: () => void): string {
  try {
    act();
    return "";
  } catch (error) {
    return String(error);
  }
}

function seenOf(of: HostFacts, match: string, rules: object[]): Seen {
  const texts = [match, JSON.stringify(rules)];
  const answers = wayBackSections(of).map((section, at) => {
    const result: Result = { exitCode: match === "" && at === 0 ? 2 : 0, stdout: texts[at] ?? "", stderr: "" };
    return [section.key, { section, result }] as const;
  });
  return new Seen(new Map(answers));
}

const change = (to: string, more: Partial<RouteChange> = {}): RouteChange => ({
  to,
  table: "main",
  metric: 0,
  ...more,
});
const elsewhere = { hops: [{ device: "b0" }] };
const samePlace = { hops: [{ via: "10.55.0.254", device: "a0" }] };

test("asks for the route that our packets take, and for the rules of their family", () => {
  const words = (of: HostFacts) => wayBackSections(of).map(({ argv }) => argv.join(" "));
  expect(words(far)).toEqual(["ip -N -j -d route get fibmatch 203.0.113.7 from 10.55.0.1", "ip -N -j -4 rule show"]);
  expect(words(ssh("fe80::2", "fe80::1%eth0"))).toEqual([
    "ip -N -j -d route get fibmatch fe80::1 oif eth0",
    "ip -N -j -6 rule show",
  ]);
  expect(words(facts())).toEqual([]);
});

describe("refused is", () => {
  test.each<[string, HostFacts, string, RouteChange]>([
    ["the route that is used, taken away", far, byRouter, change("default", { metric: 100, removed: true })],
    ["the route that is used, led another way", far, byRouter, change("default", { metric: 100, ...elsewhere })],
    ["the route that is used, made a blackhole", far, byRouter, change("default", { metric: 100, hops: [] })],
    ["a better metric", far, byRouter, change("default", elsewhere)],
    ["a longer prefix", far, byRouter, change("203.0.113.0/24", { metric: 4000, ...elsewhere })],
    ["the client's own route", near, onLink, change("10.55.0.9/32", elsewhere)],
    ["the network on the link, by a router", near, onLink, change("10.55.0.0/25", samePlace)],
    ["a route in a table that is asked before", far, byRouter, change("203.0.113.7/32", { table: "local", hops: [] })],
    ["IPv6", ssh("fd55::1", "2001:db8::7"), six, change("2001:db8::/32", { metric: 1024, ...elsewhere })],
    ["whatever holds the client, where no route is known", far, "", change("default", elsewhere)],
  ])("%s", (_, of, match, item) => {
    expect(refusal(of, match, item)).toMatch(/our SSH connection to .* would lose its way back \[MANAGEMENT_PATH\]/);
  });

  test("said with both routes", () => {
    expect(refusal(far, byRouter, change("203.0.113.0/24", elsewhere))).toContain(
      "by the route to 203.0.113.0/24 in table main our SSH connection to 203.0.113.7, which takes the route to default via 10.55.0.254 dev a0, would lose its way back",
    );
  });
});

describe("not refused is", () => {
  test.each<[string, HostFacts, string, RouteChange]>([
    ["another destination", far, byRouter, change("198.51.100.0/24", elsewhere)],
    ["another family", far, byRouter, change("::/0", elsewhere)],
    ["a worse metric", far, byRouter, change("default", { metric: 101, ...elsewhere })],
    ["a shorter prefix", near, onLink, change("default", elsewhere)],
    ["a default route taken away that is not used", near, onLink, change("default", { removed: true })],
    ["the same way with another MTU", far, byRouter, change("default", { metric: 100, ...samePlace })],
    ["a longer prefix by the same way", far, byRouter, change("203.0.113.0/24", samePlace)],
    ["a table that is asked later", far, byRouter, change("203.0.113.7/32", { table: "default", ...elsewhere })],
    ["a table that nobody asks", far, byRouter, change("203.0.113.7/32", { table: 77, ...elsewhere })],
    [
      "anything, where the connection never leaves the machine",
      far,
      '[{"type":"2","dst":"203.0.113.7","dev":"lo"}]',
      change("default", elsewhere),
    ],
  ])("%s", (_, of, match, item) => {
    expect(refusal(of, match, item)).toBe("");
  });
});

test.each<[string, object, boolean]>([
  ["all packets", {}, true],
  ["those from our address", { src: "10.55.0.1" }, true],
  ["those from our network", { src: "10.55.0.0", srclen: 24 }, true],
  ["those from another network", { src: "10.56.0.0", srclen: 16 }, false],
  ["those to the client", { dst: "203.0.113.7" }, true],
  ["those to others", { dst: "198.51.100.0", dstlen: 24 }, false],
  ["marked ones", { fwmark: "0x5" }, false],
  ["forwarded ones", { iif: "b0" }, false],
  ["those that leave elsewhere", { oif: "b0" }, false],
  ["those of SSH's port", { sport_start: 22, sport_end: 22 }, true],
  ["all but those from another network", { not: null, src: "10.56.0.0", srclen: 16 }, true],
  ["all but those to the client", { not: null, dst: "203.0.113.7" }, false],
])("of a table that a rule asks before for %s", (_, more, refused) => {
  const rules = [...standard, rule(100, "77", more)].sort((a, b) => a.priority - b.priority);
  const said = refusal(far, byRouter, change("default", { table: 77, ...elsewhere }), rules);
  expect(said !== "").toBe(refused);
});

test.each<[string, HostFacts, { address: string; peer?: string; secondary?: boolean }, boolean]>([
  ["the one at which we came in", near, { address: "10.55.0.1/24" }, true],
  ["the one at which we came in, a secondary one", near, { address: "10.55.0.1/24", secondary: true }, true],
  ["the primary one of its subnet, which takes it along", near, { address: "10.55.0.3/24" }, true],
  ["another secondary one of its subnet", near, { address: "10.55.0.3/24", secondary: true }, false],
  ["one of another subnet", near, { address: "10.56.0.1/24" }, false],
  ["the one by which the client is on the link", ssh("10.99.0.1", "10.55.0.9"), { address: "10.55.0.1/24" }, true],
  ["that by its peer", ssh("10.99.0.1", "10.55.0.9"), { address: "10.1.1.1/32", peer: "10.55.0.9" }, true],
  ["another IPv6 one of our subnet", ssh("fd55::1", "fd55::9"), { address: "fd55::2/64" }, false],
  ["the IPv6 one by which the client is on the link", ssh("fd99::1", "fd55::9"), { address: "fd55::2/64" }, true],
])("of addresses, %s", (_, of, lost, refused) => {
  const look = () => refuseIfLost(of, [{ address: "10.77.0.1/24" }, lost]);
  if (refused) expect(look).toThrow(new RegExp(`needs address ${lost.address} \\[MANAGEMENT_PATH\\]`));
  else expect(look).not.toThrow();
});

const root = process.getuid?.() === 0;
if (!root) console.warn("SKIPPED: the last of test/host/way-back.test.ts makes network namespaces and needs root");
(root ? test : test.skip)("what the real ip prints is understood", async () => {
  const scratch = `hnw-${randomBytes(4).toString("hex")}`;
  const ip = (text: string) => execFileSync("ip", text.split(" "));
  const run = async (of: HostFacts, item: RouteChange) => {
    const execute = await inScratch(scratch);
    const answers = new Map<string, { section: Section; result: Result }>();
    for (const section of wayBackSections(of)) answers.set(section.key, { section, result: await execute(section) });
    return () => refuseIfRerouted(of, new Seen(answers), [item]);
  };
  try {
    ip(`netns add ${scratch}`);
    for (const words of [
      "link add a0 type veth peer name a1",
      "link set a0 up",
      "link set a1 up",
      "address add 10.55.0.1/24 dev a0",
      "address add fd55::1/64 dev a0 nodad",
      "route add default via 10.55.0.254 metric 100",
      "-6 route add default via fd55::ff",
      "rule add from 10.55.0.1 lookup 77 priority 100",
      "rule add fwmark 5 lookup 78 priority 99",
    ]) {
      ip(`-n ${scratch} ${words}`);
    }
    expect(await run(far, change("default", { metric: 100, removed: true }))).toThrow(
      /default via 10\.55\.0\.254 dev a0/,
    );
    expect(await run(far, change("default", { table: 77, ...elsewhere }))).toThrow(/MANAGEMENT_PATH/);
    expect(await run(far, change("default", { table: 78, ...elsewhere }))).not.toThrow();
    expect(await run(near, change("default", { metric: 100, removed: true }))).not.toThrow();
    expect(await run(near, change("10.55.0.9/32", elsewhere))).toThrow(/route to 10\.55\.0\.0\/24 dev a0/);
    const v6 = ssh("fd55::1", "2001:db8::7");
    expect(await run(v6, change("::/0", { metric: 1024, removed: true }))).toThrow(/via fd55::ff dev a0/);
    expect(await run(v6, change("::/0", { metric: 2048, ...elsewhere }))).not.toThrow();
  } finally {
    ip(`netns del ${scratch}`);
  }
});

describe("a rule of policy routing", () => {
  const own = rule(500, "254", { src: "10.55.0.1" });
  test.each<[string, Partial<RuleChange>, object[], boolean]>([
    ["before that of our route, to another table", { table: "100" }, standard, true],
    ["before it, for packets of our address", { table: "100", src: "10.55.0.0", srclen: 24 }, standard, true],
    ["before it, that drops", {}, standard, true],
    ["for packets of others", { table: "100", src: "10.56.0.0", srclen: 24 }, standard, false],
    ["for all packets but ours", { table: "100", src: "10.55.0.1", not: null }, standard, false],
    ["for those that came by a device", { table: "100", iif: "b0" }, standard, false],
    ["for marked ones", { table: "100", fwmark: "5" }, standard, false],
    ["of the other family", { table: "100", family: 6 }, standard, false],
    ["to the same table", { table: "254" }, standard, false],
    ["that does nothing", { nop: null }, standard, false],
    ["behind it", { table: "100", priority: 32767 }, standard, false],
    [
      "by which our route is found, taken away",
      { table: "254", removed: true, priority: 500, src: "10.55.0.1" },
      [own],
      true,
    ],
    [
      "that leads there beside another, taken away",
      { table: "254", removed: true, priority: 500 },
      [own, ...standard],
      false,
    ],
  ])("%s", (_, change, rules, refused) => {
    const whole = { family: 4, priority: 100, ...change } as RuleChange;
    const text = said(() => refuseIfRuledOut(far, seenOf(far, byRouter, rules), [whole]));
    expect(text === "" ? false : /MANAGEMENT_PATH/.test(text)).toBe(refused);
  });
});

test("IPv6 is not taken from the devices by which we came in over it", () => {
  const sysctl = (key: string, namespace?: string) => ({ argv: ["sysctl", "-qw", key], namespace });
  const of = (key: string, namespace?: string) => withoutIpv6([sysctl(key, namespace)]);
  expect([
    of("net/ipv6/conf/eth0.5/disable_ipv6=1"),
    of("net.ipv6.conf.all.disable_ipv6=1"),
    of("net/ipv6/conf/eth0/disable_ipv6=0"),
    of("net/ipv6/conf/eth0/disable_ipv6=1", "blue"),
    of("net/ipv6/conf/eth0/accept_ra=1"),
  ]).toEqual([["eth0.5"], ["all"], [], [], []]);
  const over6 = ssh("fd55::1", "fd55::9");
  const refused = (facts: HostFacts, device: string) =>
    said(() => refuseIfSilenced(facts, ["br0", "eth0"], [device])) !== "";
  expect([refused(over6, "eth0"), refused(over6, "all"), refused(over6, "eth1"), refused(far, "eth0")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe("a permanent neighbour with another MAC address", () => {
  const [router, mac] = ["02:00:00:00:00:fe", "02:00:00:00:00:01"];
  const table = [
    { dst: "10.55.0.254", dev: "a0", lladdr: router, state: ["REACHABLE"] },
    { dst: "10.55.0.9", dev: "a0", lladdr: router, state: ["STALE"] },
    { dst: "fd55::ff", dev: "a0", lladdr: router, router: null, state: ["STALE"] },
  ];
  const refused = (of: HostFacts, match: string, address: string, more: object = {}, known: object[] = table) => {
    const texts = [match, JSON.stringify(known)];
    const answers = nextHopSections(of).map((section, at) => {
      const result: Result = { exitCode: match === "" && at === 0 ? 2 : 0, stdout: texts[at] ?? "", stderr: "" };
      return [section.key, { section, result }] as const;
    });
    const seen = new Seen(new Map(answers));
    return said(() => refuseIfMisdirected(of, seen, [{ address, device: "a0", mac, ...more }]));
  };

  test.each<[string, HostFacts, string, string]>([
    ["the router", far, byRouter, "10.55.0.254"],
    ["the client", near, onLink, "10.55.0.9"],
    ["the router of IPv6", ssh("fd55::1", "2001:db8::7"), six, "fd55::ff"],
  ])("is refused of %s by which we are reached", (_, of, match, address) => {
    expect(refused(of, match, address)).toMatch(
      `our SSH connection goes by ${address} on a0, which has ${router}, not ${mac}`,
    );
    expect(refused(of, match, address, { mac: router })).toBe("");
    expect(refused(of, match, address, { device: "b0" })).toBe("");
  });

  test("is refused where it cannot be told", () =>
    expect(refused(far, byRouter, "10.55.0.254", {}, [])).toMatch(/which has no MAC address/));

  test("is taken of all others, and where no connection carries us", () => {
    expect(refused(far, byRouter, "10.55.0.9")).toBe("");
    expect(refused(near, onLink, "10.55.0.254")).toBe("");
    expect(refused(far, "", "10.55.0.254")).toBe("");
    expect(refused(facts({}), byRouter, "10.55.0.254")).toBe("");
  });
});
