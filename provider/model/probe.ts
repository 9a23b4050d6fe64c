import type { Section } from "./command";
import { family } from "./scalars";

/** How a path is tried, and what its host then says of it. */
export interface Probe {
  namespace?: string;
  protocol: "icmp" | "arp" | "tcp" | "udp";
  to: string;
  port?: number;
  source?: string;
  device?: string;
  /** Bytes of the IP packet. */
  size?: number;
  dontFragment?: boolean;
  count: number;
  expect: "reachable" | "unreachable";
  timeout: number;
}

/** The program of each protocol, for messages. */
export const programOf = { icmp: "ping", arp: "arping", tcp: "python3", udp: "python3" } as const;

/**
 * Tries the probe until it ends as expected or the time is over. Only then, and only if it did not, what the host knows
 * of the way: by then the kernel has made up its mind about the neighbour. Its text is constant; values are arguments.
 * $1 what is expected, $2 seconds, $3 and $4 what the probe prints when all and when some were answered (patterns of
 * `case`), $5 $6 $7 destination, source and device, then the probe.
 */
const script = `
expect=$1 end=$(($(date +%s) + $2)) all=$3 some=$4 to=$5 source=$6 device=$7
shift 7
while :; do
  said=$("$@" 2>&1)
  status=$?
  got=unreachable
  case $said in $all) got=reachable ;; $some) got=partly ;; esac
  [ $got = $expect ] || [ $status = 127 ] || [ $(date +%s) -ge $end ] && break
  sleep 0.3 2>/dev/null || sleep 1
done
printf '@%s %s\\n%s\\n' "$got" "$status" "$said"
[ $got = $expect ] && exit 0
echo "@route $(ip -j route get "$to" \${source:+from "$source"} \${device:+oif "$device"} 2>&1 | tr '\\n' ' ')"
echo "@neighbours $(ip -j neighbour show)"
echo "@links $(ip -j address show)"
exit 0
`.trim();

/**
 * TCP: a connection is made. UDP, which has no handshake: an answer comes, or nothing refuses within the 4 seconds that
 * the kernel takes to give up on a neighbour; IP_RECVERR (11, for IPv6 25) lets it tell of ICMP errors.
 * SO_BINDTODEVICE is 25; `wait` is in seconds. What it prints ends as ping's output does.
 */
const python = `
import socket, sys
protocol, to, port, source, device, count, wait = sys.argv[1:]
six = ":" in to
answered = 0
for _ in range(int(count)):
    with socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as s:
        s.settimeout(float(wait))
        try:
            if device:
                s.setsockopt(socket.SOL_SOCKET, 25, device.encode())
            if source:
                s.bind((source, 0))
            if protocol == "udp":
                s.setsockopt(41 if six else 0, 25 if six else 11, 1)
            s.connect((to, int(port), 0, socket.if_nametoindex(device) if device else 0) if six else (to, int(port)))
            if protocol == "udp":
                s.send(b"\\n")
                try:
                    s.recv(1)
                except socket.timeout:
                    pass
            answered += 1
        except OSError as error:
            print(error.strerror or "timed out")
print("%s packets transmitted, %d received, %d%% packet loss" % (count, answered, 100 - 100 * answered / int(count)))
`.trim();

/** Seconds between packets of ping and arping (which knows no other), and for an answer to TCP or UDP. */
const usualPace = { icmp: 0.2, arp: 1, tcp: 2, udp: 4 };

/** How many seconds one try takes when nothing answers; a second is for the last answer. */
const lasting = ({ protocol, count }: Probe, pace = usualPace[protocol]) =>
  Math.ceil(count * (protocol === "arp" ? usualPace.arp : pace)) + 1;

function argvOf(probe: Probe, pace = usualPace[probe.protocol]): string[] {
  const { protocol, to, port, source, device, size, dontFragment, count } = probe;
  if (protocol === "icmp") {
    const headers = family(to) === 4 ? 28 : 48;
    return [
      ...["ping", "-n", "-c", String(count), "-i", String(pace), "-W", "1"],
      ...(device ? ["-I", device] : []),
      ...(source ? ["-I", source] : []),
      ...(dontFragment ? ["-M", "do"] : []),
      ...(size === undefined ? [] : ["-s", String(size - headers)]),
      to,
    ];
  }
  if (protocol === "arp") {
    // With a deadline arping sends until it has as many answers.
    const seconds = String(lasting(probe));
    return ["arping", "-c", String(count), "-w", seconds, ...(source ? ["-s", source] : []), "-I", device ?? "", to];
  }
  const values = [protocol, to, String(port), source ?? "", device ?? "", String(count), String(pace)];
  return ["python3", "-c", python, ...values];
}

