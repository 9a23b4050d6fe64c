import { z } from "zod";
import { sshRefusal } from "./nft-guard";
import { commentText, definitionText, elementText, nftName, ruleText, typeText } from "./nft-text";
import { between, deviceRef, ipAddress, namespaceRef, unsigned } from "./scalars";

const seconds = between(1, 4_294_967);
const zone = between(0, 65535);
const comment = commentText.optional().describe("A comment of its own, up to 127 bytes. Default: none.");

const endFlows = z.strictObject({
  zones: z
    .array(zone)
    .min(1, "must be one or more")
    .describe("Conntrack zones, 0 to 65535; 0 is that of all packets that no rule gave another."),
  addresses: z
    .array(ipAddress)
    .optional()
    .describe("Only flows that began at, or went to, one of these. Default: all flows of the zones."),
});

const priorityNames = /^(raw|mangle|dstnat|filter|security|srcnat|out)(\s*[+-]\s*\d{1,5})?$/;

const chain = z.strictObject({
  type: z
    .enum(["filter", "nat", "route"])
    .optional()
    .describe(
      "Type of a base chain: filter, nat or route. Default: filter, where there is a hook. A change reloads the table.",
    ),
  hook: z
    .enum(["prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"])
    .optional()
    .describe(
      "Where packets enter the chain (`hook`). Default: none, for a chain that others jump to. A change reloads the table.",
    ),
  priority: z
    .union([
      between(-32768, 32767),
      z.string().regex(priorityNames, "must be a number or a name as filter, dstnat or raw + 5"),
    ])
    .optional()
    .describe(
      "Its place among the chains of the hook, the lowest first: a number from -32768 to 32767, or nft's name as dstnat. Default: 0. A change reloads the table.",
    ),
  policy: z
    .enum(["accept", "drop"])
    .optional()
    .describe("What becomes of packets that no rule decides. Default: accept."),
  devices: z
    .array(deviceRef)
    .min(1, "must be one or more")
    .optional()
    .describe("Devices of a chain with the hook ingress or egress. They must be there. A change reloads the table."),
  comment,
  rules: z
    .array(ruleText)
    .default([])
    .describe("Rules in their order, in nft's own words, as `ct state established,related accept`. Default: none."),
  endFlows: endFlows
    .optional()
    .describe(
      "Conntrack entries that are deleted when a rule of the chain was changed or taken away: an established flow outlives the rule that let it in. Needs `conntrack` on the host. Default: none.",
    ),
});

const container = {
  type: typeText
    .optional()
    .describe(
      "Type of its elements, as `ipv4_addr . inet_service`; of a map also of what they lead to, as `ipv4_addr : verdict`. Either this or `typeof`. A change reloads the table.",
    ),
  typeof: typeText
    .optional()
    .describe("The same by an expression, as `ip saddr . tcp dport`. A change reloads the table."),
  flags: z
    .array(z.enum(["constant", "dynamic", "interval", "timeout"]))
    .optional()
    .describe(
      "What it can hold: interval for ranges and networks, dynamic and timeout for what rules add. Default: none. A change reloads the table.",
    ),
  timeout: seconds
    .optional()
    .describe(
      "Seconds after which an element that a rule added expires, up to 4294967. Default: never. A change reloads the table.",
    ),
  gcInterval: seconds
    .optional()
    .describe(
      "Seconds between two sweeps of expired elements (`gc-interval`), up to 4294967. Default: the kernel's. A change reloads the table.",
    ),
  size: unsigned(32)
    .min(1, "must be 1 or more")
    .optional()
    .describe(
      "The most elements (`size`). Default: 65535 where rules add some, else no limit. A change reloads the table.",
    ),
  comment,
  elements: z
    .array(elementText)
    .default([])
    .describe(
      "Its elements in nft's words; of a map `KEY : VALUE`. They are exact, but for what rules add to one that is dynamic or has timeouts. A change adds and deletes elements, and touches no rule. Default: none.",
    ),
};

const set = z.strictObject({
  ...container,
  autoMerge: z
    .boolean()
    .optional()
    .describe("Join intervals that overlap or touch (`auto-merge`). Default: false. A change reloads the table."),
  counter: z
    .boolean()
    .optional()
    .describe("Count packets for each element (`counter`). Default: false. A change reloads the table."),
  endFlows: endFlows
    .omit({ addresses: true })
    .optional()
    .describe(
      "Conntrack zones in which the flows of an address are ended when it was taken out of the set. Needs `conntrack` on the host. Default: none.",
    ),
});

const objectTypes = [
  "counter",
  "quota",
  "limit",
  "ct helper",
  "ct timeout",
  "ct expectation",
  "synproxy",
  "secmark",
] as const;

