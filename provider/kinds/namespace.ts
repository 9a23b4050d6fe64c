import { z } from "zod";
import { kind } from "../kind";
import { isAnnouncing } from "../model/announcing";
import type { Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { forwardingOf, forwardingSection } from "../model/forwarding";
import { markLink } from "../model/link";
import { fallbackDevices, linkSections, linkState, linksIn } from "../model/link-state";
import { isMark, ownership } from "../model/mark";
import { inNamespace, keyIn, namespaceExists } from "../model/namespaces";
import { netnsInode, netnsSection, type Process, processesIn, processSections } from "../model/processes";
import { namespaceName } from "../model/scalars";
import { sysctlClaim, sysctlKey, sysctlValue } from "../model/sysctl";

export const namespace = kind({
  name: "Namespace",
  doc: "A network namespace, as `ip netns add` makes it, with its loopback device up unless told otherwise.",
  args: z.strictObject({
    name: namespaceName.describe(
      "The namespace's name under /run/netns, 1 to 64 characters. Default: the last part of the resource's name after '/'.",
    ),
    loopback: z
      .boolean()
      .default(true)
      .describe("Whether its loopback device `lo` is up: without it nothing in it reaches itself. Default: true."),
    sysctls: z
      .record(sysctlKey, sysctlValue)
      .optional()
      .describe(
        "Kernel parameters inside the namespace, as { 'net.ipv4.ip_forward': 1 }. A removed one keeps its value.",
      ),
  }),
  facts: z.object({
    inode: z.number().optional().describe("The inode of /run/netns/NAME."),
    devices: z.array(z.string()).describe("The devices in it, but for lo and the fallback tunnels."),
  }),
  identity: ["name"],
  needs: ["ip"],
  mark: "alias",
  reset: {},
  claims: (want) => [
    `namespace ${want.name}`,
    ...Object.keys(want.sysctls ?? {}).map((key) => sysctlClaim(want.name, key)),
  ],
  observe(want) {
    const keys = Object.keys(want.sysctls ?? {});
    const sysctls = { key: sysctlsKey(keys), argv: ["sysctl", "-e", ...keys] };
    return [...linkSections(want.name), netnsSection, ...inNamespace(want.name, ...(keys.length > 0 ? [sysctls] : []))];
  },
  beforeRemoval: () => processSections,
  find(want, seen) {
    if (!namespaceExists(seen, want.name)) return undefined;
    const lo = linkState(seen, want.name, "lo");
    const devices = linksIn(seen, want.name).filter((link) => !fallbackDevices.has(link.ifname));
    const keys = Object.keys(want.sysctls ?? {});
    return {
      args: {
        name: want.name,
        loopback: lo?.json.flags.includes("UP") ?? false,
        sysctls: liveSysctls(keys, keys.length > 0 ? seen.result(keyIn(sysctlsKey(keys), want.name)).stdout : ""),
      },
      facts: { inode: Number(netnsInode(seen, want.name)) || undefined, devices: devices.map((link) => link.ifname) },
      marks: [lo?.json.ifalias],
      raw: {
        alias: lo?.json.ifalias,
        devices,
        processes: seen.has("processes")
          ? processesIn(seen, want.name).filter((process) => !isAnnouncing(process))
          : [],
      },
    };
  },
  survey: (namespace) => inNamespace(namespace, forwardingSection),
  list: (seen, namespace) => (namespace ? [{ name: namespace, sysctls: forwardingOf(seen, namespace) }] : []),
  converge(want, live, context) {
    const inside = want.name;
    const loopback = (state: "up" | "down"): Step => ({
      argv: ["ip", "link", "set", "dev", "lo", state],
      namespace: inside,
    });
    const wanted = Object.entries(want.sysctls ?? {});
    if (!live) {
      const create: Step = { argv: ["ip", "netns", "add", want.name] };
      const up = want.loopback ? [loopback("up")] : [];
      return [create, markLink("lo", inside, context), ...up, ...sysctlSteps(wanted, inside)];
    }
    const { alias } = live.raw as { alias?: string };
    const differing = wanted.filter(([key, value]) => live.args.sysctls?.[key] !== value);
    return [
      ...(alias !== context.mark && (!alias || isMark(alias)) ? [markLink("lo", inside, context)] : []),
      ...(live.args.loopback === want.loopback ? [] : [loopback(want.loopback ? "up" : "down")]),
      ...sysctlSteps(differing, inside),
    ];
  },
  remove(live, want, context) {
    const { devices } = live.raw as { devices: { ifname: string; ifalias?: string }[] };
    const foreign = devices.filter((link) => !["this", "sibling"].includes(ownership(link.ifalias, context.mark)));
    if (foreign.length > 0) {
      const names = foreign.map((link) => link.ifname).join(", ");
      throw new HostnetError("IN_USE", `namespace ${want.name} holds devices that are not ours: ${names}`, {
        remedy: "Move or delete them, then run the command again.",
      });
    }
    // `ip netns del` would do it, and the process would live on in a namespace without a name.
    const { processes } = live.raw as { processes: Process[] };
    if (processes.length > 0) {
      const names = processes.map(({ pid, args }) => `${args.split(" ")[0]} (pid ${pid})`).join(", ");
      throw new HostnetError("IN_USE", `processes run in namespace ${want.name}: ${names}`, {
        remedy: "End them, then run the command again.",
      });
    }
    return [{ argv: ["ip", "netns", "del", want.name] }];
  },
});

const sysctlsKey = (keys: string[]) => `sysctls:${keys.join(",")}`;

const sysctlSteps = (values: [string, string][], inside: string): Step[] =>
  values.length === 0
    ? []
    : [{ argv: ["sysctl", "-qw", ...values.map(([key, value]) => `${key}=${value}`)], namespace: inside }];

/** `sysctl KEY…` prints `key = value` in the order asked, with dots; a tab stands between several numbers. */
function liveSysctls(keys: string[], printed: string): Record<string, string> {
  const values = new Map(
    printed.split("\n").flatMap((line) => {
      const [key, value] = line.split(" = ");
      return key && value !== undefined ? [[dotted(key), value.trim().replace(/\s+/g, " ")] as const] : [];
    }),
  );
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = values.get(dotted(key));
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

/** One form for both spellings: `sysctl` prints a.b/c.d for a/b.c/d. */
const dotted = (key: string) => key.replace(/[./]/g, ".");
