import type { Sample } from "../sample";
import { restarted, running } from "../service";

const service = "hostnet-vpn:s-uv:s-uv0";
const command = `tr '\\0' ' ' </proc/$(systemctl show -P MainPID ${service}.service)/cmdline`;
const link = "ip -n s-uv -d link show dev s-uv0";
const unit = `/run/pulumi-hostnet/services/${service}/${service}.service`;

const changed = restarted(service, unit);

export const udpVpn: Sample = {
  kind: "UdpVpn",
  needs: [{ kind: "Namespace", args: { name: "s-uv" } }],
  args: { namespace: "s-uv", name: "s-uv0", local: "127.0.0.1", remote: "127.0.0.2", port: 5600 },
  exists: `ip -n s-uv link show dev s-uv0 | grep -q LOWER_UP && systemctl is-active -q ${service}.service`,
  vanish: `systemctl stop ${service}.service; rm -rf /run/pulumi-hostnet/services/${service}; ip -n s-uv link del dev s-uv0`,
  updates: {
    local: {
      to: "127.0.0.3",
      shows: command,
      expect: /bind=127\.0\.0\.3:/,
      drift: changed("s/bind=127.0.0.3/bind=127.0.0.6/"),
    },
    remote: {
      to: "127.0.0.4",
      shows: command,
      expect: /UDP4-DATAGRAM:127\.0\.0\.4:\d+,.*range=127\.0\.0\.4\/32/,
      drift: changed("s/127.0.0.4/127.0.0.5/g"),
    },
    port: { to: 5601, shows: command, expect: /bind=[^ ]*:5601,/, drift: changed("s/:5601,/:5609,/") },
    remotePort: {
      to: 5602,
      shows: command,
      expect: /UDP4-DATAGRAM:[\d.]+:5602,/,
      drift: changed("s/:5602,/:5609,/"),
    },
    addresses: {
      to: ["10.65.0.1/24"],
      shows: "ip -n s-uv address show dev s-uv0",
      expect: /10\.65\.0\.1\/24/,
      removed: /^(?![\s\S]*10\.65)/,
      drift: "ip -n s-uv address del 10.65.0.1/24 dev s-uv0",
    },
    addressesExact: {
      to: true,
      with: { addresses: ["10.65.0.1/24"] },
      shows: "ip -n s-uv address show dev s-uv0",
      expect: /10\.65\.0\.1\/24/,
      drift: "ip -n s-uv address add 10.66.0.1/24 dev s-uv0",
      driftShownAt: "addresses",
    },
    mtu: {
      to: 1300,
      shows: link,
      expect: /mtu 1300/,
      removed: /mtu 1472/,
      drift: "ip -n s-uv link set dev s-uv0 mtu 1290",
    },
    up: {
      to: false,
      apart: true,
      shows: link,
      expect: /<(?!.*\bUP\b).*>/,
      removed: /[<,]UP[,>]/,
      drift: "ip -n s-uv link set dev s-uv0 up",
    },
    ipv6: {
      to: false,
      shows: "ip netns exec s-uv sysctl net.ipv6.conf.s-uv0.disable_ipv6",
      expect: /= 1/,
      removed: /= 0/,
      drift: "ip netns exec s-uv sysctl -qw net.ipv6.conf.s-uv0.disable_ipv6=0",
    },
    txQueueLength: {
      to: 77,
      shows: link,
      expect: /qlen 77/,
      removed: /qlen 500/,
      drift: "ip -n s-uv link set dev s-uv0 txqueuelen 78",
    },
    running: {
      ...running(service),
      shows: `systemctl is-active ${service}.service; ${link}`,
      expect: /^inactive$[\s\S]*NO-CARRIER/m,
      removed: /^active$[\s\S]*LOWER_UP/m,
    },
  },
  replaces: { name: "s-uv1", namespace: "s-uv2", underlayNamespace: "s-uv" },
  invalid: [
    { args: { remote: "fd00::1" }, path: "remote", text: /same family/ },
    { args: { remote: "224.0.0.1" }, path: "remote", text: /one host's address/ },
    { args: { port: 0 }, path: "port", text: /1 to 65535/ },
    { args: { name: "a-name-of-16-char" }, path: "name", text: /1 to 15/ },
    { args: { ipv6: false, addresses: ["fd00::1/64"] }, path: "ipv6", text: /not be false with IPv6 addresses/ },
    { args: { bridge: "br0" }, path: "bridge", text: /no such argument/ },
  ],
};
