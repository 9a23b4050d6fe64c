import { z } from "zod";
import { defaultPriority, keyOf } from "./openflow";
import { canonicalMatch } from "./ovs-match";
import { between, interfaceName, refersTo } from "./scalars";

/** Keys of ovs-ofctl's flow syntax that other arguments, or hostnet itself, stand for. */
const reserved =
  /(?:^|[,\s(])(cookie|table|priority|idle_timeout|hard_timeout|importance|send_flow_rem|check_overlap|reset_counts|no_packet_counts|no_byte_counts|out_port|out_group)\b/;

const printable = /^[\x20-\x7e]*$/;
const lineText = "must be one line of printable ASCII without '#', which would begin a comment";

const flowText = z
  .string()
  .refine((text) => printable.test(text) && !text.includes("#"), lineText)
  .refine(
    (text) => (text.split('"').length & 1) === 1,
    "must have a second '\"' for each: a port's name stands between two",
  );

const match = flowText
  .refine((text) => !text.includes("action"), "must not have actions: they are an argument of their own")
  .refine((text) => !reserved.test(text), `must not have table, priority, timeouts, cookie or flags in it`)
  .refine(
    (text) => !/(?:^|[\s,])eth(?:[\s,]|$)/.test(text),
    "must not have `eth`: Open vSwitch does not show it, and takes the flow for another when it is deleted",
  )
  // Between fields ovs-ofctl takes spaces for a comma.
  .transform((text) =>
    text
      .replace(/\s*([=/])\s*/g, "$1")
      .replace(/[\s,]+/g, ",")
      .replace(/^,|,$/g, ""),
  );

const actions = flowText
  .refine((text) => text.trim() !== "", "must not be empty: `drop` is an action")
  .refine((text) => !/\bcookie\s*=/.test(text), "must not have a cookie: hostnet gives learned flows their set's own")
  .transform((text) => text.trim());

const flow = z.strictObject({
  table: between(0, 254).default(0).describe("OpenFlow table, 0 to 254 (`table`). Default: 0."),
  priority: between(0, 65535)
    .default(defaultPriority)
    .describe("Of the flows that match, the one with the highest wins (`priority`), 0 to 65535. Default: 32768."),
  match: match
    .default("")
    .describe(
      'What packets it is for, in the words of ovs-fields(7), as `in_port="patch-tun",dl_vlan=5`. The name of a port stands in double quotes. Default: all packets.',
    ),
  actions: actions.describe(
    'What is done with them, in the words of ovs-actions(7), as `mod_vlan_vid:5,output:"patch-tun"` or `drop`. The name of a port stands in double quotes. What `learn` adds is no drift, and goes with the set.',
  ),
  idleTimeout: between(0, 65535)
    .default(0)
    .describe(
      "Seconds without a packet after which Open vSwitch removes the flow (`idle_timeout`), up to 65535; that shows as a missing flow. Default: 0, never.",
    ),
  hardTimeout: between(0, 65535)
    .default(0)
    .describe(
      "Seconds after which Open vSwitch removes it in any case (`hard_timeout`), up to 65535. Default: 0, never.",
    ),
  importance: between(0, 65535)
    .default(0)
    .describe(
      "How late it is evicted from a full table (`importance`), 0 to 65535; needs OpenFlow 1.4 on the bridge. Default: 0.",
    ),
});

export const ovsFlowsArgs = z
  .strictObject({
    bridge: refersTo(interfaceName, "OvsBridge").describe(
      "The Open vSwitch bridge. It must speak OpenFlow 1.3 or 1.4. A change replaces the set.",
    ),
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, "must be 1 to 64 letters, digits, '_', '.' or '-'")
      .describe("The set's name, which tells it from others on the bridge. A change replaces the set."),
    flows: z
      .array(flow)
      .describe(
        "All flows of the set; their order says nothing. Flows of other sets and of other programs stay as they are.",
      ),
  })
  .superRefine(({ flows }, issues) => {
    const seen = new Map<string, number>();
    for (const [index, one] of flows.entries()) {
      const first = seen.get(placeKey(one));
      if (first === undefined) seen.set(placeKey(one), index);
      else
        issues.addIssue({
          code: "custom",
          path: ["flows", index],
          message: `must differ from flows[${first}] in table, priority or match: the second would overwrite the first`,
        });
    }
  });

export type OvsFlowsArgs = z.output<typeof ovsFlowsArgs>;

/** Table, priority and match, however the match is spelled. */
export const placeKey = (one: OvsFlowsArgs["flows"][number]) => keyOf({ ...one, match: canonicalMatch(one.match) });
