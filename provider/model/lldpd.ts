import { z } from "zod";
import type { Seen } from "../host/seen";
import { after, type Setting, type Settings } from "./settings";

/** What the settings need of a Lldp's arguments. */
export interface LldpWant {
  devices?: string[];
  systemName?: string;
  systemDescription?: string;
  platform?: string;
  chassisId?: string;
  txInterval?: number;
  txHold?: number;
  portId?: "ifname" | "macaddress";
  agentType?: "nearest-bridge" | "nearest-non-tpmr-bridge" | "nearest-customer-bridge";
  managementAddresses?: string[];
  maxNeighbors?: number;
  receiveOnly?: boolean;
  advertiseVersion?: boolean;
  cdp?: boolean;
  edp?: boolean;
  fdp?: boolean;
  sonmp?: boolean;
  medClass?: number;
}

type Key = keyof LldpWant;

/** A line `configure WORDS VALUE` of the file that lldpd hands to lldpcli when it starts. */
function line(key: Key, words: string, decode: (text: string) => unknown, quoted = false): Setting<LldpWant> {
  const start = `configure ${words} ${quoted ? '"' : ""}`;
  const end = quoted ? '"' : "";
  return {
    place: "config",
    write: ({ [key]: value }) => (value === undefined ? [] : [`${start}${[value].flat().join(",")}${end}`]),
    read(lines) {
      const text = after(lines, start);
      return text === undefined ? undefined : decode(text.slice(0, text.length - end.length));
    },
  };
}

const text = (value: string) => value;
const list = (value: string) => value.split(",");

/** A switch of the daemon itself, given where the argument is `on`. */
const flag = (key: Key, word: string, on = true): Setting<LldpWant> => ({
  place: "argv",
  write: (want) => (want[key] === on ? [word] : []),
  read: (words) => words.includes(word) === on,
});

export const lldpSettings: Settings<LldpWant> = {
  devices: line("devices", "system interface pattern", list),
  systemName: line("systemName", "system hostname", text, true),
  systemDescription: line("systemDescription", "system description", text, true),
  platform: line("platform", "system platform", text, true),
  chassisId: line("chassisId", "system chassisid", text, true),
  txInterval: line("txInterval", "lldp tx-interval", Number),
  txHold: line("txHold", "lldp tx-hold", Number),
  portId: line("portId", "lldp portidsubtype", text),
  agentType: line("agentType", "lldp agent-type", text),
  managementAddresses: line("managementAddresses", "system ip management pattern", list),
  maxNeighbors: line("maxNeighbors", "system max-neighbors", Number),
  receiveOnly: flag("receiveOnly", "-r"),
  advertiseVersion: flag("advertiseVersion", "-k", false),
  cdp: flag("cdp", "-c"),
  edp: flag("edp", "-e"),
  fdp: flag("fdp", "-f"),
  sonmp: flag("sonmp", "-s"),
  medClass: {
    place: "argv",
    write: ({ medClass }) => (medClass === undefined ? [] : ["-M", String(medClass)]),
    read: (words) => (words.includes("-M") ? Number(words[words.indexOf("-M") + 1]) : undefined),
  },
};

/** What `lldpcli show configuration` calls them; `lldpcli configure` changes them without a trace in the file. */
const configurationKeys: [Key, key: string, decode: (text: string) => unknown][] = [
  ["devices", "iface-pattern", list],
  ["systemName", "hostname", text],
  ["systemDescription", "description", text],
  ["platform", "platform", text],
  ["chassisId", "cid-string", text],
  ["txInterval", "tx-delay", Number],
  ["txHold", "tx-hold", Number],
  ["agentType", "lldp-agent-type", (value) => value.replaceAll(" ", "-").toLowerCase()],
  ["managementAddresses", "mgmt-pattern", list],
  ["maxNeighbors", "max-neighbors", Number],
];

/** An element of `lldpcli -f json0`: lists everywhere, so that one neighbour looks as two do. */
interface Element {
  [key: string]: Element[] | string | boolean | undefined;
}

const elements = (element: Element | undefined, key: string): Element[] => {
  const found = element?.[key];
  return Array.isArray(found) ? found : [];
};

const textOf = (element: Element | undefined, key: string) => {
  const value = elements(element, key)[0]?.value;
  return typeof value === "string" && value !== "" ? value : undefined;
};

/** What lldpd says that it does, by the names of the arguments; undefined when it does not answer. */
export function configurationOf(seen: Seen, key: string): Partial<Record<Key, unknown>> | undefined {
  const { exitCode, stdout } = seen.result(key);
  if (exitCode !== 0 || !stdout.trim().startsWith("{")) return undefined;
  const config = elements(elements(JSON.parse(stdout) as Element, "configuration")[0], "config")[0];
  return Object.fromEntries(
    configurationKeys.flatMap(([path, name, decode]) => {
      const value = textOf(config, name);
      return value === undefined ? [] : [[path, decode(value)]];
    }),
  );
}

/** Who is at the other end of a device, as the messages from there say. */
export const neighbor = z.object({
  device: z.string().describe("The own device."),
  protocol: z.string().describe("LLDP, or CDPv1, CDPv2, EDP, FDP, SONMP."),
  chassis: z.string().optional().describe("The neighbour's chassis identity, mostly a MAC address."),
  systemName: z.string().optional().describe("The neighbour's name."),
  systemDescription: z.string().optional().describe("What it says that it is."),
  port: z.string().optional().describe("The identity of its port."),
  portDescription: z.string().optional().describe("What it says of the port."),
  managementAddresses: z.array(z.string()).describe("Where it is managed."),
});

/** Who is at the other end of each device. */
export function neighborsOf(seen: Seen, key: string): z.output<typeof neighbor>[] {
  const { exitCode, stdout } = seen.result(key);
  if (exitCode !== 0 || !stdout.trim().startsWith("{")) return [];
  const lldp = elements(JSON.parse(stdout) as Element, "lldp")[0];
  return elements(lldp, "interface").map((one) => {
    const [chassis, port] = [elements(one, "chassis")[0], elements(one, "port")[0]];
    return {
      device: String(one.name),
      protocol: String(one.via),
      chassis: textOf(chassis, "id"),
      systemName: textOf(chassis, "name"),
      systemDescription: textOf(chassis, "descr"),
      port: textOf(port, "id"),
      portDescription: textOf(port, "descr"),
      managementAddresses: elements(chassis, "mgmt-ip").flatMap(({ value }) =>
        typeof value === "string" ? [value] : [],
      ),
    };
  });
}
