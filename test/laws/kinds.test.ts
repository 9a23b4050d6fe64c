import type { z } from "zod";
import { kinds } from "../../provider/kinds";
import { check, type Inputs } from "../../provider/lifecycle";
import { type ClaimTable, enter, takenBy } from "../../provider/model/claim-table";
import type { Step } from "../../provider/model/command";
import { linkShape } from "../../provider/model/link-args";
import { isUnknown, UNKNOWN } from "../../provider/model/unknown";
import { validate } from "../../provider/validate";
import { answers } from "../kinds/answers";
import type { Sample } from "../kinds/sample";
import {
  allFields,
  descriptionOf,
  fieldsOf,
  kindNames,
  limitsOf,
  over,
  replaced,
  samplesOf,
  trials,
  updated,
} from "./samples";

/**
 * What DESIGN section 5 and provider/kind.ts say of every kind, tried on all that the registry holds: a new kind is
 * under all of it by its line in the registry and its sample.
 */

const kindOf = (name: string) => {
  const kind = kinds[name];
  if (!kind) throw new Error(`there is no kind ${name}`);
  return kind;
};

const reserved = [
  "id",
  "urn",
  "live",
  "parents",
  "kind",
  "revision",
  "host",
  "adopt",
  "was",
  "unfinished",
  "formerOwners",
  "__provider",
];
const commonLinkArguments = Object.keys(linkShape);
const coveredOnce = ["LinuxBridge", "VethPair"];

const triedBy = ({ updates, replaces }: Sample) => [...Object.keys(updates), ...Object.keys(replaces)];

test("every kind has a sample", () => {
  expect(kindNames.filter((name) => samplesOf(name).length === 0)).toEqual([]);
});

test("every kind is found on a host that somebody else has set up, but for what only this library makes", () => {
  const ours = ["ConnectivityCheck", "GratuitousArp"];
  expect(kindNames.filter((name) => !kindOf(name).list)).toEqual(ours);
});

