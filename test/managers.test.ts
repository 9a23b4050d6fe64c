import type { HostRef } from "../provider/host/reach";
import type { Machine } from "../provider/host/types";
import { address } from "../provider/kinds/address";
import { nic } from "../provider/kinds/interface";
import { ovsPort } from "../provider/kinds/ovs-port";
import { apply, type Inputs } from "../provider/lifecycle";
import { devicesOnHost, managerSections } from "../provider/model/managers";
import { answers } from "./kinds/answers";

/** Law 16: a device that another program manages as well is warned of, with what to write on the host. */
const warned: string[] = [];
jest.mock("../provider/log", () => ({ warn: (text: string) => void warned.push(text) }));

const link = (ifname: string) => ({
  ...{
    ifindex: Number(ifname.at(-1)) + 2,
    ifname,
    flags: ["UP"],
    mtu: 1500,
    operstate: "UP",
    txqlen: 1000,
    link_type: "ether",
  },
  ...{ address: "52:54:00:00:00:01", addr_info: [] },
});
let said: Record<string, unknown>;

const machine: Machine = {
  facts: {
    ...{ machineId: "m1", bootId: "b", hostname: "h", kernel: "6.1", versions: {}, systemd: true },
    tools: { ip: "/sbin/ip", "ovs-vsctl": "/usr/bin/ovs-vsctl" },
  },
  observe: async (sections) => answers(sections, said),
  write: async (_, then) => ({ seen: answers(then, said) }),
};
jest.mock("../provider/host/reach", () => ({ reach: async () => machine, decommissioned: () => false }));

const host = { name: "node1", address: "192.0.2.1", machineId: "m1", owner: "a1b2", epoch: "e1" } as HostRef;
const inputs = (args: object) => ({ host, ...args }) as Inputs;

beforeEach(() => {
  warned.length = 0;
  said = {
    links: [link("eth0"), link("eth1"), link("eth2"), link("eth3")],
    networkd: "/run/systemd/netif/links/2:ADMIN_STATE=configured\n/run/systemd/netif/links/3:ADMIN_STATE=unmanaged\n",
    nmcli: "eth2:connected\neth1:unmanaged\n",
    ifupdown: "iface eth3 inet dhcp\n",
  };
});

it.each([
  ["eth0", /^node1: Interface eth0: eth0 is managed by networkd too; .*Unmanaged=yes.*00-hostnet-eth0\.network/],
  ["eth2", /managed by NetworkManager too; .*unmanaged-devices=interface-name:eth2/],
  ["eth3", /managed by ifupdown too; take its 'iface eth3' out/],
])("a network card, %s", async (name, pattern) => {
  await apply(nic, inputs({ name, up: true, mtu: 1500 }));
  expect(warned).toEqual([expect.stringMatching(pattern)]);
});

it("asks nobody about a device of our own making", async () => {
  const observe = jest.spyOn(machine, "observe");
  said.links = [{ ...link("eth0"), ifalias: "hostnet:a1b2:c3" }];
  await apply(nic, inputs({ name: "eth0", up: true }));
  expect(observe.mock.calls.flatMap(([sections]) => sections).map(({ key }) => key)).not.toContain("networkd");
  expect(warned).toEqual([]);
});

it("says nothing of a device that nobody else manages, nor of one in a namespace", async () => {
  await apply(nic, inputs({ name: "eth1", up: true }));
  expect(warned).toEqual([]);
  expect(nic.configures?.({ name: "eth0", namespace: "blue", up: true, mtu: 1500 })).toEqual([]);
});

it("says nothing where nothing is declared that the other would not do too", async () => {
  await apply(nic, inputs({ name: "eth0", up: true }));
  expect(warned).toEqual([]);
});

it("says nothing of who is dealt with, but of the others", async () => {
  const port = { bridge: "br-ex", addressesToBridge: true } as never;
  expect(ovsPort.configures?.(port)).toHaveLength(1);
  expect(ovsPort.dealsWith?.(port)).toEqual(["networkd"]);
  expect(ovsPort.dealsWith?.({ bridge: "br-ex" } as never)).toEqual([]);
  const dealing = { ...nic, dealsWith: () => ["networkd"] };
  await apply(dealing, inputs({ name: "eth0", up: true, mtu: 1500 }));
  expect(warned).toEqual([]);
  await apply(dealing, inputs({ name: "eth2", up: true, mtu: 1500 }));
  expect(warned).toHaveLength(1);
});

it("reads interfaces.d where there is no file interfaces, for which grep's exit code is 2", () => {
  const seen = answers(managerSections, said);
  Object.assign(seen.result("ifupdown"), { exitCode: 2 });
  expect(devicesOnHost(seen).find(({ name }) => name === "eth3")?.managedBy).toBe("ifupdown");
});

it("says it once, when the resource is made", async () => {
  const { outs } = await apply(nic, inputs({ name: "eth0", up: true, mtu: 1500 }));
  await apply(nic, inputs({ name: "eth0", up: true, mtu: 1500 }), outs);
  expect(warned).toHaveLength(1);
});

it("an address on it, and a port of it, are declared on it too", () => {
  expect(address.configures?.({ device: "eth0", address: "10.0.0.1/24" })).toEqual(["eth0"]);
  const port = { bridge: "br-ex", name: "eth0" } as never;
  expect(ovsPort.configures?.(port)).toEqual(["eth0"]);
});
