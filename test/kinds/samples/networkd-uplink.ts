import type { Sample } from "../sample";

const lower = "/etc/systemd/network/20-s-nu.network";

// A card is hardware: here a dummy device that networkd manages, as any `.network` file makes it do.
export const networkdUplink: Sample = {
  kind: "NetworkdUplink",
  before: `ip link add name s-nu0 type dummy && ip link add name s-nu1 type dummy && printf '[Match]\\nName=s-nu0 s-nu1\\n[Network]\\nLinkLocalAddressing=no\\nAddress=10.64.0.1/24\\n' >${lower} && networkctl reload && sleep 2`,
  after: `rm -f ${lower}; networkctl reload; ip link del s-nu0; ip link del s-nu1`,
  needs: [
    { kind: "LinuxBridge", args: { name: "s-nub" } },
    { kind: "LinuxBridge", args: { name: "s-nuc" } },
  ],
  args: { device: "s-nu0", bridge: "s-nub", addresses: ["10.64.0.1/24"] },
  exists: "true",
  updates: {
    addresses: {
      to: ["10.64.0.1/24", "10.64.0.2/24"],
      shows: "grep -h ^Address= /etc/systemd/network/05-hostnet-s-nub.network | xargs",
      expect: /^Address=10\.64\.0\.1\/24 Address=10\.64\.0\.2\/24$/m,
      drift: "sed -i /10.64.0.2/d /etc/systemd/network/05-hostnet-s-nub.network",
    },
  },
  replaces: { device: "s-nu1", bridge: "s-nuc" },
  invalid: [
    { args: { addresses: [] }, path: "addresses", text: /one address or more/ },
    { args: { addresses: ["10.64.0.1"] }, path: "addresses[0]", text: /prefix length/ },
  ],
};
