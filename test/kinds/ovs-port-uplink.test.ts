import { Seen } from "../../provider/host/seen";
import { ovsPort } from "../../provider/kinds/ovs-port";
import { type Step, show } from "../../provider/model/command";
import type { HostnetError } from "../../provider/model/errors";
import { isMarking } from "../../provider/model/mark";
import { addressesIn } from "../../provider/model/networkd-file";
import { uplinkSections } from "../../provider/model/networkd-uplink";
import { validate } from "../../provider/validate";
import { answers } from "./answers";

/** A port that takes the addresses of its device to the bridge: what is written where, and what is refused. */
const { value } = validate(ovsPort.args, { bridge: "br-ex", name: "eth2", addressesToBridge: true });
const want = value as never;

const theirs = `# An operator's.
[Match]
Name=eth2 eth9
[Link]
MTUBytes=9000
RequiredForOnline=yes
[Network]
Address=203.0.113.2/24
VLAN=vlan7
DNS=203.0.113.53
[Route]
Gateway=203.0.113.1
`;

const mark = "hostnet:a1b2:c3";

interface Machine {
  managed?: Record<string, string>;
  card?: string;
  onBridge?: string;
  source?: string;
  text?: string;
  /** Addresses of the NIC and of br-ex. */
  nic?: string[];
  bridge?: string[];
  dynamic?: boolean;
  ipv6?: boolean;
  /** Further addresses of the NIC or br-ex that are its subnets' secondary ones. */
  secondary?: string[];
}

const filesOf = (device: string) => `/etc/systemd/network/00-hostnet-uplink-${device}.network`;

function machine({ nic = [], bridge = [], secondary = [], dynamic, ipv6, ...more }: Machine): Seen {
  const { source = "/etc/systemd/network/20-ext.network", text = theirs, card, onBridge, managed = {} } = more;
  const infos = (all: string[], isDynamic = false) =>
    all.map((address) => {
      const [local = "", length] = address.split("/");
      const family = local.includes(":") ? "inet6" : "inet";
      const flags = { dynamic: isDynamic, secondary: secondary.includes(address) };
      return { family, local, prefixlen: Number(length), scope: "global", ...flags };
    });
  const link = (ifname: string, ifindex: number, addr_info: object[]) => ({
    ...{ ifname, ifindex, addr_info, flags: ["UP"], mtu: 1500, link_type: "ether", operstate: "UP" },
  });
  const device = nic.length > 0 ? "eth2" : "br-ex";
  const route = { dst: "default", gateway: "203.0.113.1", dev: device, protocol: "4", scope: "0", flags: [] };
  const parts = {
    ...{
      bridge: "br-ex",
      cardBy: card === undefined ? source : filesOf("eth2"),
      bridgeBy: onBridge === undefined ? "" : filesOf("br-ex"),
    },
    ...{ card: card ?? "", onBridge: onBridge ?? "", source, theirs: text, end: "" },
  };
  const [files] = uplinkSections("eth2", "br-ex").slice(-1);
  return answers([...ovsPort.observe(want)], {
    links: [link("eth2", 4, infos(nic, dynamic)), link("br-ex", 9, infos(bridge))],
    ipv6: `/proc/sys/net/ipv6/conf/br-ex/disable_ipv6:${ipv6 ? 0 : 1}\n`,
    ovsdb: Array.from({ length: 7 }, () => ({ rows: [] })),
    "ovs-vswitchd": "ovs-vswitchd.1.ctl\n",
    routes4: [route],
    routes6: [],
    ...managed,
    [files?.key ?? ""]: Object.entries(parts)
      .map(([name, said]) => `\u001e${name}\n${said}${said === "" || said.endsWith("\n") ? "" : "\n"}`)
      .join(""),
  });
}