/** Seconds between the packets of a burst. */
const burstPace = 0.02;

/** Many packets of a probe in a second, for the counters on their way. */
export function burst(probe: Probe, count: number): Section {
  const many = { ...probe, count };
  const argv = argvOf(many, burstPace);
  return { key: `burst:${JSON.stringify(argv)}`, argv, slow: lasting(many, burstPace) };
}

/** The same to everybody on a link, without ARP: where no MAC address is to be had. The answers are not of interest. */
export function broadcasts(device: string, ipFamily: 4 | 6, count: number): Section {
  const everybody = ipFamily === 4 ? ["-b", "255.255.255.255"] : ["ff02::1"];
  const pace = ["-c", String(count), "-i", String(burstPace), "-W", "1"];
  const argv = ["ping", "-n", "-q", ...pace, "-I", device, ...everybody];
  return { key: `broadcast:${device} ${ipFamily}`, argv, slow: Math.ceil(count * burstPace) + 1 };
}

/** Bytes of an IP packet of the probe, at least. */
export const lengthOf = ({ protocol, size, to }: Probe) =>
  protocol === "icmp" ? (size ?? (family(to) === 4 ? 84 : 104)) : 60;

/** What is to be asked for a probe; slow, as it takes until the path is there or the time is over. */
export function probeSection(probe: Probe): Section {
  const { protocol, expect, timeout, count, to, source = "", device = "" } = probe;
  const arp = protocol === "arp";
  const all = arp ? `*Received ${count} response*` : "*, 0% packet loss*";
  const some = arp ? "*Received [1-9]* response*" : "*, [1-9]* received*";
  const head = ["sh", "-c", script, "probe", expect, String(timeout), all, some, to, source, device];
  const argv = [...head, ...argvOf(probe)];
  // The last try may begin when the time is over but for a moment.
  return { key: `probe:${JSON.stringify(probe)}`, argv, namespace: probe.namespace, slow: timeout + lasting(probe) };
}

/** What one look at the host tells of a link; an entry of `ip -j address show`. */
interface Link {
  ifname: string;
  flags: string[];
  mtu: number;
  addr_info?: { local?: string }[];
}

/** What a probe saw. */
export interface ProbeAnswer {
  got: "reachable" | "partly" | "unreachable";
  /** Exit status of the program. */
  status: number;
  /** What it printed. */
  said: string;
  sent?: number;
  received?: number;
  /** Milliseconds. */
  rttAvg?: number;
  /** Of the failure only: where the kernel would send packets, or why nowhere. */
  route?: { gateway?: string; dev?: string; type?: string } | string;
  neighbours: { dst: string; dev: string; state?: string[] }[];
  links: Link[];
}

/** The script's output as data; undefined when it did not run. */
export function readProbe(stdout: string): ProbeAnswer | undefined {
  const head = /^@(reachable|partly|unreachable) (\d+)$/m.exec(stdout);
  if (!head) return undefined;
  const part = (name: string) => new RegExp(`^@${name} (.*)$`, "m").exec(stdout)?.[1] ?? "";
  const said = stdout.slice(head.index + head[0].length).split(/^@(?:route|neighbours|links) /m)[0] ?? "";
  const counted = /(\d+) packets transmitted, (\d+)/.exec(said);
  const arped = /Sent (\d+) probes?[\s\S]*Received (\d+) response/.exec(said);
  const [, sent, received] = counted ?? arped ?? [];
  const rtt = /= [\d.]+\/([\d.]+)\//.exec(said)?.[1];
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const route = part("route").trim();
  return {
    got: head[1] as ProbeAnswer["got"],
    status: Number(head[2]),
    said: said.trim(),
    sent: number(sent),
    received: number(received),
    rttAvg: number(rtt),
    route: route.startsWith("[{") ? JSON.parse(route)[0] : route,
    neighbours: listIn(part("neighbours")),
    links: listIn(part("links")),
  };
}

const listIn = (text: string) => (text.startsWith("[") ? JSON.parse(text) : []);
