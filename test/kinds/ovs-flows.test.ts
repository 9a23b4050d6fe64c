import { Seen } from "../../provider/host/seen";
import { ovsFlows } from "../../provider/kinds/ovs-flows";
import type { Section } from "../../provider/model/command";
import { ownerOf } from "../../provider/model/mark";
import { parseFlows } from "../../provider/model/openflow";
import { cookieOf, learnedCookie } from "../../provider/model/ovs-cookie";
import { validate } from "../../provider/validate";
import { type Recording, recorded, rowOf, trial } from "./recorded/ovs";

const learn =
  "learn(table=20,hard_timeout=300,priority=1,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:0->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:OXM_OF_IN_PORT[])";

const flows = [
  { priority: 1, match: 'in_port="patch-int"', actions: "resubmit(,4)" },
  { table: 4, match: "tun_id=0x64", actions: "mod_vlan_vid:7,resubmit(,10)" },
  { table: 10, priority: 1, actions: learn },
  { match: 'in_port="br-tun"', actions: 'strip_vlan,set_tunnel:0x64,output:"patch-int"' },
];
const declared = { bridge: "br-tun", name: "base", flows };

/** What `ovs-ofctl -O OpenFlow14 parse-flows -` of OVS 3.1 printed of them, with the numbers that stand for names. */
const parsed = `usable protocols: OXM,NXM+table_id
chosen protocol: OXM-OpenFlow14
OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD priority=1,in_port=60000 actions=resubmit(,4)
OFPT_FLOW_MOD (OF1.4) (xid=0x2): ADD table:4 tun_id=0x64 actions=push_vlan:0x8100,set_field:4103->vlan_vid,resubmit(,10)
OFPT_FLOW_MOD (OF1.4) (xid=0x3): ADD table:10 priority=1 actions=${learn}
OFPT_FLOW_MOD (OF1.4) (xid=0x4): ADD in_port=60001 actions=pop_vlan,set_field:0x64->tun_id,output:60000
`;

const owner = "00ff";
const mark = `hostnet:${owner}:aaaa`;
const hex = (cookie: bigint) => `0x${cookie.toString(16)}`;
const cookie = cookieOf(owner, "br-tun", "base");
const [C, L] = [hex(cookie), hex(learnedCookie(cookie))];

const port = (() => {
  let number = 0;
  recorded((recording: Recording) => {
    number = rowOf(recording, "Interface", "patch-int").ofport as number;
  });
  return number;
})();

/** What dump-flows (--no-names --no-stats) printed after they were added. */
const dumped = ` cookie=${C}, priority=1,in_port=${port} actions=resubmit(,4)
 cookie=${C}, in_port=LOCAL actions=pop_vlan,set_field:0x64->tun_id,output:${port}
 cookie=${C}, table=4, tun_id=0x64 actions=push_vlan:0x8100,set_field:4103->vlan_vid,resubmit(,10)
 cookie=${C}, table=10, priority=1 actions=${learn.replace("priority=1,", `priority=1,cookie=${L},`)}
`;
const learned = ` cookie=${L}, table=20, hard_timeout=300, priority=1,vlan_tci=0x0007/0x0fff,dl_dst=02:00:00:00:00:01 actions=output:2\n`;

interface Answer {
  dump?: string;
  parse?: string;
  owned?: string | undefined;
  /** Marks of other sets, by their names. */
  sets?: Record<string, string>;
  args?: object;
  complaint?: string;
  /** What parse-flows says on stderr of what it takes. */
  remark?: string;
  protocols?: string[];
}

