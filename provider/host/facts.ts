import { hello, path } from "./transport";
import type { HostFacts } from "./types";

/** The programs that resources may need. Which of them a host has is looked up once, when the connection is made. */
export const knownTools = (
  "ip bridge tc ss sysctl ethtool ovs-vsctl ovs-ofctl ovs-appctl ovs-dpctl nft iptables conntrack udevadm systemctl " +
  "systemd-run dnsmasq lldpd lldpcli socat ping arping flock timeout modprobe networkctl nmcli python3 tcpdump ps"
).split(" ");

/** Puts the shell's own surroundings right, which sudo may have changed; it keeps no home directory busy. */
export const preparation = `PATH=${path} LC_ALL=C HOME=/; export PATH LC_ALL HOME; unset CDPATH ENV; umask 022; cd /\n`;

/**
 * One look at the machine, as lines of `name value`. Each process costs 0.1 s on a slow host, so all but two are spared:
 * files are read by the shell, and versions of OVS and systemd are read off file names where Linux distributions have
 * them (Python bindings of the same source package; a library private to systemd).
 */
export const probe = `{
_read() { _x=; read -r _x <"$2"; printf '%s %s\\n' "$1" "$_x"; }
_read machineId /etc/machine-id
_read productUuid /sys/class/dmi/id/product_uuid
_read bootId /proc/sys/kernel/random/boot_id
_read hostname /proc/sys/kernel/hostname
_read kernel /proc/sys/kernel/osrelease
printf 'ssh %s\\n' "$SSH_CONNECTION"
[ -d /run/systemd/system ] && echo systemd yes
[ -r /run/. ] && echo run yes
for _x in ${knownTools.join(" ")}; do command -v "$_x"; done
for _x in /usr/lib/systemd/libsystemd-shared-*.so /usr/lib/*/systemd/libsystemd-shared-*.so; do
[ -e "$_x" ] && printf 'version systemd %s\\n' "$_x" && break; done
_x=; for _x in /usr/lib/python3*/dist-packages/ovs-[0-9]*-info /usr/lib/python3*/site-packages/ovs-[0-9]*-info; do
[ -e "$_x" ] && printf 'version ovs-vsctl %s\\n' "$_x" && break; _x=; done
[ "$_x" ] || { command -v ovs-vsctl >/dev/null && printf 'version ovs-vsctl ' && ovs-vsctl --version; }
command -v ip >/dev/null && printf 'version ip ' && ip -V
command -v nft >/dev/null && printf 'version nft ' && nft --version
} 2>/dev/null`;

/** How each program's version looks in what the probe prints of it. */
const versionOf: Record<string, RegExp> = {
  ip: /iproute2-\D*([\w.]+)/,
  "ovs-vsctl": /(?:Open vSwitch\)? |ovs-)(\d[\d.]*\d)/,
  nft: /v(\d[\d.]*)/,
  systemd: /shared-(\d+)/,
};

/** What `probe` printed, and what stood before it: the line that the bootstrap told. */
export function parseFacts(text: string, noise: string): { facts: HostFacts; canLock: boolean } {
  const values = new Map<string, string>();
  const tools: Record<string, string> = {};
  const versions: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (name === "version") {
      const [, tool = "", words = ""] = /^(\S+) (.*)$/.exec(value) ?? [];
      const version = versionOf[tool]?.exec(words)?.[1];
      if (version) versions[tool] = version;
    } else if (name.startsWith("/")) {
      tools[line.slice(line.lastIndexOf("/") + 1)] = line;
    } else {
      values.set(name, value);
    }
  }
  const told = new RegExp(`^${hello} \\d* (.+)$`, "m").exec(noise)?.[1];
  const [clientAddress, clientPort, serverAddress, serverPort] = (values.get("ssh") || told || "").split(" ");
  const productUuid = values.get("productUuid");
  const facts: HostFacts = {
    machineId: values.get("machineId") ?? "",
    bootId: values.get("bootId") ?? "",
    hostname: values.get("hostname") ?? "",
    kernel: values.get("kernel") ?? "",
    systemd: values.has("systemd"),
    tools,
    versions,
  };
  if (productUuid) facts.productUuid = productUuid;
  if (clientAddress && serverAddress) {
    facts.sshConnection = {
      clientAddress,
      clientPort: Number(clientPort),
      serverAddress,
      serverPort: Number(serverPort),
    };
  }
  return { facts, canLock: values.has("run") && tools.flock !== undefined };
}
