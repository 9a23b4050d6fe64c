import { drift, fateOf } from "../../provider/drift";
import { Seen } from "../../provider/host/seen";
import { firewall } from "../../provider/kinds/firewall";
import type { Result, Step } from "../../provider/model/command";
import { validate } from "../../provider/validate";
import { netns } from "./answers";

const mark = "hostnet:a1b2:c3";
const context = (was: never[] = []) => ({ mark, owner: "a1b2", was });

const declared = {
  namespace: "fw",
  name: "t",
  chains: {
    input: {
      hook: "input",
      rules: [
        "ct state related,established accept",
        "tcp dport {443, 80,22} counter accept",
        "ip saddr @members accept",
      ],
    },
    "from-us": { rules: ["meta mark set 0x10"] },
  },
  sets: {
    members: {
      type: "ipv4_addr",
      flags: ["interval"],
      autoMerge: true,
      elements: ["10.1.0.5/32", "10.1.0.0-10.1.0.4"],
    },
    seen: { typeof: "ip saddr . tcp dport", flags: ["dynamic", "timeout"], timeout: 90, elements: [] },
  },
};

/** What nft 1.0.6 printed of `declared` (-y -s -a), loaded in a namespace with the mark. */
const listed = `table inet t { # handle 1
	comment "${mark}"
	set members { # handle 3
		type ipv4_addr
		flags interval
		auto-merge
		elements = { 10.1.0.0-10.1.0.5 }
	}

	set seen { # handle 4
		typeof ip saddr . tcp dport
		size 65535
		flags dynamic,timeout
		timeout 1m30s
	}

	chain input { # handle 1
		type filter hook input priority 0; policy accept;
		ct state established,related accept # handle 5
		tcp dport { 22, 80, 443 } counter accept # handle 7
		ip saddr @members accept # handle 8
	}

	chain from-us { # handle 2
		meta mark set 0x00000010 # handle 9
	}
}
`;
const normal = listed.replace(`\tcomment "${mark}"\n`, "").replace(/ # handle \d+/g, "");

const want = (args: object = declared) => {
  const { value, failures } = validate(firewall.args, args);
  expect(failures).toEqual([]);
  return value as never;
};

interface Answer {
  live?: string | Partial<Result>;
  normal?: string | Partial<Result>;
}

function look(args: object, { live = listed, normal: form = normal }: Answer = {}) {
  const result = (answer: string | Partial<Result>) =>
    ({ exitCode: 0, stdout: "", stderr: "", ...(typeof answer === "string" ? { stdout: answer } : answer) }) as Result;
  const sections = firewall.observe(want(args));
  const said = [JSON.stringify(netns("fw")), live, form].map(result);
  const seen = new Seen(new Map(sections.map((section, at) => [section.key, { section, result: said[at] as Result }])));
  return firewall.find(want(args), seen);
}

const absent = { exitCode: 1, stderr: "Error: No such file or directory\nlist table inet t\n                ^\n" };

/** What the transaction says; the same has been checked before. */
function transaction(steps: Step[]): string[] {
  if (steps.length === 0) return [];
  expect(steps.slice(0, 2).map(({ argv }) => argv.join(" "))).toEqual(["nft -c -f -", "nft -f -"]);
  expect(steps[0]?.stdin).toBe(steps[1]?.stdin);
  return (steps[1]?.stdin ?? "").trimEnd().split("\n");
}

const change = (args: object, answer?: Answer, was: object[] = []) =>
  firewall.converge(want(args), look(args, answer), context(was.map(want) as never[]));

const withRules = (rules: string[], more: object = {}) => ({
  ...declared,
  chains: { ...declared.chains, input: { ...declared.chains.input, rules, ...more } },
});
const [first = "", second = "", third = ""] = declared.chains.input.rules;

describe("Firewall", () => {
  it("puts the table to sleep before what is in it is changed, and wakes it after: transactions of their own", () => {
    const asleep = { ...declared, dormant: true, sets: { members: declared.sets.members } };
    const going = change(asleep);
    expect([transaction(going.slice(0, 2)), transaction(going.slice(2))]).toEqual([
      [`add table inet t { comment "${mark}"; flags dormant; }`],
      ["delete set inet t seen"],
    ]);
    const live = listed.replace("{ # handle 1\n", "{ # handle 1\n\tflags dormant\n");
    const waking = change({ ...declared, sets: { members: declared.sets.members } }, { live });
    expect([transaction(waking.slice(0, 2)), transaction(waking.slice(2))]).toEqual([
      ["delete set inet t seen"],
      [`add table inet t { comment "${mark}"; }`],
    ]);
  });

  it("makes the whole table in one transaction, each line with the argument it comes from", () => {
    const steps = change(declared, { live: absent });
    expect(transaction(steps)).toEqual([
      `add table inet t { comment "${mark}"; }`,
      "add chain inet t input { type filter hook input priority 0; policy accept; }",
      "add chain inet t from-us { }",
      "add set inet t members { type ipv4_addr; flags interval; auto-merge; }",
      "add set inet t seen { typeof ip saddr . tcp dport; flags dynamic,timeout; timeout 90s; }",
      "add element inet t members { 10.1.0.5/32, 10.1.0.0-10.1.0.4 }",
      "add rule inet t input ct state related,established accept",
      "add rule inet t input tcp dport {443, 80,22} counter accept",
      "add rule inet t input ip saddr @members accept",
      "add rule inet t from-us meta mark set 0x10",
    ]);
    expect(steps[0]?.sources?.[7]).toBe("chains.input.rules[1]");
    expect(steps.map(({ namespace }) => namespace)).toEqual(["fw", "fw"]);
  });

  describe("with a flowtable that offloads", () => {
    const flowtables = { fast: { devices: ["eth2", "eth1"], offload: true } };
    const args = { namespace: "fw", name: "t", flowtables };
    const live = `table inet t { # handle 1
	comment "${mark}"
	flowtable fast { # handle 2
		hook ingress priority 0
		devices = { "eth1", "eth2" }
		flags offload
	}
}
`;
    const form = "table inet t {\n\tflowtable fast {\n\t\thook ingress priority 0\n\t\tdevices = { lo }\n\t}\n}\n";
    const unset = live.replace("\t\tflags offload\n", "");

    it("asks for its normal form without that, as lo cannot offload", () => {
      const asked = firewall.observe(want(args)).find(({ key }) => key.startsWith("nft-normal:"));
      expect(asked?.stdin).toContain('add flowtable inet t fast { hook ingress priority 0; devices = { "lo" }; }');
      expect(change(args, { live, normal: form })).toEqual([]);
    });

    it("asks each device before it is made, and only then", () => {
      for (const answer of [{ live: absent }, { live: unset, normal: form }]) {
        const [first, ...others] = change(args, answer);
        expect(first?.argv.slice(0, 2)).toEqual(["sh", "-c"]);
        expect(first?.argv.slice(3)).toEqual(["flowtables.fast.devices", "eth2", "eth1"]);
        expect(transaction(others).at(-1)).toContain("flags offload");
      }
      const more = { ...args, chains: { c: {} } };
      expect(transaction(change(more, { live, normal: `${form.slice(0, -2)}\tchain c {\n\t}\n}\n` }))).toEqual([
        "add chain inet t c { }",
      ]);
    });
  });

  it("reads what nft since 1.1.4 says of a set beside its size", () => {
    const counted = { ...declared, sets: { ...declared.sets, members: { ...declared.sets.members, size: 10 } } };
    const sized = (text: string, size: string) =>
      text.replace("\t\tflags interval\n", `\t\t${size}\n\t\tflags interval\n`);
    const answer = { live: sized(listed, "size 10\t# count 6"), normal: sized(normal, "size 10\t# count 1") };
    expect(change(counted, answer)).toEqual([]);
    // A set that rules add to has a size and a count of its own accord.
    expect(change(declared, { live: listed.replace("size 65535", "size 65535\t# count 3") })).toEqual([]);
  });

  it("compares a set of many elements in the time of a few: a blocklist has tens of thousands", () => {
    const elements = Array.from({ length: 20_000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const args = { namespace: "fw", name: "t", sets: { bad: { type: "ipv4_addr", elements } } };
    // A map, or a set with comments, has each element on a line of its own.
    const print = (all: string[]) =>
      `table inet t {\n\tcomment "${mark}"\n\tset bad {\n\t\ttype ipv4_addr\n\t\telements = { ${all.join(",\n\t\t\t     ")} }\n\t}\n}\n`;
    const start = performance.now();
    const steps = change(args, { live: print([...elements.slice(1), "10.9.9.9"].reverse()), normal: print(elements) }, [
      args,
    ]);
    expect(transaction(steps)).toEqual([
      "delete element inet t bad { 10.9.9.9 }",
      "add element inet t bad { 10.0.0.0 }",
    ]);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("knows its own by any spelling", () => {
    expect(change(declared)).toEqual([]);
    expect(look(declared)).toMatchObject({ marks: [mark], facts: { chains: 2, rules: 4 } });
    expect(drift(firewall, want(), look(declared) as never, context())).toEqual(want());
  });

  it("of another's that is taken over says what changes and what goes", () => {
    const live = listed.replace(`\tcomment "${mark}"\n`, "");
    const fate = (args: object, form = normal) =>
      fateOf(firewall, want(args), look(args, { live, normal: form }) as never, context());
    expect(fate(declared)).toBe("");
    const { members } = declared.sets;
    const less = { ...withRules([first, third]), sets: { members } };
    const form = normal.replace(/\t\ttcp dport.*\n/, "").replace(/\tset seen [\s\S]*?\t\}\n/, "");
    expect(fate(less, form)).toBe("; changed: chains.input.rules; not declared, so taken away: sets.seen");
  });

  it("asks nft in a namespace that is thrown away, with lo for every device", () => {
    const args = {
      name: "t",
      family: "netdev",
      chains: { in: { hook: "ingress", devices: ["eth1", "eth0"], rules: ["accept"] } },
    };
    const [, scratch] = firewall.observe(want(args));
    expect(scratch?.argv.slice(0, 3)).toEqual(["unshare", "-n", "sh"]);
    expect(scratch?.stdin).toContain('hook ingress devices = { "lo" } priority 0');
    expect(scratch?.namespace).toBeUndefined();
    const form =
      'table netdev t {\n\tchain in {\n\t\ttype filter hook ingress device "lo" priority 0; policy accept;\n\t\taccept\n\t}\n}\n';
    const live = `table netdev t { # handle 1\n\tcomment "${mark}"\n\tchain in { # handle 1\n\t\ttype filter hook ingress devices = { eth0, eth1 } priority 0; policy accept;\n\t\taccept # handle 2\n\t}\n}\n`;
    const there = (text: string) => {
      const said = [text, form].map((stdout) => ({ exitCode: 0, stdout, stderr: "" }));
      const sections = firewall.observe(want(args));
      const seen = new Seen(
        new Map(sections.map((section, at) => [section.key, { section, result: said[at] as Result }])),
      );
      return firewall.converge(want(args), firewall.find(want(args), seen), context());
    };
    expect(there(live)).toEqual([]);
    expect(transaction(there(live.replace("eth0, ", "")))[0]).toBe("delete table netdev t");
  });

  it("changes rules and nothing beside: what stays keeps its counters", () => {
    expect(
      transaction(
        change(withRules([first, "tcp dport 25 drop", second]), {
          normal: normal
            .replace("\t\ttcp dport { 22, 80", "\t\ttcp dport 25 drop\n\t\ttcp dport { 22, 80")
            .replace("\t\tip saddr @members accept\n", ""),
        }),
      ),
    ).toEqual(["delete rule inet t input handle 8", "insert rule inet t input handle 7 tcp dport 25 drop"]);
    expect(
      transaction(
        change(withRules([second, first, third]), {
          normal: normal.replace(/(\t\tct state.*\n)(\t\ttcp.*\n)/, "$2$1"),
        }),
      ),
    ).toEqual([
      "delete rule inet t input handle 7",
      "insert rule inet t input handle 5 tcp dport {443, 80,22} counter accept",
    ]);
    expect(
      transaction(
        change(withRules([first, second, third, "drop"]), {
          normal: normal.replace("@members accept\n", "@members accept\n\t\tdrop\n"),
        }),
      ),
    ).toEqual(["add rule inet t input drop"]);
  });

  it("changes a policy in place, and makes the table again for a hook or a set's definition", () => {
    expect(transaction(change(withRules(declared.chains.input.rules, { policy: "drop" })))).toEqual([
      "add chain inet t input { type filter hook input priority 0; policy drop; }",
    ]);
    const other = normal.replace("priority 0", "priority -10");
    expect(transaction(change(withRules(declared.chains.input.rules, { priority: -10 }), { normal: other }))[0]).toBe(
      "delete table inet t",
    );
    expect(transaction(change(declared, { normal: normal.replace("interval\n", "interval\n\t\tsize 5\n") }))[0]).toBe(
      "delete table inet t",
    );
  });

  it("changes elements by themselves; those that rules added stay", () => {
    const extra = listed.replace("10.1.0.0-10.1.0.5", "10.1.0.0-10.1.0.5,\n\t\t\t     10.9.9.9");
    expect(transaction(change(declared, { live: extra }))).toEqual(["delete element inet t members { 10.9.9.9 }"]);
    const filled = listed.replace("timeout 1m30s\n", "timeout 1m30s\n\t\telements = { 10.0.0.9 . 22 expires 1m2s }\n");
    expect(change(declared, { live: filled })).toEqual([]);
  });

  it("takes away what is not declared, in an order that nft takes", () => {
    const { "from-us": _, ...chains } = declared.chains;
    const form = normal
      .replace(/\n\tchain from-us \{[\s\S]*?\n\t\}\n/, "")
      .replace(/\tset seen \{[\s\S]*?\n\t\}\n/, "");
    expect(
      transaction(change({ ...declared, chains, sets: { members: declared.sets.members } }, { normal: form })),
    ).toEqual(["flush chain inet t from-us", "delete set inet t seen", "delete chain inet t from-us"]);
  });

  it("shows what somebody changed, and the rest as it was declared", () => {
    const live = listed
      .replace("meta mark set 0x00000010 # handle 9", "meta mark set 0x00000010 # handle 9\n\t\tdrop # handle 12")
      .replace("\tchain from-us", "\tchain mine { # handle 13\n\t}\n\n\tchain from-us");
    const shown = drift(firewall, want(), look(declared, { live }) as never, context()) as typeof declared & {
      chains: object;
    };
    expect(shown).toEqual({
      ...(want() as object),
      chains: {
        ...(want() as typeof declared).chains,
        "from-us": { rules: ["meta mark set 0x10", "drop"] },
        mine: { rules: [] },
      },
    });
  });

  it("writes a table of another mark anew, as nft cannot change a table's comment", () => {
    const live = listed.replace(mark, "hostnet:a1b2:d4");
    expect(transaction(change(declared, { live })).slice(0, 2)).toEqual([
      "delete table inet t",
      `add table inet t { comment "${mark}"; }`,
    ]);
  });

  it("says which argument nft does not take", () => {
    const stderr =
      "/dev/stdin:7:23-26: Error: syntax error, unexpected string\nadd rule inet t input tcp dprt 1 accept\n";
    expect(() => change(declared, { normal: { exitCode: 1, stderr } })).toThrow(
      /chains\.input\.rules\[0\]: nft says: syntax error.*\[INVALID\]/,
    );
    expect(firewall.remove(look(declared, { normal: { exitCode: 1, stderr } }) as never, want(), context())).toEqual([
      { argv: ["nft", "delete", "table", "inet", "t"], namespace: "fw" },
    ]);
  });

  it("takes only nft's own word for absence", () => {
    expect(look(declared, { live: absent })).toBeUndefined();
    expect(() =>
      look(declared, { live: { exitCode: 1, stderr: "netlink: Error: cache initialization failed" } }),
    ).toThrow(/READ_FAILED/);
  });

  it("ends flows that a rule or a member let in which is no more, and only then", () => {
    const args = withRules([first, second], { endFlows: { zones: [5], addresses: ["10.0.0.7", "fd00::7"] } });
    const form = { normal: normal.replace("\t\tip saddr @members accept\n", "") };
    expect(change(args, form)[2]).toEqual({
      argv: ["conntrack", "-R", "-"],
      stdin: ["ipv4 -w 5 -s 10.0.0.7", "ipv4 -w 5 -d 10.0.0.7", "ipv6 -w 5 -s fd00::7", "ipv6 -w 5 -d fd00::7"]
        .map((line) => `-D -f ${line}\n`)
        .join(""),
      namespace: "fw",
    });
    const more = withRules([first, second, third, "drop"], { endFlows: { zones: [5] } });
    expect(change(more, { normal: normal.replace("@members accept\n", "@members accept\n\t\tdrop\n") })).toHaveLength(
      2,
    );
    const sets = { ...declared.sets, members: { ...declared.sets.members, elements: [], endFlows: { zones: [1, 2] } } };
    const gone = {
      live: listed.replace("10.1.0.0-10.1.0.5", "10.1.0.5"),
      normal: normal.replace(/\t\telements.*\n/, ""),
    };
    expect(change({ ...declared, sets }, gone)[2]?.stdin).toBe(
      [1, 2].flatMap((zone) => ["-s", "-d"].map((end) => `-D -f ipv4 -w ${zone} ${end} 10.1.0.5\n`)).join(""),
    );
  });
});

describe("the guard of our own connection", () => {
  const refused = (hook: string, rules: string[], more: object = {}) =>
    validate(firewall.args, { name: "t", chains: { c: { hook, rules, ...more } } }).failures.map(({ path }) => path);

  it("wants a rule that lets SSH in before everything is dropped", () => {
    expect(
      refused("input", ["ct state established accept", "udp dport 53 accept", 'iifname "lo" accept'], {
        policy: "drop",
      }),
    ).toEqual(["chains.c.policy"]);
    expect(refused("input", ["ct state established accept", "tcp dport 22 accept"], { policy: "drop" })).toEqual([]);
    expect(refused("input", ["counter drop", "tcp dport 22 accept"])).toEqual(["chains.c.rules"]);
    expect(refused("output", [], { policy: "drop" })).toEqual(["chains.c.policy"]);
    expect(refused("output", ["ct state established accept"], { policy: "drop" })).toEqual([]);
    expect(refused("forward", [], { policy: "drop" })).toEqual([]);
  });

  it("leaves other namespaces alone", () => {
    const args = { name: "t", namespace: "blue", chains: { c: { hook: "input", policy: "drop", rules: [] } } };
    expect(validate(firewall.args, args).failures).toEqual([]);
  });
});

it("tells a route lookup by device from a device's number", () => {
  const faults = (rule: string) =>
    validate(firewall.args, { name: "t", chains: { c: { rules: [rule] } } }).failures.length;
  expect(faults("fib saddr . iif oif missing drop")).toBe(0);
  expect(faults("fib daddr . iif type != local drop")).toBe(0);
  expect(faults('log prefix "iif "')).toBe(0);
  expect(faults('meta iif "eth0" drop')).toBe(1);
  expect(faults('ip saddr 1.2.3.4 fwd to "eth2"')).toBe(1);
  expect(faults("dup to eth2")).toBe(1);
  expect(faults('dup to 10.0.0.1 device "eth2"')).toBe(1);
  expect(faults('dup to 10.0.0.1 comment "x"')).toBe(0);
  expect(faults("dup to dead:beef::1")).toBe(0);
  expect(faults("oif eth0 accept")).toBe(1);
});
