import { Seen } from "../../provider/host/seen";
import { networkdUplink as kind } from "../../provider/kinds/networkd-uplink";
import type { HostnetError } from "../../provider/model/errors";
import { validate } from "../../provider/validate";

const context = { mark: "hostnet:a1b2:c3", owner: "a1b2", was: [] };
const { value } = validate(kind.args, { device: "eth2", bridge: "br-ex", addresses: ["203.0.113.5/24"] });
const want = value as never;

interface Host {
  manager?: "networkd" | "ifupdown";
  card?: string;
  bridge?: string;
  addresses?: string[];
}

function look({ manager, card, bridge, addresses = [] }: Host) {
  const ok = (stdout: string) => ({ exitCode: 0, stdout, stderr: "" });
  const addr_info = addresses.map((address) => {
    const [local = "", length] = address.split("/");
    return { family: "inet", local, prefixlen: Number(length), scope: "global" };
  });
  const file = (text: string | undefined) => (text === undefined ? { ...ok(""), exitCode: 1 } : ok(text));
  const nic = { ifname: "eth2", ifindex: 4, flags: ["UP"], mtu: 1500, link_type: "ether", operstate: "UP" };
  const said = (key: string) => {
    if (key === "networkctl") return ok(manager === "networkd" ? "  4 eth2 ether routable configured\n" : "");
    if (key === "ifupdown") return ok(manager === "ifupdown" ? "iface eth2 inet static\n" : "");
    if (key === "networkd:eth2") return file(card);
    if (key === "networkd:br-ex") return file(bridge);
    if (key.startsWith("link")) return ok(JSON.stringify([{ ...nic, addr_info }]));
    if (key.startsWith("addr")) return ok(JSON.stringify([{ ...nic, addr_info }]));
    return { exitCode: 127, stdout: "", stderr: "" };
  };
  const sections = kind.observe(want);
  const seen = new Seen(new Map(sections.map((section) => [section.key, { section, result: said(section.key) }])));
  return kind.find(want, seen);
}

const steps = (host: Host) => kind.converge(want, look(host), context);

test("writes nothing where nobody manages the card", () => {
  expect(steps({ addresses: ["203.0.113.5/24"] })).toEqual([]);
});

test("moves the addresses to the bridge in networkd's files, and has it take them up", () => {
  const written = steps({ manager: "networkd", addresses: ["203.0.113.5/24"] });
  expect(written.map(({ argv }) => argv.join(" "))).toEqual([
    "install -m 644 /dev/stdin /etc/systemd/network/05-hostnet-eth2.network",
    "install -m 644 /dev/stdin /etc/systemd/network/05-hostnet-br-ex.network",
    "networkctl reload",
  ]);
  const [card, bridge, reload] = written;
  expect(card?.stdin).not.toContain("Address=");
  expect(bridge?.stdin).toContain("Address=203.0.113.5/24\n");
  expect(reload?.touches).toEqual(["eth2", "br-ex"]);
  const done = { manager: "networkd", card: card?.stdin, bridge: bridge?.stdin } as const;
  expect(steps(done)).toEqual([]);
  expect(look(done)?.pending).toBeUndefined();
  expect(look({ ...done, addresses: ["203.0.113.5/24"] })?.pending).toMatch(/networkd to take 203\.0\.113\.5\/24/);
  expect(kind.remove(look(done) as never, want, context).map(({ argv }) => argv.join(" "))).toEqual([
    "rm -f /etc/systemd/network/05-hostnet-eth2.network /etc/systemd/network/05-hostnet-br-ex.network",
    "networkctl reload",
  ]);
});

test("is refused where another manager would give the card its addresses again", () => {
  try {
    steps({ manager: "ifupdown" });
    throw new Error("was not refused");
  } catch (error) {
    expect((error as HostnetError).code).toBe("IN_USE");
    expect((error as HostnetError).message).toMatch(/take its 'iface eth2' out of \/etc\/network\/interfaces/);
  }
});
