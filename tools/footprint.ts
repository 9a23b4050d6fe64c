/**
 * Everything of a host that a deployment could leave behind, in a normal form: two of them are compared by `toEqual`.
 * Keys are what was looked at (`root link`, `blue route`, `ovs Bridge`, `sysctl`), so that a difference says where it is.
 */
export type Footprint = Record<string, unknown>;

/** Devices that modules make for themselves in every namespace and that only unloading the module takes away. */
const fallbackDevices = ["gre0", "gretap0", "erspan0", "tunl0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0"];

/** Separates the answers; no tool prints it. */
const separator = "\u001e";

const ovsTables = "Open_vSwitch Bridge Port Interface Controller Manager QoS Queue Mirror".split(" ");

/** What is asked of the host, as one bash script for root. A tool that is missing leaves its section empty. */
export const footprintScript = `
exec 2>/dev/null
export LC_ALL=C
say() { printf '\\036%s\\n' "$1"; }
look() {
  say "$1 link";  $2 ip -j -d link show
  say "$1 addr";  $2 ip -j addr show
  say "$1 route"; $2 ip -j route show table all
  say "$1 route6"; $2 ip -6 -j route show table all
  say "$1 rule";  $2 ip -j rule show
  say "$1 rule6"; $2 ip -6 -j rule show
  say "$1 vlan";  $2 bridge -j vlan show
  say "$1 nft";   $2 nft list ruleset
}
look root ""
for ns in $(ip netns list | cut -d' ' -f1 | sort); do look "$ns" "ip netns exec $ns"; done
if [ -S /run/openvswitch/db.sock ]; then
  say ovs; ovs-vsctl --timeout=60 -f json ${ovsTables.map((table) => `-- list ${table}`).join(" ")}
  for bridge in $(ovs-vsctl --timeout=60 list-br | sort); do
    say "ports $bridge"; ovs-vsctl --timeout=60 list-ports "$bridge" | sort
    say "flows $bridge"
    ovs-ofctl -O OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15 --no-stats dump-flows "$bridge" | sort
  done
fi
say sysctl; grep -rs '' /proc/sys/net
say units; systemctl list-units --plain --no-legend --full --type=service,scope,socket,timer --state=active,failed,activating | sed 's/^[^a-zA-Z0-9]*//' | cut -d' ' -f1 | sort
say run; find /run -xdev \\( -path /run/udev -o -path /run/user -o -path /run/log -o -path /run/sudo -o -path /run/mount -o -path /run/dbus -o -path /run/credentials -o -path /run/blkid -o -path '/run/systemd/*' \\) -prune -o -printf '%y %m %u %p\\n' | sort
say run-systemd; find /run/systemd/system /run/systemd/network /run/systemd/transient -xdev -mindepth 1 -printf '%y %p\\n' | sort
say ledger; find /run/pulumi-hostnet -type f -exec grep -H '' {} + | sort
say etc; find /etc/netns /etc/systemd/network /etc/systemd/system /etc/modules-load.d /etc/sysctl.d -printf '%y %s %p\\n' | sort
say modules; lsmod | cut -d' ' -f1 | grep -x br_netfilter
say end
`;

/** @throws Error when the answer is not complete: a part of it would compare as equal. */
export function parseFootprint(output: string): Footprint {
  const parts = output.split(separator).slice(1);
  if (parts.at(-1)?.trim() !== "end") throw new Error(`The host's answer is cut off: ${output.slice(-200)}`);
  const footprint: Footprint = {};
  for (const part of parts.slice(0, -1)) {
    const end = part.indexOf("\n");
    const name = part.slice(0, end);
    const text = part.slice(end + 1);
    if (name === "ovs") Object.assign(footprint, ovs(text));
    else footprint[name] = normalise(name, text);
  }
  return footprint;
}

function normalise(name: string, text: string): unknown {
  const topic = name.split(" ").at(-1) ?? "";
  if (name.startsWith("flows ")) return lines(text).filter((line) => !/_reply|OFPST/.test(line));
  if (["link", "addr", "route", "route6", "rule", "rule6", "vlan"].includes(topic)) return ipObjects(topic, text);
  if (topic === "nft") return lines(text).map((line) => line.replace(/packets \d+ bytes \d+/, "counter"));
  if (name === "sysctl") return sysctls(text);
  if (name === "units" || name === "run-systemd") return lines(text).filter((line) => !volatileUnit.test(line));
  if (name === "run")
    return lines(text)
      .map((line) => line.replace(/\.\d+\.ctl$/, ".PID.ctl"))
      .filter((line) => !volatileRun.test(line));
  return lines(text);
}