describe.each(kindNames)("%s", (name) => {
  const kind = kindOf(name);

  test("is registered under its name, which the class has too", () => expect(kind.name).toBe(name));

  test("has identity arguments that exist", () => {
    const paths = fieldsOf(kind.args).map(({ path }) => path);
    expect(kind.identity.filter((path) => !paths.includes(path))).toEqual([]);
  });

  test("resets arguments that exist", () => {
    const paths = fieldsOf(kind.args).map(({ path }) => path);
    expect(Object.keys(kind.reset).filter((path) => !paths.includes(path))).toEqual([]);
    expect(Object.keys(kind.reset).filter((path) => kind.identity.includes(path))).toEqual([]);
  });

  test("documents itself, every argument and every fact", () => {
    const silent = ({ path, schema }: ReturnType<typeof allFields>[number]) => (descriptionOf(schema) ? [] : [path]);
    expect(kind.doc).toMatch(/\.$/);
    expect(allFields(kind.args).flatMap(silent)).toEqual([]);
    expect(allFields(kind.facts).flatMap(silent)).toEqual([]);
  });

  test("says the limits of every number, but for those of a field of 31 or 32 bits", () => {
    const silent = allFields(kind.args).flatMap(({ path, schema }) => {
      const doc = descriptionOf(schema) ?? "";
      const limits = limitsOf(schema).filter((limit) => Math.abs(limit) > 1 && limit < 0x7fff_ffff);
      return limits.filter((limit) => !doc.includes(String(limit))).map((limit) => `${path}: ${limit}`);
    });
    expect(silent).toEqual([]);
  });

  test("ends every sentence of its documentation", () => {
    const open = allFields(kind.args).filter(({ schema }) => !/[.)]$/.test(descriptionOf(schema) ?? "."));
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test("names no argument as the engine or the library names its own", () => {
    expect(Object.keys(kind.args.shape).filter((key) => reserved.includes(key))).toEqual([]);
  });

  test("has every argument of its own tried by its samples", () => {
    const known = samplesOf(name).flatMap(triedBy);
    const covered = (path: string) =>
      known.some((tried) => tried === path || path.startsWith(`${tried}.`) || tried.startsWith(`${path}.`));
    const missing = fieldsOf(kind.args).filter(({ path, of }) => {
      const isCommon = commonLinkArguments.every((key) => key in of.shape);
      return !covered(path) && !(isCommon && commonLinkArguments.includes(path.split(".").at(-1) ?? ""));
    });
    expect(missing.map(({ path }) => path)).toEqual([]);
  });
});

describe.each(trials)("%s", (_title, sample) => {
  const kind = kindOf(sample.kind);
  const host = { name: "n1", address: "192.0.2.1", machineId: "m1", owner: "a1b2c3d4", epoch: "e" };
  const checkArgs = (args: unknown) => check(kind, { host, ...(args as object) } as unknown as Inputs).failures;

  test("accepts its sample, with each of its updates and replacements", () => {
    expect(validate(kind.args, sample.args).failures).toEqual([]);
    for (const [path, update] of Object.entries(sample.updates)) {
      expect({ path, failures: validate(kind.args, updated(sample, path, update)).failures }).toEqual({
        path,
        failures: [],
      });
    }
    for (const path of Object.keys(sample.replaces)) {
      expect({ path, failures: validate(kind.args, replaced(sample, path)[1]).failures }).toEqual({
        path,
        failures: [],
      });
    }
  });

  test("takes what it gives as normal form, and gives the same again", () => {
    for (const [path, update] of Object.entries(sample.updates)) {
      const once = validate(kind.args, updated(sample, path, update)).value;
      expect({ path, value: validate(kind.args, once).value }).toEqual({ path, value: once });
    }
  });

  test("lets what is unknown in preview pass at every level", () => {
    const trees = [
      sample.args,
      ...Object.entries(sample.updates).map(([path, update]) => updated(sample, path, update)),
    ];
    for (const tree of trees) {
      for (const args of withUnknowns(tree))
        expect({ args, failures: checkArgs(args) }).toEqual({ args, failures: [] });
    }
    for (const key of Object.keys(kind.args.shape)) {
      const args = { ...sample.args, [key]: UNKNOWN };
      expect({ args, failures: checkArgs(args) }).toEqual({ args, failures: [] });
    }
  });

  test("refuses an argument that does not exist, and names the nearest one", () => {
    for (const key of Object.keys(kind.args.shape).filter((word) => word.length > 2)) {
      const reasons = checkArgs({ ...sample.args, [`${key}x`]: 1 }).map(({ reason }) => reason);
      expect(reasons).toContainEqual(expect.stringMatching(new RegExp(`^${key}x: .*did you mean '`)));
    }
    expect(checkArgs({ ...sample.args, zzzzzzzzzz: 1 })).toMatchObject([
      { reason: expect.stringMatching(/allowed are/) },
    ]);
  });

  // Nothing of a check stays on the host.
  if (kind.mark !== "none") {
    test("changes every argument behind our back, so that the end-to-end laws see it shown and mended", () => {
      const silent = Object.entries(sample.updates).filter(([, { drift }]) => drift === undefined);
      expect(silent.map(([path]) => path)).toEqual([]);
    });
  }

  test("looks for the default of every argument that goes back to one", () => {
    const optional = (path: string) => fieldsOf(kind.args).some((field) => field.path === path && !isRequired(field));
    const silent = Object.entries(sample.updates).filter(
      ([path, { removed }]) => path in kind.reset && optional(path) && removed === undefined,
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test("claims in words: a conflict shows them", () => {
    for (const args of [sample.args, { ...sample.args, namespace: undefined }]) {
      const { value } = validate(kind.args, args);
      for (const claim of value ? kind.claims(value) : []) expect(claim).not.toMatch(/ -$|^hostnet-/);
    }
  });

  test("refuses what its sample says must be refused, and says where and why", () => {
    for (const { args, path, text } of sample.invalid) {
      const { failures } = validate(kind.args, over(sample.args, args));
      const said = failures.map((failure) => `${failure.path}: ${failure.reason}`).join("\n");
      expect({ args, said, named: failures.some((failure) => failure.path === path), fits: text.test(said) }).toEqual({
        args,
        said,
        named: true,
        fits: true,
      });
    }
  });

  test("makes something of nothing, by steps that are plain data", () => {
    const args = [
      sample.args,
      ...Object.entries(sample.updates).map(([path, update]) => updated(sample, path, update)),
    ];
    for (const one of args) {
      const want = validate(kind.args, one).value;
      const seen = answers(kind.observe(want), sample.answers ?? {});
      const context = { mark: "hostnet:a1b2c3d4:e5f6", owner: "a1b2c3d4", was: [], seen };
      if (kind.permanent) continue;
      const steps = kind.converge(want, undefined, context);
      expect(steps.length).toBeGreaterThan(0);
      expect(steps.filter((step) => !isSafe(step)).map(({ argv }) => argv)).toEqual([]);
    }
  });

  test("asks in plain data, one question under one key", () => {
    const sections = kind.observe(validate(kind.args, sample.args).value);
    const keys = sections.map(({ key }) => key);
    expect(new Set(keys).size).toBeLessThanOrEqual(keys.length);
    for (const { argv } of sections) expect(argv.slice(0, 3).join(" ")).not.toMatch(/^ip (netns exec|-n )/);
  });

  test("claims what it occupies", () => {
    const claims = kind.claims(validate(kind.args, sample.args).value);
    if (kind.mark !== "none") expect(claims.length).toBeGreaterThan(0);
    expect(new Set(claims).size).toBe(claims.length);
  });

  test("has no path in the sample that is no argument, and none that is both updated and replaced", () => {
    const paths = fieldsOf(kind.args).map(({ path }) => path);
    const records = (path: string) => paths.some((known) => path.startsWith(`${known}.`));
    expect(triedBy(sample).filter((path) => !paths.includes(path) && !records(path))).toEqual([]);
    expect(Object.keys(sample.updates).filter((path) => path in sample.replaces)).toEqual([]);
  });
});

test("no two samples claim the same thing: the end-to-end laws try all of them at once", () => {
  // Several may need the same, which is made once; but it is nobody's to try.
  const needed = trials.flatMap(([title, { needs = [] }]) =>
    needs.map((need) => ({ ...need, title: `what ${title} needs`, who: JSON.stringify(need) })),
  );
  const tried = trials.map(([title, { kind, args }]) => ({ kind, args, title, who: title }));
  const table: ClaimTable = new Map();
  const conflicts = [...tried, ...needed].flatMap((one) => {
    const claims = kindOf(one.kind).claims(validate(kindOf(one.kind).args, one.args).value);
    const taken = takenBy(table, claims);
    enter(table, one.who, claims);
    return taken && taken.title !== one.who ? [`${one.title} and ${taken.title}: ${taken.key}`] : [];
  });
  expect(conflicts).toEqual([]);
});

test("the arguments of all links are tried once, with a bridge or a pair", () => {
  const tried = new Set(coveredOnce.flatMap(samplesOf).flatMap(triedBy));
  const last = new Set([...tried].map((path) => path.split(".").at(-1)));
  expect(commonLinkArguments.filter((key) => !last.has(key))).toEqual([]);
});

const isRequired = ({ schema }: { schema: z.ZodType }) => !schema.safeParse(undefined).success;

/** Copies of the tree, each with one value, at any depth, unknown. */
function withUnknowns(tree: unknown): unknown[] {
  if (tree === null || typeof tree !== "object" || isUnknown(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => {
    const put = (inner: unknown) =>
      Array.isArray(tree)
        ? tree.map((item, index) => (String(index) === key ? inner : item))
        : { ...tree, [key]: inner };
    return value === undefined ? [] : [put(UNKNOWN), ...withUnknowns(value).map(put)];
  });
}

/** All that steps may run: a shell is none of it. */
const programs = new Set(
  ["ip", "bridge", "sysctl", "ethtool", "udevadm", "modprobe", "ovs-vsctl", "ovs-ofctl", "tc", "nft"].concat([
    "chown",
    "chgrp",
    "chmod",
    "mkdir",
    "rm",
    "install",
    "tee",
    "devlink",
    "systemctl",
    "dnsmasq",
    "find",
    "ln",
  ]),
);

function isSafe({ argv, stdin, namespace }: Step): boolean {
  const [program = "", ...words] = argv;
  if (!programs.has(program)) return false;
  if (argv.some((word) => typeof word !== "string" || /[\0\n]/.test(word))) return false;
  // Merged into one `ip -batch`, whose tokenizer knows quotes and comments.
  if (program === "ip" && stdin === undefined && !words.every((word) => /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)))
    return false;
  return (
    !(program === "ip" && (words[0] === "-n" || (words[0] === "netns" && words[1] === "exec"))) && namespace !== ""
  );
}
