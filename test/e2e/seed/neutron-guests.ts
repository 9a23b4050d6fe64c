import { readFileSync } from "node:fs";
import { join } from "node:path";
import { host, mustOnHost, onHost } from "../helpers/lab";
import { outsideIp } from "./neutron-cloud";

/** What the guests of the cloud do, by guest.py: one process on each host for all of its guests. */
const program = "/tmp/hostnet-guest.py";
const script = readFileSync(join(__dirname, "guest.py"), "utf8");
const nic = host("n1").interfaces.external;

const word = (value: unknown) => `'${JSON.stringify(value)}'`;

/** `python3 guest.py WORD JSON` under systemd, until `stop`. It is back as soon as the guests are ready. */
const start = (node: string, what: string, args: unknown) =>
  mustOnHost(
    node,
    `systemd-run --quiet --collect --unit guest-${what} -p Type=notify -p NotifyAccess=all python3 ${program} ${what} ${word(args)}`,
  );

const stop = (node: string, what = "*") => onHost(node, `systemctl stop 'guest-${what}' 2>&1`);

/** The machine of the network outside: n1's external card, in a namespace without a way to the tenants. */
export async function makeOutside(): Promise<void> {
  await mustOnHost(
    "n1",
    `ip netns add outside && ip link set ${nic} netns outside && ip -n outside address add ${outsideIp}/24 dev ${nic} && ip -n outside link set ${nic} up`,
  );
}

export const removeOutside = () =>
  mustOnHost(
    "n1",
    `ip -n outside link set ${nic} netns 1; ip netns del outside; for i in $(seq 50); do ip link show ${nic} >/dev/null 2>&1 && break; sleep 0.1; done; udevadm settle`,
  );

const servers = {
  n1: { blue1: [22, 8080], blue3: [8080], red1: [8080], loner: [8080], outside: [8080] },
  n2: { blue2: [22, 8080, 8081], red2: [8080], green2: [8080] },
};

export async function startGuests(): Promise<void> {
  await Promise.all(
    Object.entries(servers).map(async ([node, guests]) => {
      await mustOnHost(node, `cat >${program}`, { stdin: script });
      await start(node, "serve", guests);
    }),
  );
}

export async function stopGuests(): Promise<void> {
  for (const node of Object.keys(servers)) {
    await stop(node);
    await onHost(node, `rm -f ${program} /tmp/guest-*`);
  }
}

/** A guest that is a program: its TAP, MAC address and IP address. */
export type MachineGuest = [tap: string, mac: string, address: string];

/** Guests that open their TAP, and answer ARP and pings, until they are stopped. */
export const startMachines = (node: string, guests: MachineGuest[]) => start(node, "machines", guests);
export const stopMachines = (node: string) => stop(node, "machines");

/** A path by TCP: who, to which address and port. */
export type TcpPath = [guest: string, address: string, port: number];

/** What each path's server answers, who it is and who it says is asking; or `timeout`. */
export async function ask(node: string, paths: TcpPath[]): Promise<string[]> {
  return JSON.parse(await mustOnHost(node, `python3 ${program} get ${word(paths)}`)) as string[];
}

/** The paths with what is expected of each, beside what each said. */
export async function asExpected(node: string, table: [...TcpPath, says: string][]): Promise<void> {
  const said = await ask(
    node,
    table.map(([guest, address, port]) => [guest, address, port]),
  );
  const lines = (answers: string[]) => table.map(([guest, to, port], at) => `${guest} → ${to}:${port}: ${answers[at]}`);
  expect(lines(said)).toEqual(lines(table.map((row) => row[3])));
}

/** Connections on which something is said five times a second, until `hangUp`; the log of each has the times of answers. */
export const keepTalking = (paths: [...TcpPath, log: string][]) => start("n1", "talk", paths);
export const hangUp = () => stop("n1", "talk");

/** A frame that a guest sends: its kind in guest.py, the text that it is known by, more arguments. */
export type Sent = [guest: string, kind: string, text: string, ...more: string[]];

/** How many frames with each text came to each guest of `node`, and to UDP port 9999 of that host, while `sent` was sent from n1. */
export async function arrived(
  node: string,
  namespaces: string[],
  sent: Sent[],
): Promise<Record<string, Record<string, number>>> {
  const log = "/tmp/guest-count";
  const texts = sent.map(([, , text]) => text);
  await start(node, "count", { namespaces, texts, port: 9999, log });
  await mustOnHost("n1", `python3 ${program} frames ${word(sent)}`);
  return JSON.parse(await mustOnHost(node, `systemctl stop guest-count; cat ${log}`));
}