function on({
  dump = dumped,
  parse = parsed,
  owned = mark,
  sets = {},
  complaint,
  remark,
  protocols = [],
}: Answer = {}) {
  const base = recorded((recording) => {
    const marks = Object.entries({ ...sets, ...(owned && { base: owned }) });
    rowOf(recording, "Bridge", "br-tun").protocols = ["set", protocols];
    rowOf(recording, "Bridge", "br-tun").external_ids = [
      "map",
      marks.map(([name, text]) => [`hostnet-flows-${name}`, text]),
    ];
  });
  const answer = (key: string, stdout: string, failure = "", stderr = failure) =>
    [key, { section: { key, argv: [key] } as Section, result: { exitCode: failure ? 1 : 0, stdout, stderr } }] as const;
  const own = new Seen(
    new Map([
      answer("flows:br-tun", dump),
      ...["base", "old", "cookie-0x5"].map((name) => answer(`flows:br-tun:${name}`, parse, complaint, remark)),
    ]),
  );
  const seen = new Proxy(base, {
    get: (target, name) =>
      name === "result"
        ? (key: string) => (own.has(key) ? own : target).result(key)
        : Reflect.get(target, name).bind(target),
  });
  return trial(ovsFlows, seen);
}

/** The lines of a bundle. */
function bundle(args: object, answer?: Answer, formerOwners?: string[]): string[] {
  const { value } = validate(ovsFlows.args, args);
  const kindTrial = on(answer);
  const found = kindTrial.find(args);
  const context = { mark, owner, formerOwners, was: [], seen: kindTrial.seen };
  const steps = ovsFlows.converge(value as never, found as never, context);
  return steps.flatMap(({ argv, stdin }) => (stdin ?? argv.join(" ")).trimEnd().split("\n"));
}

const without = (text: string, word: string) =>
  text
    .split("\n")
    .filter((line) => !line.includes(word))
    .join("\n");

