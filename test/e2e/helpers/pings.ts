import { mustOnHost, onHost } from "./lab";

/** Who pings whom, five times a second. */
export type Pinger = [namespace: string, to: string];

const unit = (namespace: string) => `test-ping-${namespace}`;
const file = (namespace: string) => `/tmp/${unit(namespace)}`;

/** Pings of guests of a host that go on, beside everything else, until `endedPings` or `stopPings`. */
export async function keepPinging(node: string, pingers: Pinger[]): Promise<void> {
  for (const [namespace, to] of pingers) {
    await mustOnHost(
      node,
      `systemd-run --quiet --collect --unit ${unit(namespace)} -p StandardOutput=truncate:${file(namespace)} ip netns exec ${namespace} ping -i 0.2 ${to}`,
    );
  }
}

/** Ends them; by pinger, how many were sent and came back. The last one may have been on its way. */
export async function endedPings(node: string, pingers: Pinger[]): Promise<{ sent: number; received: number }[]> {
  const counts = [];
  for (const [namespace] of pingers) {
    const said = await mustOnHost(
      node,
      `systemctl kill -s INT ${unit(namespace)}; sleep 1; tail -n 3 ${file(namespace)}; rm ${file(namespace)}`,
    );
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(said) ?? [];
    counts.push({ sent: Number(sent), received: Number(received) });
  }
  return counts;
}

/** Ends what a failed test has left of them. */
export const stopPings = (node: string) => onHost(node, `systemctl stop '${unit("*")}'; rm -f ${file("*")}`);
