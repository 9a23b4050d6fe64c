import type { Sample, Update } from "../sample";

const shows = "ip -d link show dev s-gre";
const set = (words: string, type = "gretap") => `ip link set dev s-gre type ${type} ${words}`;
const over6 = { local: "fd88::1", remote: "fd88::2" };

const option = (to: unknown, expect: RegExp, removed: RegExp, drift: string, more: object = {}): Update => ({
  to,
  shows,
  expect,
  removed,
  drift: set(drift),
  ...more,
});

/** Over IPv6 the same, with other addresses. */
const option6 = (to: unknown, expect: RegExp, removed: RegExp, drift: string): Update =>
  option(to, expect, removed, "", { with: over6, drift: set(drift, "ip6gretap") });

export const greTunnel: Sample = {
  kind: "GreTunnel",
  needs: [{ kind: "Namespace", args: { name: "s-gre-ns" } }],
  args: { name: "s-gre", local: "10.88.0.1", remote: "10.88.0.2" },
  exists: "ip -d link show dev s-gre | grep -qw gretap",
  vanish: "ip link del dev s-gre",
  updates: {
    local: option("10.88.0.3", /local 10\.88\.0\.3/, /local (any|10\.88\.0\.1) /, "local 10.88.0.9"),
    remote: option("10.88.0.4", /remote 10\.88\.0\.4/, /remote (any|10\.88\.0\.2) /, "remote 10.88.0.9"),
    key: option(77, /ikey 0\.0\.0\.77 okey 0\.0\.0\.77/, /gretap (?!.*key)/, "nokey"),
    inKey: option(5, /ikey 0\.0\.0\.5 /, /gretap (?!.*ikey)/, "ikey 6"),
    outKey: option(4294967295, /okey 255\.255\.255\.255/, /gretap (?!.*okey)/, "okey 6"),
    checksum: option(true, /icsum ocsum/, /gretap (?!.*csum)/, "nocsum"),
    sequence: option(true, /iseq oseq/, /gretap (?!.*seq)/, "noseq"),
    ttl: option(9, /ttl 9/, /ttl inherit/, "ttl 8"),
    tos: option(32, /tos 0x20/, /gretap (?!.*tos)/, "tos inherit"),
    dontFragment: option(false, /nopmtudisc/, /gretap (?!.*nopmtudisc)/, "", {
      drift: `${set("nopmtudisc noignore-df")} && ${set("pmtudisc")}`,
    }),
    ignoreDf: option(true, / ignore-df/, /gretap (?!.* ignore-df)/, "noignore-df", { with: { dontFragment: false } }),
    fwmark: option(9, /fwmark 0x9/, /gretap (?!.*fwmark)/, "fwmark 8"),
    encapsulation: option(
      { type: "fou", port: 5555, checksum: true },
      /encap fou encap-sport auto encap-dport 5555 encap-csum/,
      /gretap (?!.*encap-dport)/,
      "encap fou encap-sport auto encap-dport 5556",
    ),
    encapsulationLimit: option6("none", /encaplimit none/, /encaplimit 4/, "encaplimit 6"),
    flowLabel: option6(0x12345, /flowlabel 0x12345/, /flowlabel 0x00000/, "flowlabel inherit"),
    allowLocalRemote: option6(true, /allow-localremote/, /ip6gretap (?!.*allow-localremote)/, "noallow-localremote"),
    // The default depends on the other options: tried apart from them.
    mtu: {
      to: 1400,
      apart: true,
      shows,
      expect: /mtu 1400/,
      removed: /mtu 1462/,
      drift: "ip link set dev s-gre mtu 1300",
    },
  },
  replaces: { name: "s-gre2", namespace: "s-gre-ns", layer: 3, underlay: "host", device: "lo" },
  replacesWith: { underlay: { namespace: "s-gre-ns" } },
  invalid: [
    { args: { local: undefined, remote: undefined }, path: "remote", text: /is required; `local` will do as well$/ },
    { args: { local: "10.88.0.1", remote: "fd88::2" }, path: "remote", text: /same family/ },
    { args: { key: 4294967296 }, path: "key", text: /0 to 4294967295/ },
    { args: { key: 1, inKey: 2 }, path: "inKey", text: /not be given with `key`/ },
    { args: { tos: 3 }, path: "tos", text: /even/ },
    { args: { ignoreDf: true }, path: "ignoreDf", text: /dontFragment: false/ },
    { args: { flowLabel: 5 }, path: "flowLabel", text: /IPv6 only/ },
    { args: { layer: 3, mac: "02:00:00:00:00:01" }, path: "mac", text: /layer 3/ },
    { args: { underlay: "host" }, path: "underlay", text: /without `namespace`/ },
  ],
};
