import { z } from "zod";
import type { Seen } from "../host/seen";
import type { Found } from "../kind";
import { account, accountOf, accountSections, type Database, mustExist } from "../model/account";
import type { Section, Step } from "../model/command";
import { linkFacts } from "../model/link-args";
import { linkKind, options, stateOf } from "../model/link-kind";
import type { LinkState } from "../model/link-state";
import {
  macvlanClaims,
  macvlanCompletion,
  macvlanOptions,
  macvlanReplaces,
  macvlanRules,
  macvlanTraits,
} from "../model/macvlan";
import { inNamespace, keyIn } from "../model/namespaces";
import { derivedIndex, parentCreation, parentListed, parentSections } from "../model/parent";

/** A device file and who may open it. */
interface Node {
  path: string;
  /** Major and minor number, in hex. */
  number: string;
  owner: number;
  group: number;
  permissions: string;
}

/** Not an attribute of the link, but of the file. */
const ofNode = { word: "", encode: () => [], decode: () => undefined };

const owns = (what: string) =>
  account.optional().describe(`${what} of the device file, by name or number. Default: root, as the kernel makes it.`);

// In /dev there is one tap<N> for all namespaces: the owner is read of all of them at once.
const nodesSection: Section = {
  key: "tapnodes",
  argv: [
    ...["find", "/dev", "-maxdepth", "1", "-name", "tap*", "-type", "c"],
    ...["-exec", "stat", "-c", "%n %t:%T %u %g %a", "{}", "+"],
  ],
};

// The numbers that belong to it: two namespaces may both have a device 9, and the second one then finds /dev/tap9 taken.
// `find -L` complains of the loop by `subsystem`, after it has answered.
const numbersSection: Section = {
  key: "tapnumbers",
  argv: [
    ...["find", "-L", "/sys/class/macvtap", "-mindepth", "2", "-maxdepth", "2", "-name", "dev"],
    ...["-exec", "grep", "-H", "", "{}", "+"],
  ],
};

function nodeOf(seen: Seen, live: LinkState, namespace: string | undefined): Node | undefined {
  const name = `tap${live.json.ifindex}`;
  const numbers = seen.result(keyIn("tapnumbers", namespace)).stdout;
  const own = new RegExp(`/${name}/dev:(\\d+):(\\d+)$`, "m").exec(numbers);
  const line = seen
    .result("tapnodes")
    .stdout.split("\n")
    .find((text) => text.startsWith(`/dev/${name} `));
  const [path = "", number = "", owner, group, permissions = ""] = line?.split(" ") ?? [];
  const ownNumber = own
    ?.slice(1)
    .map((part) => Number(part).toString(16))
    .join(":");
  return line && number === ownNumber
    ? { path, number, owner: Number(owner), group: Number(group), permissions }
    : undefined;
}

/** A number needs no question to the host. */
const named = (name: unknown) => (typeof name === "string" ? name : undefined);

const idOf = (seen: Seen, database: Database, name: unknown) =>
  typeof name === "string" ? accountOf(seen, database, name).number : (name as number | undefined);

interface Extra {
  mtu: number;
  node?: Node;
  /** The numbers of the accounts that are wanted. */
  owner?: number;
  group?: number;
}

const extraOf = (live: Found<unknown, unknown>) => stateOf(live).extra as Extra;

export const macvtap = linkKind({
  name: "Macvtap",
  type: "macvtap",
  doc: "A macvlan whose frames go to a program, as a virtual machine's, by a device file: `live.devicePath`, /dev/tap<N>. The number comes from namespace and name, and is the same after a rebuild; the file is in the host's /dev also when the device is in a namespace.",
  options: {
    ...macvlanOptions,
    ...options({
      owner: { schema: owns("Owner"), ...ofNode },
      group: { schema: owns("Group"), ...ofNode },
      permissions: {
        schema: z
          .string()
          .regex(/^0?[0-7]{3}$/, "must be three octal digits, as 660")
          .transform((mode) => mode.slice(-3))
          .optional()
          .describe("Permissions of the device file, three octal digits. Default: 600, as the kernel makes it."),
        ...ofNode,
      },
    }),
  },
  facts: linkFacts.extend({
    devicePath: z.string().optional().describe("The device file, /dev/tap<N>; the same after a rebuild."),
  }),
  traits: macvlanTraits,
  // /dev has one tap<N> for all namespaces: with a number of its own no other is in its way, and a rebuild has it again.
  creation: (want) => ({
    ...parentCreation(want),
    words: ["link", want.parent as string, "index", derivedIndex(want)],
  }),
  rules: macvlanRules,
  claims: macvlanClaims,
  replaces: macvlanReplaces,
  listed: parentListed,
  reset: {
    mtu: (live: Found<unknown, unknown>) => extraOf(live).mtu,
    txQueueLength: 500,
    ...{ owner: 0, group: 0, permissions: "600" },
  },
  observe: (want) => [
    ...parentSections(want),
    ...[nodesSection, ...inNamespace(want.namespace, numbersSection)],
    ...[...accountSections("passwd", named(want.owner)), ...accountSections("group", named(want.group))],
  ],
  complete(live, want, seen) {
    const common = macvlanCompletion(live, want, seen);
    const node = nodeOf(seen, live, want.namespace);
    const ids = { owner: idOf(seen, "passwd", want.owner), group: idOf(seen, "group", want.group) };
    // Shown as declared where it is the same account.
    const shown = (what: "owner" | "group") => (node && node[what] === ids[what] ? want[what] : node?.[what]);
    const taken = `/dev/tap${live.json.ifindex} is another device's: two namespaces have used the same number`;
    return {
      args: { ...common.args, owner: shown("owner"), group: shown("group"), permissions: node?.permissions },
      facts: { devicePath: node?.path },
      broken: common.broken ?? (node ? undefined : taken),
      extra: { mtu: common.extra, node, ...ids } satisfies Extra,
    };
  },
  converge(want, live): Step[] {
    const { node, ...ids } = extraOf(live);
    if (!node) return [];
    const owner = typeof want.owner === "string" ? ids.owner : want.owner;
    const group = typeof want.group === "string" ? ids.group : want.group;
    mustExist("user", want.owner, owner);
    mustExist("group", want.group, group);
    const account = `${owner ?? node.owner}:${group ?? node.group}`;
    const { permissions } = want as { permissions?: string };
    return [
      ...(account === `${node.owner}:${node.group}` ? [] : [{ argv: ["chown", account, node.path] }]),
      ...(permissions === undefined || permissions === node.permissions
        ? []
        : [{ argv: ["chmod", permissions, node.path] }]),
    ];
  },
});
