import type { Sample } from "../sample";

const shows = "ip -d link show dev s-dummy";
const set = (words: string) => `ip link set dev s-dummy ${words}`;

export const dummy: Sample = {
  kind: "Dummy",
  needs: [{ kind: "Namespace", args: { name: "s-dummy-ns" } }],
  args: { name: "s-dummy" },
  exists: `${shows} | grep -qw '^ *dummy'`,
  vanish: "ip link del dev s-dummy",
  updates: {
    arp: { to: true, shows, expect: /s-dummy: <(?!.*NOARP)/, removed: /s-dummy: <.*NOARP/, drift: set("arp off") },
    mtu: { to: 70000, shows, expect: /mtu 70000/, removed: /mtu 1500/, drift: set("mtu 1300") },
    addresses: {
      to: ["10.100.0.1/32", "fd9a::1/128"],
      shows: "ip -br address show dev s-dummy",
      expect: /10\.100\.0\.1\/32 .*fd9a::1\/128/,
      removed: /^(?!.*(10\.100|fd9a))/,
      drift: "ip address del 10.100.0.1/32 dev s-dummy",
    },
    offloads: {
      to: { tso: false },
      shows: "ethtool -k s-dummy | grep ^tcp-segmentation-offload",
      expect: /: off/,
      removed: /: on/,
      drift: "ethtool -K s-dummy tso on",
    },
  },
  replaces: { name: "s-dummy2", namespace: "s-dummy-ns" },
  invalid: [
    { args: { name: "lo" }, path: "name", text: /the kernel makes a device of that name by itself/ },
    { args: { bridge: "s-dummy" }, path: "bridge", text: /the device itself/ },
    { args: { numDummies: 1 }, path: "numDummies", text: /allowed are/ },
  ],
};