const networkd = { networkd: "/run/systemd/netif/links/4:ADMIN_STATE=configured\n" };
const context = (seen: Seen) => ({ mark, owner: "a1b2", was: [], seen });
const create = (seen: Seen): Step[] => ovsPort.converge(want, undefined, context(seen));
/** Scripts by their first words only. */
const words = (steps: Step[]) => steps.map((step) => show(step).replace(/'[^']*\n[\s\S]*?' /, "SCRIPT "));

/** What is written into our two files. */
function written(steps: Step[]): Pick<Machine, "card" | "onBridge"> {
  const into = (path: string) => steps.find(({ argv }) => argv[0] === "install" && argv.at(-1) === path)?.stdin;
  return { card: into(filesOf("eth2")), onBridge: into(filesOf("br-ex")) };
}

function refusal(seen: Seen): HostnetError {
  try {
    create(seen);
  } catch (error) {
    return error as HostnetError;
  }
  throw new Error("was not refused");
}

test("only makes the port where nobody manages the device", () => {
  expect(words(create(machine({ nic: ["203.0.113.2/24"] })))).toEqual([expect.stringContaining("add-port br-ex eth2")]);
});

test("moves addresses and routes at once, in files too, and gives them back", () => {
  const steps = create(machine({ managed: networkd, nic: ["203.0.113.2/24"] }));
  expect(words(steps)).toEqual([
    expect.stringContaining("add-port br-ex eth2"),
    "sh -c SCRIPT sh eth2 br-ex",
    `install -D -m 644 /dev/stdin ${filesOf("eth2")}`,
    `install -D -m 644 /dev/stdin ${filesOf("br-ex")}`,
    "ip address replace 203.0.113.2/24 dev br-ex broadcast +",
    "ip route replace unicast default table main metric 0 proto static scope global via 203.0.113.1 dev br-ex",
    "ip address del 203.0.113.2/24 dev eth2",
    "sh -c SCRIPT br-ex 203.0.113.2",
    "networkctl reload",
    `sh -c SCRIPT sh eth2 ${filesOf("eth2")} br-ex ${filesOf("br-ex")}`,
  ]);
  const { card, onBridge } = written(steps);
  const head = [
    `# Made by pulumi-hostnet (${mark}) in place of: /etc/systemd/network/20-ext.network`,
    "# eth2 is a port of br-ex, which has its addresses.",
  ];
  expect(card?.split("\n")).toEqual([
    ...[...head, "[Match]", "Name=eth2", "[Link]", "MTUBytes=9000", "RequiredForOnline=yes", "[Network]", "VLAN=vlan7"],
    ...["[Link]", "RequiredForOnline=no", "[Network]", "KeepMaster=yes", "LinkLocalAddressing=no", "IPv6AcceptRA=no"],
    "",
  ]);
  expect(onBridge?.split("\n")).toEqual([
    ...[...head, "[Match]", "Name=br-ex", "[Link]", "RequiredForOnline=yes"],
    ...["[Network]", "Address=203.0.113.2/24", "DNS=203.0.113.53", "[Route]", "Gateway=203.0.113.1"],
    ...["[Network]", "KeepConfiguration=yes", "LinkLocalAddressing=no", "IPv6AcceptRA=no", ""],
  ]);
  // What a cut-off create has left behind, or whose port somebody has deleted: still ours, by the files.
  const moved = machine({ managed: networkd, card, onBridge, bridge: ["203.0.113.2/24"] });
  const left = ovsPort.find(want, moved);
  expect(left).toMatchObject({ marks: [mark], broken: expect.stringContaining("its port is gone") });
  expect(words(ovsPort.converge(want, left, context(moved)))).toEqual([expect.stringContaining("add-port")]);
  expect(left && words(ovsPort.remove(left, want, context(moved)))).toEqual([
    "ip address del 203.0.113.2/24 dev br-ex",
    "ip address replace 203.0.113.2/24 dev eth2 broadcast +",
    "sh -c SCRIPT eth2 203.0.113.2",
    `rm -f ${filesOf("eth2")} ${filesOf("br-ex")}`,
    "networkctl reload",
    "sh -c SCRIPT sh eth2 /etc/systemd/network/20-ext.network",
  ]);
});

test("a secondary address goes before its primary one, and that of another stays", () => {
  const text = "[Network]\nAddress=203.0.113.2/24\nAddress=203.0.113.3/24\n";
  const nic = ["203.0.113.2/24", "203.0.113.3/24"];
  const steps = create(machine({ managed: networkd, nic, secondary: ["203.0.113.3/24"], text }));
  expect(words(steps).filter((step) => /^ip address/.test(step))).toEqual([
    "ip address replace 203.0.113.2/24 dev br-ex broadcast +",
    "ip address replace 203.0.113.3/24 dev br-ex broadcast +",
    "ip address del 203.0.113.3/24 dev eth2",
    "ip address del 203.0.113.2/24 dev eth2",
  ]);
  const bridge = [...nic, "203.0.113.77/24"];
  const moved = machine({ managed: networkd, ...written(steps), bridge, secondary: bridge.slice(1), text });
  const left = ovsPort.find(want, moved);
  expect(left && words(ovsPort.remove(left, want, context(moved))).slice(0, 5)).toEqual([
    "ip address del 203.0.113.3/24 dev br-ex",
    "ip address del 203.0.113.2/24 dev br-ex",
    "ip address replace 203.0.113.77/24 scope global dev br-ex",
    "ip address replace 203.0.113.2/24 dev eth2 broadcast +",
    "ip address replace 203.0.113.3/24 dev eth2 broadcast +",
  ]);
});

test("counts what networkd gives the device, and nothing else that is called Address", () => {
  const text = `[Network]
Address=192.0.2.1/24
Address=
Address = 192.0.2.2/24
Address=0.0.0.0/28
[Neighbor]
Address=192.0.2.9
[Address]
Address=\\
192.0.2.3/24
`;
  expect(addressesIn(text)).toEqual(["192.0.2.2/24", "192.0.2.3/24"]);
});

test("is found by its file, and taken over by what says whose it is, which networkd need not read", () => {
  const { card, onBridge } = written(create(machine({ managed: networkd, nic: ["203.0.113.2/24"] })));
  const moved = machine({ managed: networkd, card, onBridge, bridge: ["203.0.113.2/24"] });
  const other = { ...context(moved), mark: "hostnet:a1b2:d4" };
  const [, ...steps] = ovsPort.converge(want, ovsPort.find(want, moved), other);
  expect(words(steps)).toEqual([
    `install -D -m 644 /dev/stdin ${filesOf("eth2")}`,
    `install -D -m 644 /dev/stdin ${filesOf("br-ex")}`,
  ]);
  expect(steps[0]?.stdin).toBe(card?.replace(mark, other.mark));
  expect(steps.every((step) => isMarking(step, other.mark))).toBe(true);
  const row = (name: string, more: object) => ({ _uuid: ["uuid", name], name, ...more });
  const rows: object[][] = [
    [],
    [row("br-ex", { ports: ["uuid", "p"] })],
    [row("eth2", { _uuid: ["uuid", "p"], interfaces: ["uuid", "i"] })],
    [row("eth2", { _uuid: ["uuid", "i"], type: "" })],
  ];
  const listed = (uplinks: string) =>
    ovsPort.list?.(
      answers(ovsPort.survey?.(undefined, new Seen(new Map())) ?? [], {
        ovsdb: Array.from({ length: 7 }, (_, index) => ({ rows: rows[index] ?? [] })),
        "ovs-vswitchd": "ovs-vswitchd.1.ctl\n",
        uplinks,
      }),
    );
  expect(listed(`${filesOf("eth2")}\n`)).toMatchObject([{ name: "eth2", addressesToBridge: true }]);
  expect(listed("")).toMatchObject([{ name: "eth2", addressesToBridge: undefined }]);
});

test("follows what the operator changes in the file", () => {
  const at = machine({ managed: networkd, nic: ["203.0.113.2/24"] });
  const text = theirs.replace("113.2/24", "113.3/24");
  const steps = create(machine({ managed: networkd, ...written(create(at)), bridge: ["203.0.113.2/24"], text }));
  expect(words(steps)).toContain("ip address replace 203.0.113.3/24 dev br-ex broadcast +");
  // What it says no longer, networkd takes away: the address is its own.
  expect(steps.find(({ stdin }) => stdin)?.stdin).toContain("Address=203.0.113.3/24");
});

test("puts back what somebody took from the bridge, or gave the device again", () => {
  const files = { managed: networkd, ...written(create(machine({ managed: networkd, nic: ["203.0.113.2/24"] }))) };
  const steps = words(create(machine({ ...files, nic: ["203.0.113.2/24"] })));
  expect(steps).toContain("ip address replace 203.0.113.2/24 dev br-ex broadcast +");
  expect(steps).toContain("ip address del 203.0.113.2/24 dev eth2");
  const gone = words(create(machine({ ...files })));
  expect(gone).toContain("ip address replace 203.0.113.2/24 dev br-ex broadcast +");
  const doubled = words(create(machine({ ...files, nic: ["203.0.113.2/24"], bridge: ["203.0.113.2/24"] })));
  expect(doubled).toContain("ip address del 203.0.113.2/24 dev eth2");
});

test("a device without an address that a file for all fits is only kept as it is", () => {
  const steps = create(machine({ managed: networkd, text: "[Match]\nName=*\n[Network]\nDHCP=yes\n" }));
  expect(words(steps)).toEqual([
    expect.stringContaining("add-port br-ex eth2"),
    "sh -c SCRIPT sh eth2 br-ex",
    `install -D -m 644 /dev/stdin ${filesOf("eth2")}`,
    "networkctl reload",
    `sh -c SCRIPT sh eth2 ${filesOf("eth2")}`,
  ]);
});

test.each<[string, Machine, RegExp, RegExp]>([
  [
    "ifupdown",
    { managed: { ifupdown: "iface eth2 inet static\n" } },
    /from ifupdown/,
    /Take its 'iface eth2' out of \/etc/,
  ],
  [
    "NetworkManager",
    { managed: { nmcli: "eth2:connected\n" } },
    /from NetworkManager/,
    /\/etc\/NetworkManager\/conf\.d/,
  ],
  ["DHCP", { managed: networkd, dynamic: true }, /by DHCP/, /10-eth2\.network, say DHCP=no/],
  ["an address of nobody's", { managed: networkd, text: "[Network]\nDHCP=yes\n" }, /does not say/, /Write Address=/],
  [
    "IPv6 that is off",
    { managed: networkd, nic: ["2001:db8::2/64"], text: "[Network]\nAddress=2001:db8::2/64\n" },
    /IPv6 is off/,
    /addresses: \["2001:db8::2\/64"\]/,
  ],
  [
    "a file before ours",
    { managed: networkd, source: "/etc/systemd/network/00-ext.network" },
    /comes before/,
    /Rename it/,
  ],
])("is refused: %s", (_, host, why, remedy) => {
  const error = refusal(machine({ nic: ["203.0.113.2/24"], ...host }));
  expect(error.code).toBe("IN_USE");
  expect(error.summary).toMatch(why);
  expect(error.details.remedy).toMatch(remedy);
});

test("IPv6 moves to a bridge that has it", () => {
  const text = "[Network]\nAddress=2001:db8::2/64\n";
  const steps = create(machine({ managed: networkd, nic: ["2001:db8::2/64"], text, ipv6: true }));
  expect(words(steps)).toContain("ip address replace 2001:db8::2/64 dev br-ex nodad");
  expect(written(steps).onBridge).not.toContain("LinkLocalAddressing");
});
