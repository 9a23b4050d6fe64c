import { z } from "zod";
import type { Seen } from "../host/seen";
import { kind } from "../kind";
import type { Section, Step } from "../model/command";
import { HostnetError } from "../model/errors";
import { linkState } from "../model/link-state";
import { devicesOnHost, managerSections, toLeaveAlone } from "../model/managers";
import { cidr, deviceRef, interfaceName, refersTo } from "../model/scalars";

const args = z.strictObject({
  device: deviceRef.describe(
    "The network card that is, or becomes, a port of the bridge. A change gives the first one back.",
  ),
  bridge: refersTo(interfaceName, "OvsBridge", "LinuxBridge").describe(
    "The bridge that has the addresses. A change gives them back first.",
  ),
  addresses: z
    .array(cidr)
    .min(1, "must hold one address or more")
    .describe("The host's addresses on the bridge, with prefix length; the card has none of them any more."),
});

type Want = z.output<typeof args>;

/** Before what anybody else has there: networkd takes the first file that fits a device. */
const fileOf = (device: string) => `/etc/systemd/network/05-hostnet-${device}.network`;

const noLinkLocal = ["LinkLocalAddressing=no", "IPv6AcceptRA=no"];
const head = "# Made by pulumi-hostnet, which puts right what is changed here.";

const cardText = ({ device, bridge }: Want) =>
  [head, `# ${device} is a port of ${bridge}.`, "[Match]", `Name=${device}`, "[Network]", ...noLinkLocal, ""].join("\n");

const bridgeText = ({ bridge, addresses }: Want) =>
  [
    ...[head, "[Match]", `Name=${bridge}`, "[Link]", "RequiredForOnline=no"],
    // What others, and this stack, have set beside stays.
    ...["[Network]", ...noLinkLocal, "ConfigureWithoutCarrier=yes", "KeepConfiguration=yes"],
    ...addresses.map((address) => `Address=${address}`),
    "",
  ].join("\n");

const fileSection = (device: string): Section => ({ key: `networkd:${device}`, argv: ["cat", fileOf(device)] });

const textOf = (seen: Seen, device: string) => {
  const { exitCode, stdout } = seen.result(fileSection(device).key);
  return exitCode === 0 ? stdout : undefined;
};

interface Raw {
  manager?: string;
  card?: string;
  bridge?: string;
}

export const networkdUplink = kind({
  name: "NetworkdUplink",
  doc: "Takes a network card's addresses to the bridge that it is a port of, in the files of systemd-networkd: the card has none, and the bridge has them, now, after a carrier that came back, after `networkctl reconfigure`, and at boot. Where networkd does not manage the card nothing is written; where NetworkManager or ifupdown does, it is refused with what to change. Deleted, the files are gone and networkd gives the card what it had. What carries the SSH connection is not moved.",
  args,
  facts: z.object({
    managedBy: z.string().optional().describe("Who manages the card: networkd; absent when nobody does."),
    files: z.array(z.string()).describe("The files that were written."),
  }),
  identity: ["device", "bridge"],
  needs: ["ip"],
  mark: "ledger",
  permanent: true,
  reset: {},
  claims: (want) => [`networkd's file of ${want.device}`, `networkd's file of ${want.bridge}`],
  observe: (want) => [...managerSections, fileSection(want.device), fileSection(want.bridge)],
  find(want, seen) {
    const link = linkState(seen, undefined, want.device);
    if (!link) return undefined;
    const raw: Raw = {
      manager: devicesOnHost(seen).find(({ name }) => name === want.device)?.managedBy,
      card: textOf(seen, want.device),
      bridge: textOf(seen, want.bridge),
    };
    const written = (["device", "bridge"] as const).filter((end) => raw[end === "device" ? "card" : "bridge"] !== undefined);
    const still = link.addresses.find(({ address }) => want.addresses.includes(address));
    const settled = raw.card === cardText(want) && raw.bridge === bridgeText(want);
    return {
      args: { device: want.device, bridge: want.bridge, addresses: addressesIn(want, raw) },
      facts: { managedBy: raw.manager, files: written.map((end) => fileOf(want[end])) },
      marks: [],
      pending: settled && still ? `networkd to take ${still.address} from ${want.device}` : undefined,
      raw,
    };
  },
  converge(want, live) {
    if (!live) {
      throw new HostnetError("STEP_FAILED", `there is no device ${want.device} on the host`, {
        remedy: "Host's output `interfaces` lists the devices that are there.",
      });
    }
    const { manager, card, bridge } = live.raw as Raw;
    if (manager !== undefined && manager !== "networkd") {
      throw new HostnetError("IN_USE", `${want.device} is managed by ${manager}, which would give it its addresses again`, {
        remedy: `Have it leave the device alone: ${toLeaveAlone(want.device, manager)}.`,
      });
    }
    if (manager === undefined && card === undefined && bridge === undefined) return [];
    const files = [
      { device: want.device, text: cardText(want), has: card },
      { device: want.bridge, text: bridgeText(want), has: bridge },
    ].filter(({ text, has }) => text !== has);
    return reload(want, files.map(({ device, text }) => write(device, text)));
  },
  remove(live, want) {
    const { card, bridge } = live.raw as Raw;
    if (card === undefined && bridge === undefined) return [];
    return reload(want, [{ argv: ["rm", "-f", fileOf(want.device), fileOf(want.bridge)] }]);
  },
});

/** Where nothing is to be written, nothing can differ. */
function addressesIn(want: Want, { manager, card, bridge }: Raw): string[] {
  if (manager === undefined && card === undefined && bridge === undefined) return want.addresses;
  if (card !== cardText(want)) return [];
  return [...(bridge ?? "").matchAll(/^Address=(.*)$/gm)].map(([, address = ""]) => address);
}

const write = (device: string, text: string): Step => ({
  argv: ["install", "-m", "644", "/dev/stdin", fileOf(device)],
  stdin: text,
});

/** networkd takes up changed files with the devices that they fit. */
function reload({ device, bridge }: Want, steps: Step[]): Step[] {
  if (steps.length === 0) return [];
  return [...steps, { argv: ["networkctl", "reload"], touches: [device, bridge] }];
}
