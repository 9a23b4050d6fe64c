import type { Sample } from "../sample";
import { restarted, running } from "../service";

// Called as its device, as one is that somebody else has started.
const service = "hostnet-dhcp:s-dh:s-dh0";
const data = `/run/pulumi-hostnet/services/${service}/data`;
// What the process was started with, and what it has read since.
const command = `tr '\\0' ' ' </proc/$(systemctl show -P MainPID ${service}.service)/cmdline`;
const unit = `/run/pulumi-hostnet/services/${service}/${service}.service`;
const changed = restarted(service, unit);

export const dhcpServer: Sample = {
  kind: "DhcpServer",
  needs: [
    { kind: "Namespace", args: { name: "s-dh" } },
    {
      kind: "VethPair",
      args: {
        a: { name: "s-dh0", namespace: "s-dh", addresses: ["10.64.0.1/24"] },
        b: { name: "s-dh1", namespace: "s-dh", addresses: ["10.64.1.1/24"] },
      },
    },
  ],
  answers: {
    netns: [{ name: "s-dh" }],
    "links@s-dh": ["s-dh0", "s-dh1"].map((ifname, at) => ({ ifname, ifindex: at + 2, flags: [], link_type: "ether" })),
  },
  args: { namespace: "s-dh", name: "s-dh0", device: "s-dh0", range: "10.64.0.10-10.64.0.20" },
  exists: `systemctl is-active -q ${service}.service && ip netns pids s-dh | grep -qx $(systemctl show -P MainPID ${service}.service)`,
  vanish: `systemctl stop ${service}.service; rm -rf /run/pulumi-hostnet/services/${service}`,
  updates: {
    device: {
      to: "s-dh1",
      with: { range: "10.64.1.10-10.64.1.20" },
      shows: command,
      expect: /--interface=s-dh1 /,
      apart: true,
      drift: changed("s/interface=s-dh1/interface=s-dh0/"),
    },
    range: {
      to: ["10.64.0.30-10.64.0.40", "10.64.0.50-10.64.0.60"],
      shows: command,
      expect: /--dhcp-range=10\.64\.0\.30,10\.64\.0\.40,300 --dhcp-range=10\.64\.0\.50,10\.64\.0\.60,300/,
      drift: changed("s/64.0.40/64.0.41/"),
      with: { leaseTime: 300 },
    },
    leaseTime: { to: 300, shows: command, expect: /,300 /, drift: changed("s/,300/,301/g") },
    gateway: {
      to: "10.64.0.1",
      shows: `cat ${data}/options`,
      expect: /^option:router,10\.64\.0\.1$/m,
      removed: /^option:router$/m,
      // In the routes too, where it is the default one.
      drift: `sed -i 's/,10.64.0.1$/,10.64.0.9/' ${data}/options`,
    },
    dns: {
      to: ["10.64.0.2", "10.64.0.3"],
      shows: `cat ${data}/options`,
      expect: /^option:dns-server,10\.64\.0\.2,10\.64\.0\.3$/m,
      removed: /^(?![\s\S]*64\.0\.2)/,
      drift: `sed -i s/64.0.3$/64.0.4/ ${data}/options`,
    },
    domain: {
      to: "example.org",
      shows: command,
      expect: /--domain=example\.org /,
      drift: changed("s/example.org/example.net/"),
    },
    mtu: {
      to: 1458,
      shows: `cat ${data}/options`,
      expect: /^option:mtu,1458$/m,
      removed: /^(?![\s\S]*mtu)/,
      drift: `sed -i s/mtu,1458/mtu,1400/ ${data}/options`,
    },
    routes: {
      to: [{ to: "10.66.0.0/16", via: "10.64.0.9" }],
      shows: `cat ${data}/options`,
      expect: /^option:classless-static-route,10\.66\.0\.0\/16,10\.64\.0\.9[\s\S]*^249,10\.66\.0\.0\/16,10\.64\.0\.9/m,
      removed: /^(?![\s\S]*classless)/,
      drift: `sed -i s/64.0.9/64.0.8/g ${data}/options`,
    },
    options: {
      to: { "ntp-server": "10.64.0.5", 114: "https://a/b" },
      shows: `cat ${data}/options`,
      expect: /^114,https:\/\/a\/b$[\s\S]*^option:ntp-server,10\.64\.0\.5$/m,
      removed: /^(?![\s\S]*ntp)/,
      drift: `sed -i s/64.0.5/64.0.6/ ${data}/options`,
    },
    reservations: {
      to: [{ mac: "02:00:00:00:64:01", address: "10.64.0.77", hostname: "seven" }],
      shows: `cat ${data}/hosts`,
      expect: /^02:00:00:00:64:01,10\.64\.0\.77,seven$/m,
      removed: /^(?![\s\S]*02:00)/,
      drift: `sed -i s/64.0.77/64.0.78/ ${data}/hosts`,
    },
    authoritative: {
      to: true,
      shows: command,
      expect: /--dhcp-authoritative/,
      drift: changed("s/ --dhcp-authoritative//"),
    },
    maxLeases: { to: 7, shows: command, expect: /--dhcp-lease-max=7 /, drift: changed("s/lease-max=7/lease-max=8/") },
    forwarders: {
      to: ["10.64.0.8"],
      shows: command,
      expect: /--no-resolv --server=10\.64\.0\.8 /,
      removed: /--port=0 /,
      drift: changed("s/server=10.64.0.8/server=10.64.0.7/"),
    },
    running: running(service),
  },
  replaces: { name: "s-dhcp2", namespace: "s-dh2" },
  invalid: [
    {
      args: { options: { 42: "192.0.2.1", "ntp-server": "192.0.2.2" } },
      path: "options.ntp-server",
      text: /option 42 too/,
    },
    ...["ignore", "infinite", "42", "7d"].map((hostname) => ({
      args: { reservations: [{ mac: "02:00:00:00:64:01", address: "10.64.0.77", hostname }] },
      path: "reservations[0].hostname",
      text: /would take for a word of its own/,
    })),
    { args: { range: "10.64.0.20-10.64.0.10" }, path: "range", text: /two IPv4 addresses/ },
    { args: { range: "static" }, path: "range", text: /gateway or reservations/ },
    { args: { name: "a:b" }, path: "name", text: /letters, digits/ },
    { args: { leaseTime: 60 }, path: "leaseTime", text: /120/ },
    { args: { options: { router: "10.64.0.1" } }, path: "options.router", text: /argument of its own: gateway/ },
    { args: { options: { 51: "10" } }, path: "options.51", text: /fills in by itself/ },
    { args: { options: { "no-such": "10" } }, path: "options.no-such", text: /dnsmasq --help dhcp/ },
    { args: { options: { 114: 'a"b' } }, path: "options.114", text: /without quotes/ },
    { args: { routes: [{ to: "0.0.0.0/0", via: "10.64.0.1" }] }, path: "routes[0].to", text: /`gateway`/ },
    {
      args: {
        reservations: [
          { mac: "02:00:00:00:64:01", address: "10.64.0.77" },
          { mac: "02:00:00:00:64:02", address: "10.64.0.77" },
        ],
      },
      path: "reservations[1].address",
      text: /two reservations/,
    },
  ],
};