const object = z.strictObject({
  type: z.enum(objectTypes).describe("What it is. A change reloads the table."),
  definition: z
    .array(definitionText)
    .default([])
    .describe(
      'Its lines in nft\'s words, as `type "ftp" protocol tcp` of a ct helper. Default: none. A change reloads the table.',
    ),
});

const flowtable = z.strictObject({
  devices: z
    .array(deviceRef)
    .min(1, "must be one or more")
    .describe("Devices between which flows are sped up. They must be there. A change reloads the table."),
  priority: between(-32768, 32767)
    .default(0)
    .describe("Its place among what hooks at ingress, -32768 to 32767. Default: 0. A change reloads the table."),
  counter: z
    .boolean()
    .optional()
    .describe("Count the packets of its flows. Default: false. A change reloads the table."),
  offload: z
    .boolean()
    .optional()
    .describe("Give flows to the network card (`flags offload`). Default: false. A change reloads the table."),
});

/** Which hooks a family has (nft(8)); netdev's and inet's ingress need a device. */
const hooks: Record<string, string[]> = {
  ip: ["prerouting", "input", "forward", "output", "postrouting"],
  ip6: ["prerouting", "input", "forward", "output", "postrouting"],
  inet: ["prerouting", "input", "forward", "output", "postrouting", "ingress"],
  bridge: ["prerouting", "input", "forward", "output", "postrouting"],
  arp: ["input", "output"],
  netdev: ["ingress", "egress"],
};

export const firewallArgs = z
  .strictObject({
    namespace: namespaceRef
      .optional()
      .describe("The network namespace. Default: the host's own. A change replaces the table."),
    name: nftName.describe("The table's name, no word of nft's language. A change replaces the table."),
    family: z
      .enum(["inet", "ip", "ip6", "bridge", "netdev", "arp"])
      .default("inet")
      .describe(
        "What packets it sees: inet (IPv4 and IPv6), ip, ip6, bridge, netdev or arp. Default: inet. A change replaces the table.",
      ),
    dormant: z.boolean().optional().describe("The table is there and does nothing (`flags dormant`). Default: false."),
    chains: z.record(nftName, chain).optional().describe("Its chains by name. Default: none."),
    sets: z
      .record(nftName, set)
      .optional()
      .describe("Its named sets by name; rules use one as `@name`. Default: none."),
    maps: z.record(nftName, z.strictObject(container)).optional().describe("Its named maps by name. Default: none."),
    objects: z
      .record(nftName, object)
      .optional()
      .describe("Its counters, quotas, limits, helpers and the like, by name. Default: none."),
    flowtables: z.record(nftName, flowtable).optional().describe("Its flowtables by name. Default: none."),
  })
  .superRefine((want, issues) => {
    const say = (path: string[], message: string) => issues.addIssue({ code: "custom", path, message });
    for (const [name, one] of Object.entries(want.chains ?? {})) {
      for (const [key, message] of chainFaults(want.family, one)) say(["chains", name, key], message);
      const cut = want.namespace === undefined && sshRefusal(want.family, one);
      if (cut) say(["chains", name, cut.path], cut.message);
    }
    for (const key of ["sets", "maps"] as const) {
      for (const [name, one] of Object.entries(want[key] ?? {})) {
        if ((one.type === undefined) === (one.typeof === undefined))
          say([key, name, "type"], "must be given, or typeof, and not both");
        if (one.timeout !== undefined && one.elements.length > 0)
          say([key, name, "elements"], "must not be given together with timeout: they would expire");
        if (key === "maps" && want.sets?.[name]) say([key, name], "must not have the name of a set");
      }
    }
  });

type Chain = z.output<typeof chain>;

function chainFaults(family: string, one: Chain): [string, string][] {
  const base = one.hook !== undefined;
  const atDevice = one.hook === "ingress" || one.hook === "egress";
  const faults: [string, string | false][] = [
    ...(["type", "priority", "policy", "devices"] as const).map((key): [string, string | false] => [
      key,
      one[key] !== undefined && !base && "needs a hook",
    ]),
    [
      "hook",
      base &&
        !hooks[family]?.includes(one.hook ?? "") &&
        `must be one of ${hooks[family]?.join(", ")} in the family ${family}`,
    ],
    [
      "devices",
      base &&
        atDevice !== (one.devices !== undefined) &&
        (atDevice ? "must be given for the hook ingress or egress" : "are for the hooks ingress and egress"),
    ],
    [
      "policy",
      one.type === "nat" &&
        one.policy === "drop" &&
        "must be accept in a nat chain: it sees only the first packet of a flow",
    ],
  ];
  return faults.filter((fault): fault is [string, string] => fault[1] !== false);
}

export type FirewallArgs = z.output<typeof firewallArgs>;
export type ChainArgs = Chain;
export type SetArgs = z.output<typeof set>;
