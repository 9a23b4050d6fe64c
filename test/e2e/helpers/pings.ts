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

/** Waits for more answers than can be on their way: the last of them are to what is sent from now on. */
const answered = (log: string) => `
answers() { grep -c ' bytes from ' ${log}; }
enough=$(($(answers) + 5))
for try in $(seq 600); do [ $(answers) -gt $enough ] && break; sleep 0.1; done
[ $(answers) -gt $enough ] || { echo 'no answer to the pings comes any more' >&2; exit 1; }`;

/**
 * Ends them once they are answered; by pinger, how many were sent up to the last one that was, and how many of those came
 * back: what is still on its way does not count. @throws Error when there is no answer for a minute.
 */
export async function endedPings(node: string, pingers: Pinger[]): Promise<{ sent: number; received: number }[]> {
  const counts = [];
  for (const [namespace] of pingers) {
    const said = await mustOnHost(
      node,
      `${answered(file(namespace))}\nsystemctl stop ${unit(namespace)}; cat ${file(namespace)}; rm ${file(namespace)}`,
    );
    const numbers = [...said.matchAll(/ bytes from .* icmp_seq=(\d+) /g)].map(([, number]) => Number(number));
    counts.push({ sent: Math.max(0, ...numbers), received: new Set(numbers).size });
  }
  return counts;
}

/** Ends what a failed test has left of them. */
export const stopPings = (node: string) => onHost(node, `systemctl stop '${unit("*")}'; rm -f ${file("*")}`);