/** Logins, which our own looking makes, and what systemd starts and stops by timers or on demand. */
const volatileUnit =
  /(session-\w+\.scope|user@\d+|user-runtime-dir@|(apt-daily|dpkg-db-backup|e2scrub|fstrim|logrotate|man-db|systemd-(tmpfiles-clean|timedated|hostnamed|localed|update-utmp|random-seed|journal-flush|rfkill)|udisks2|packagekit|polkit)[\w-]*\.service)/;

const volatileRun = /\/(utmp|agetty\.reload|initctl|xtables\.lock|lock\/.*|apt-.*|unattended-upgrades.*|sshd\.pid)$/;

/** Kept out of `ip -j`: counters, remaining times, numbers that change when a device is made again, and qdiscs. */
const volatileKeys =
  /^(ifindex|link_index|iflink|link_netnsid|stats|stats64|qdisc|valid_life_time|preferred_life_time|expires|cache|hello_timer|tcn_timer|topology_change_timer|gc_timer|hold_timer|message_age_timer|forward_delay_timer|topology_change|topology_change_detected|mcast_querier_state|used|root_id)$/;

function ipObjects(topic: string, text: string): unknown[] {
  const list = text.trim() === "" ? [] : (JSON.parse(text) as Record<string, unknown>[]);
  const kept = list.filter((each) => {
    // `ip -j` prints {} for what a filter took out.
    if (Object.keys(each).length === 0) return false;
    return !fallbackDevices.includes(String(each.ifname ?? each.dev ?? ""));
  });
  // The order of routes in a table and of devices says nothing; that of addresses on a device (the primary) does.
  return topic === "rule" || topic === "rule6" ? kept.map(clean) : sorted(kept.map(clean));
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !volatileKeys.test(key))
      .map(([key, each]) => [key, clean(each)]),
  );
}

/** Columns that count, or that differ when the same row is made again. */
const volatileColumns =
  /^(_uuid|_version|statistics|status|ifindex|link_resets|cur_cfg|next_cfg|lacp_current|cfm_.*|bfd_status|rstp_stat.*|bridges|ports|interfaces|manager_options|is_connected)$/;

/** A table a line. */
function ovs(text: string): Footprint {
  const tables = lines(text);
  return Object.fromEntries(ovsTables.map((table, at) => [`ovs ${table}`, ovsRows(JSON.parse(tables[at] ?? ""))]));
}

/** The rows of an OVSDB table without their links to others; which port is on which bridge is a section of its own. */
function ovsRows(table: { headings: string[]; data: unknown[][] }): unknown[] {
  return sorted(
    table.data.map((row) =>
      Object.fromEntries(
        row
          .map((value, index) => [table.headings[index] ?? "", value] as const)
          .filter(([heading, value]) => !volatileColumns.test(heading) && !JSON.stringify(value).includes('"uuid"')),
      ),
    ),
  );
}

/** Values that count or are random, and what modules bring when they are loaded, as nobody unloads them. */
const volatileSysctl =
  /^net\.(netfilter\.|nf_conntrack_max|ipv4\.(tcp_fastopen_key|tcp_available_ulp|ping_group_range|fib_notify_on_flag_change)|core\.(bpf_jit_limit|netdev_rss_key)|ipv6\.conf\.\w+\.stable_secret)/;

/** `/proc/sys/net/ipv4/ip_forward:1` becomes `net.ipv4.ip_forward = 1`. */
function sysctls(text: string): string[] {
  return lines(text)
    .map((line) => {
      const [, file = "", value] = /^\/proc\/sys\/([^:]*):(.*)$/.exec(line) ?? [];
      return `${file.replaceAll("/", ".")} = ${value}`;
    })
    .filter((line) => !volatileSysctl.test(line))
    .filter((line) => !fallbackDevices.some((device) => line.includes(`.${device}.`)))
    .sort();
}

function sorted<T>(list: T[]): T[] {
  return [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