describe("OvsFlows", () => {
  it("takes the bridge's own port by its name also as where a flow goes", () => {
    const own = { bridge: "br-tun", name: "base", flows: [{ match: "arp", actions: 'output:"br-tun"' }] };
    const answer = {
      parse: "OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD arp actions=output:60000\n",
      dump: ` cookie=${C}, arp actions=LOCAL\n`,
    };
    expect(on(answer).converge(own)).toEqual([]);
  });

  it("writes its mark first, then adds all in one bundle", () => {
    expect(on({ owned: "", dump: "" }).converge(declared)).toEqual([
      `ovs-vsctl --no-wait --timeout=30 -- set Bridge br-tun 'external_ids:hostnet-flows-base="${mark}"'`,
      "ovs-ofctl -O OpenFlow13,OpenFlow14 --no-names --bundle add-flows br-tun -",
    ]);
    // Its mark was taken away: what has its cookie is its own.
    expect(on({ owned: "" }).converge(declared)).toHaveLength(1);
    expect(bundle(declared, { dump: "" })).toEqual([
      `add cookie=${C},table=0,priority=1,in_port=1,actions=resubmit(,4)`,
      `add cookie=${C},table=4,priority=32768,tun_id=0x64,actions=mod_vlan_vid:7,resubmit(,10)`,
      `add cookie=${C},table=10,priority=1,actions=${learn.replace("learn(", `learn(cookie=${L},`)}`,
      `add cookie=${C},table=0,priority=32768,in_port=LOCAL,actions=strip_vlan,set_tunnel:0x64,output:1`,
    ]);
  });

  it("asks ovs-ofctl for the normal form, with a number for each port's name", () => {
    const { value } = validate(ovsFlows.args, declared);
    const stdin = ovsFlows.observe(value as never).at(-1)?.stdin;
    expect(stdin?.split("\n")[0]).toBe("table=0,priority=1,in_port=60000,actions=resubmit(,4)");
    expect(stdin?.split("\n")[3]).toBe(
      "table=0,priority=32768,in_port=60001,actions=strip_vlan,set_tunnel:0x64,output:60000",
    );
    const clash = {
      ...declared,
      flows: [{ match: 'tp_dst=60000,in_port="patch-int"', actions: "load:0xea61->NXM_NX_REG0[]" }],
    };
    expect(ovsFlows.observe(validate(ovsFlows.args, clash).value as never).at(-1)?.stdin).toContain("in_port=60002,");
  });

  it("knows its own by any spelling; what it learned is no drift", () => {
    expect(bundle(declared, { dump: dumped + learned })).toEqual([]);
    expect(on({ dump: dumped + learned }).drift(declared)).toStrictEqual({});
    expect(on({ dump: dumped + learned }).find(declared)).toMatchObject({
      marks: [mark],
      facts: { cookie: C, flows: 4, learned: 1 },
    });
  });

  it("changes the difference only", () => {
    const more = {
      ...declared,
      flows: [flows[0], { ...flows[1], actions: "drop" }, flows[2], { ...flows[3], idleTimeout: 9 }],
    };
    const parse = parsed
      .replace("actions=push_vlan:0x8100,set_field:4103->vlan_vid,resubmit(,10)", "actions=drop")
      .replace("in_port=60001", "in_port=60001 idle:9");
    const foreign = ` cookie=${C}, table=9, ip actions=drop\n cookie=0x5, table=9, arp actions=drop\n`;
    expect(bundle(more, { parse, dump: dumped + foreign })).toEqual([
      `delete_strict cookie=${C}/-1,table=9,priority=32768,ip`,
      `modify_strict cookie=${C},table=4,priority=32768,tun_id=0x64,actions=drop`,
      `add cookie=${C},table=0,priority=32768,in_port=LOCAL,idle_timeout=9,actions=strip_vlan,set_tunnel:0x64,output:1`,
    ]);
  });

  it("forgets what was learned when its learn action goes", () => {
    const fewer = { ...declared, flows: flows.filter((flow) => flow.table !== 10) };
    expect(bundle(fewer, { parse: without(parsed, "learn"), dump: dumped + learned })).toEqual([
      `delete cookie=${L}/-1`,
      `delete_strict cookie=${C}/-1,table=10,priority=1`,
    ]);
  });

  it("shows lost flows, and those that somebody gave its cookie", () => {
    const { flows: shown } = on({
      dump: `${without(dumped, "table=4")}\n cookie=${C}, table=9, ip actions=drop\n`,
    }).drift(declared) as { flows: unknown[] };
    expect(shown).toMatchObject([
      { match: 'in_port="patch-int"' },
      { actions: learn },
      { match: 'in_port="br-tun"' },
      { table: 9, match: "ip", actions: "drop" },
    ]);
    expect(on({ dump: "" }).drift(declared)).toStrictEqual({ flows: [] });
  });

  it("never overwrites another's flow", () => {
    const dump = `${without(dumped, "table=4")}\n table=4, tun_id=0x64 actions=NORMAL\n`;
    expect(() => bundle(declared, { dump })).toThrow(
      /flows\[1\]: bridge br-tun has a flow table=4,priority=32768,tun_id=0x64 of another.*\[FOREIGN\]/,
    );
  });

  describe("takes over a flow of another set of its owner's:", () => {
    const old = hex(cookieOf(owner, "br-tun", "old"));
    const sets = { old: `hostnet:${owner}:bbbb` };
    // What the set `old` has is what `base` is to have.
    const there = dumped.replaceAll(C, old).replaceAll(L, hex(learnedCookie(BigInt(old))));

    it("a set under a new name is made before the old one goes, which then takes nothing away", () => {
      const lines = bundle(declared, { owned: "", sets, dump: there });
      expect(lines[0]).toContain("hostnet-flows-base");
      expect(lines.slice(1)).toEqual(flows.map(() => expect.stringContaining(`add cookie=${C},`)));
      const after = on({ sets, dump: dumped });
      expect(after.find({ ...declared, name: "old" })).toMatchObject({ marks: [sets.old], facts: { flows: 0 } });
      expect(after.remove({ ...declared, name: "old" })).toEqual([
        "ovs-vsctl --no-wait --timeout=30 -- remove Bridge br-tun external_ids hostnet-flows-old",
      ]);
    });

    it("with what it has learned, which would go on to send packets where the other set had them go", () => {
      const oldLearned = hex(learnedCookie(BigInt(old)));
      const dump = there + learned.replaceAll(L, oldLearned);
      expect(bundle(declared, { owned: "", sets, dump }).filter((line) => line.startsWith("delete"))).toEqual([
        `delete cookie=${oldLearned}/-1`,
      ]);
      // The flow that has learned stays where it is.
      const parse = without(parsed, "learn");
      const fewer = { ...declared, flows: flows.filter((flow) => flow.table !== 10) };
      expect(bundle(fewer, { owned: "", sets, parse, dump }).join()).not.toContain("delete");
    });

    it("two that change places take only what is theirs away, in whatever order", () => {
      const swapped = { ...declared, flows: [{ table: 4, match: "tun_id=0x64", actions: "drop" }] };
      const parse = "x: ADD table:4 tun_id=0x64 actions=drop\n";
      const mine = ` cookie=${C}, table=4, tun_id=0x65 actions=drop\n`;
      const others = ` cookie=${old}, table=4, tun_id=0x64 actions=NORMAL\n`;
      expect(bundle(swapped, { sets, parse, dump: mine + others })).toEqual([
        `delete_strict cookie=${C}/-1,table=4,priority=32768,tun_id=0x65`,
        `add cookie=${C},table=4,priority=32768,tun_id=0x64,actions=drop`,
      ]);
      // The other one has been there first, and has ours.
      expect(bundle(swapped, { sets, parse, dump: mine.replace(C, old) + others })).toEqual([
        `add cookie=${C},table=4,priority=32768,tun_id=0x64,actions=drop`,
      ]);
    });

    it("but of nobody whose set is not marked, or is another owner's", () => {
      expect(() => bundle(declared, { owned: "", dump: there })).toThrow(/of another.*\[FOREIGN\]/);
      const theirs = hex(cookieOf("beef", "br-tun", "old"));
      const answer = { owned: "", sets: { old: "hostnet:beef:bbbb" }, dump: there.replaceAll(old, theirs) };
      expect(() => bundle(declared, answer)).toThrow(/of another.*\[FOREIGN\]/);
      expect(bundle(declared, answer, ["f00d", "beef"]).slice(1)).toHaveLength(flows.length);
    });
  });

  it("says what ovs-ofctl does not take, and which port is missing", () => {
    expect(() => bundle(declared, { parse: "", complaint: "ovs-ofctl: -:2: unknown keyword tun_ix\n" })).toThrow(
      /flows\[1\]: ovs-ofctl says: unknown keyword tun_ix.*\[INVALID\]/,
    );
    expect(() => on({ owned: "" }).converge({ ...declared, bridge: "br-no" })).toThrow(/there is no bridge br-no/);
    const away = { ...declared, flows: [{ match: 'in_port="nope"', actions: "drop" }] };
    expect(() => bundle(away, { parse: "x: ADD in_port=60000 actions=drop\n" })).toThrow(/has no port nope/);
    const twice = {
      ...declared,
      flows: [
        { match: "tun_id=100/0xffffffffffffffff", actions: "drop" },
        { match: "tun_id=0x64", actions: "drop" },
      ],
    };
    const parse = "x: ADD tun_id=0x64 actions=drop\n".repeat(2);
    expect(() => bundle(twice, { parse })).toThrow(/flows\[1\]: is the same as flows\[0\]/);
  });

  it("asks for each flow by itself when OpenFlow 1.4 cannot say one, so that it is named", () => {
    const two = { ...declared, flows: [flows[0], { actions: 'strip_vlan,output:"patch-int"' }] };
    const ask = "ovs-ofctl -O OpenFlow14 parse-flow";
    expect(on({ parse: "", complaint: "ovs-ofctl: no usable protocol\n" }).converge(two)).toEqual([
      `${ask} 'table=0,priority=1,in_port=60000,actions=resubmit(,4)'`,
      `${ask} table=0,priority=32768,actions=strip_vlan,output:60000`,
    ]);
  });

  it("takes over another owner's set under its own cookie, and its mark last", () => {
    const theirs = "hostnet:beef:1111";
    const old = hex(cookieOf(ownerOf(theirs), "br-tun", "base"));
    const oldLearned = hex(learnedCookie(cookieOf(ownerOf(theirs), "br-tun", "base")));
    const there = (dumped + learned).replaceAll(C, old).replaceAll(L, oldLearned);
    const lines = bundle(declared, { owned: theirs, dump: `${there} cookie=${old}, table=9, ip actions=drop\n` });
    // What is there and stays is overwritten, not deleted: its counters go on.
    expect(lines).toEqual([
      `delete cookie=${oldLearned}/-1`,
      `delete_strict cookie=${old}/-1,table=9,priority=32768,ip`,
      ...flows.map(() => expect.stringContaining(`add cookie=${C},`)),
      expect.stringContaining(`hostnet-flows-base="${mark}"`),
    ]);
    // Cut off before the mark: the flows are ours by their cookie.
    expect(bundle(declared, { owned: theirs }).at(-1)).toContain(mark);
  });

  it("finds flows without a mark by the cookie in its name; they are given ours in place", () => {
    const strays = `${dumped.replaceAll(C, "0x5").replaceAll(`cookie=${L},`, "")} cookie=0x5, hard_timeout=9, ip actions=drop\n`;
    const answer = { owned: "", dump: strays, parse: parsed };
    const named = { ...declared, name: "cookie-0x5" };
    const found = on(answer).find(named);
    expect(found).toMatchObject({ marks: [undefined], facts: { cookie: "0x5", flows: 4, learned: 0 } });
    expect(on(answer).drift(named)).toStrictEqual({});
    const own = hex(cookieOf(owner, "br-tun", "cookie-0x5"));
    const lines = bundle(named, answer);
    expect(lines).toHaveLength(5);
    for (const line of lines.slice(0, 4)) expect(line).toMatch(new RegExp(`^add cookie=${own},`));
    expect(lines[4]).toContain(`hostnet-flows-cookie-0x5="${mark}"`);
    // As Neutron's agent makes them: with a cookie for what is learned.
    const learning = { ...answer, dump: strays.replaceAll("priority=1,NXM", "priority=1,cookie=0x5,NXM") };
    expect(learning.dump).toContain("hard_timeout=300,priority=1,cookie=0x5,NXM");
    expect(on(learning).drift(named)).toStrictEqual({});
    expect(bundle(named, learning)).toEqual(lines);
    expect(on({ ...answer, dump: ` cookie=0x5, hard_timeout=9, ip actions=drop\n` }).find(named)).toBeUndefined();
  });

  it("takes flows, what they learned, and the mark away", () => {
    expect(on().remove(declared)).toEqual([
      "ovs-ofctl -O OpenFlow13,OpenFlow14 --no-names --bundle add-flows br-tun -",
      "ovs-vsctl --no-wait --timeout=30 -- remove Bridge br-tun external_ids hostnet-flows-base",
    ]);
    expect(on({ dump: "" }).remove(declared)).toHaveLength(1);
  });

  it("is gone when its mark is, whatever flows of the cookie that it was imported by somebody adds", () => {
    const strays = ` cookie=0x5, ip actions=drop\n`;
    const answer = { owned: "", dump: strays, parse: "OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD ip actions=drop\n" };
    expect(on(answer).find({ ...declared, name: "cookie-0x5" })).toMatchObject({ marks: [undefined] });
    expect(on(answer).remove({ ...declared, name: "cookie-0x5" })).toEqual([]);
  });

  it("takes flows whose mark somebody has taken away by their cookie", () => {
    expect(on({ owned: "" }).find(declared)).toBeUndefined();
    expect(on({ owned: "", dump: dumped + learned }).sweep(declared)).toEqual([
      "ovs-ofctl -O OpenFlow13,OpenFlow14 --no-names --bundle add-flows br-tun -",
    ]);
    expect(on({ owned: "", dump: dumped.replaceAll(C, "0x5") }).sweep(declared)).toEqual([]);
  });

  it("claims each flow's place, however its match is spelled", () => {
    const claims = (match: string) => on().claims({ ...declared, flows: [{ match, actions: "drop" }] });
    expect(claims("ip,dl_vlan=5")).toEqual(claims(" vlan_vid=0x1005, dl_type=0x800"));
    expect(claims("ip,dl_vlan=5")).not.toEqual(claims("ip,dl_vlan=6"));
  });

  it("takes spaces between the fields of a match, as ovs-ofctl does", () => {
    const of = (match: string) =>
      (ovsFlows.args.parse({ ...declared, flows: [{ match, actions: "drop" }] }) as typeof declared).flows[0]?.match;
    expect(of(" tcp  tp_dst = 80 , nw_src=10.0.0.0 / 8,")).toBe("tcp,tp_dst=80,nw_src=10.0.0.0/8");
  });

  it("refuses an importance on a bridge without OpenFlow 1.4, which takes the flow without it", () => {
    const flows = [{ actions: "drop" }, { priority: 5, actions: "drop", importance: 7 }];
    const parse = "x: ADD actions=drop\nx: ADD priority=5 importance=7 actions=drop\n";
    const answer = { dump: "", parse, protocols: ["OpenFlow13"] };
    expect(() => on(answer).converge({ ...declared, flows })).toThrow(
      "flows[1].importance: bridge br-tun speaks no OpenFlow 1.4",
    );
    expect(on({ ...answer, protocols: ["OpenFlow13", "OpenFlow14"] }).converge({ ...declared, flows })).toHaveLength(1);
    expect(on({ ...answer, protocols: [] }).converge({ ...declared, flows })).toHaveLength(1);
  });

  it("says which flow Open vSwitch cannot read back", () => {
    // With exit status 0; seen with ct_nw_src beside ip.
    const parse = `OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD arp actions=drop
OFPT_FLOW_MOD (OF1.4) (xid=0x2): ***decode error: OFPBMC_BAD_PREREQ***
00000000  05 0e 00 50 00 00 00 01-00 00 00 00 00 00 00 00 |...P............|
`;
    const matches = ["arp", "ip,ct_nw_src=1.1.1.1"].map((match) => ({ match, actions: "drop" }));
    expect(() => on({ dump: "", parse }).converge({ ...declared, flows: matches })).toThrow(
      "flows[1]: ovs-ofctl says: decode error: OFPBMC_BAD_PREREQ",
    );
  });

  it("refuses a match of which Open vSwitch would leave fields out: it would be for other packets", () => {
    // What parse-flows of OVS 3.1 says beside the flow, with exit status 0.
    const remark = `2026-11-30T02:49:53Z|00001|ofp_match|INFO|normalization changed ofp_match, details:
2026-11-30T02:49:53Z|00002|ofp_match|INFO| pre: nw_src=10.0.0.1
2026-11-30T02:49:53Z|00003|ofp_match|INFO|post: 
`;
    const lost = { bridge: "br-tun", name: "base", flows: [{ match: "nw_src=10.0.0.1", actions: "drop" }] };
    const parse = "OFPT_FLOW_MOD (OF1.4) (xid=0x1): ADD actions=drop\n";
    expect(() => on({ dump: "", parse, remark }).converge(lost)).toThrow(
      'flows: Open vSwitch would leave fields out of the match "nw_src=10.0.0.1", and take "" for it',
    );
  });
});

test("a cookie never has the last bit, by which learned flows are told", () => {
  for (const name of ["a", "b", "c", "d", "e"]) expect(cookieOf(owner, "br", name) & 1n).toBe(0n);
});

test("reads flags and statistics beside a match", () => {
  const text = ` cookie=0x1, duration=1.2s, table=2, n_packets=3, n_bytes=4, idle_timeout=60, idle_age=5, send_flow_rem reset_counts priority=0,tcp,tp_dst=80 actions=drop
 cookie=0x1, duration=1.2s, table=3, n_packets=3, n_bytes=4, reset_counts actions=NORMAL`;
  expect(parseFlows(text)).toMatchObject([
    {
      ...{ table: 2, priority: 0, match: "tcp,tp_dst=80", idleTimeout: 60, cookie: 1n, actions: "drop" },
      flags: "send_flow_rem",
    },
    { table: 3, priority: 32768, match: "", actions: "NORMAL" },
  ]);
});
