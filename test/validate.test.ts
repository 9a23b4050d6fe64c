import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { hostArgs } from "../provider/host-args";
import { bridgePort } from "../provider/kinds/bridge-port";
import { linuxBridge } from "../provider/kinds/linux-bridge";
import { namespace } from "../provider/kinds/namespace";
import { ovsPort } from "../provider/kinds/ovs-port";
import { route } from "../provider/kinds/route";
import { vethPair } from "../provider/kinds/veth-pair";
import { secret } from "../provider/model/scalars";
import { UNKNOWN } from "../provider/model/unknown";
import { instanceSchema } from "../provider/neutron/instance-schema";
import { nearest, validate } from "../provider/validate";

const reasons = (schema: z.ZodType, value: unknown) =>
  validate(schema, value).failures.map(({ path, reason }) => `${path}: ${reason}`);

it("of arguments told apart by one of them, that one is named, and what belongs to it", () => {
  const guest = (given: unknown) => reasons(instanceSchema, { ports: [{}], guest: given });
  expect(guest("vm")).toEqual(['guest: must be one of "tap", "namespace", "external" or an object; given was "vm"']);
  expect(guest({ type: "vm" })).toEqual(['guest.type: must be one of "tap", "namespace", "external"; given was "vm"']);
  expect(guest({ type: "tap", owne: 3 })).toEqual(["guest.owne: there is no such argument; did you mean 'owner'?"]);
  expect(validate(instanceSchema, { ports: [{}], guest: "external" }).value).toMatchObject({
    guest: { type: "external" },
  });
});

it("says of an output what it is", () => {
  expect(reasons(z.strictObject({ cidr: z.string() }), { cidr: pulumi.output("10.0.0.0/24") })).toEqual([
    "cidr: must be a string; given was an output of a resource, and a plain value is needed",
  ]);
});

describe("bad input is refused with path, what was given, what is allowed", () => {
  const bridge = (args: object) => reasons(linuxBridge.args, { name: "br0", ...args });

  it.each([
    [
      { name: "sixteen-chars-br" },
      "name: must be 1 to 15 letters, digits, '.', '_' or '-', not beginning with '-'; given was \"sixteen-chars-br\"",
    ],
    [{ mtu: 67 }, "mtu: must be 68 to 65535; given was 67"],
    [{ mac: "01:00:5e:00:00:01" }, 'mac: must be unicast: its first octet must be even; given was "01:00:5e:00:00:01"'],
    [{ mtuu: 1500 }, "mtuu: there is no such argument; did you mean 'mtu'?"],
    [{ addressesExactly: true }, "addressesExactly: there is no such argument; did you mean 'addressesExact'?"],
    [{ ip: "10.0.1.1/24" }, expect.stringMatching(/^ip: there is no such argument; allowed are name, /)],
    [{ vlan: 5 }, expect.stringMatching(/^vlan: there is no such argument; allowed are name, /)],
    [{ stp: "yes" }, 'stp: must be true or false; given was "yes"'],
    [{ mtu: "1400" }, 'mtu: must be a number; given was "1400"'],
    [{ mtu: 1400.5 }, "mtu: must be a whole number; given was 1400.5"],
    [{ addresses: "10.0.1.1/24" }, 'addresses: must be a list; given was "10.0.1.1/24"'],
    [{ vlanProtocol: "802.1x" }, 'vlanProtocol: must be one of "802.1Q", "802.1ad"; given was "802.1x"'],
    [
      { name: "ve-blue" },
      'name: must not be ve-*, vb-*, vt-*, host0, docker*, virbr* or veth<n> in the host\'s own namespace: systemd-networkd, docker and libvirt take such devices for theirs; given was "ve-blue"',
    ],
  ])("%j", (args, message) => {
    expect(bridge(args)).toEqual([message]);
  });

  it("says where an argument stands that is of a part", () => {
    const port = { name: "p0", bridge: "br0", mtu: 1400 };
    expect(reasons(ovsPort.args, port)).toEqual(["mtu: there is no such argument; did you mean 'interface.mtu'?"]);
    expect(reasons(route.args, { to: "default", dev: "eth0", via: "10.0.1.1" })).toEqual([
      "dev: there is no such argument; did you mean 'device'?",
    ]);
  });

  it("says all types that it may have", () => {
    expect(reasons(bridgePort.args, { device: "d0", bridge: "br0", vlans: [{}] })).toEqual([
      "vlans[0].id: is required; must be a number or a string",
    ]);
    expect(bridge({ mac: 5 })).toEqual(['mac: must be "kernel" or a string; given was 5']);
    expect(bridge({ addresses: [5] })).toEqual(["addresses[0]: must be a string or an object; given was 5"]);
  });

  it.each(["10.0.1.1/33", "010.0.0.1", "10.0.0.1", "010.0.0.1/24", "fe80::1%eth0/64", "10.0.1.1/"])(
    "the address %s",
    (address) => {
      const [first] = bridge({ addresses: [address] });
      expect(first).toMatch(/^addresses\[0\]: must be an address with its prefix length/);
      expect(first).toContain(JSON.stringify(address));
    },
  );

  it("an all-digit namespace name", () => {
    expect(reasons(namespace.args, { name: "42" })[0]).toMatch(/^name: must not be digits only/);
  });

  it("a veth with two equal ends in one namespace", () => {
    expect(reasons(vethPair.args, { a: { name: "x" }, b: { name: "x" } })[0]).toMatch(
      /^b.name: must differ from a.name/,
    );
    expect(reasons(vethPair.args, { a: { name: "x" }, b: { name: "x", namespace: "blue" } })).toEqual([]);
  });

  it("a missing argument, and one at depth", () => {
    expect(reasons(vethPair.args, { a: { name: "x" } })).toEqual(["b: is required; must be an object"]);
    expect(reasons(vethPair.args, { a: { name: "x" }, b: { name: "y", mtu: 1 } })).toEqual([
      "b.mtu: must be 68 to 65535; given was 1",
    ]);
  });

  it("a secret without its value", () => {
    const schema = z.strictObject({ key: secret(z.string().regex(/^-----/, "must be a key")) });
    expect(reasons(schema, { key: "TOPSECRET" })).toEqual(["key: must be a key; given was [secret]"]);
  });

  it("a private key in the place of its path without the key", () => {
    const key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIPpY\n-----END EC PRIVATE KEY-----\n";
    const [reason] = reasons(hostArgs, { name: "n", address: "192.0.2.1", privateKeyPath: key });
    expect(reason).toMatch(/^privateKeyPath: must be a path .*; given was \[secret\]$/);
  });
});

describe("normal form", () => {
  it("is the kernel's spelling", () => {
    const { value } = validate(linuxBridge.args, {
      name: "br0",
      mac: "02:AB:00:00:00:01",
      addresses: ["FD00:0:0::1/64"],
    });
    expect(value).toEqual({ name: "br0", mac: "02:ab:00:00:00:01", addresses: ["fd00::1/64"], up: true });
  });
});

describe("what is unknown in preview", () => {
  it("passes at every level, and the known rest is still in normal form and checked", () => {
    const given = { a: { name: UNKNOWN, namespace: "blue", mac: "02:AB:00:00:00:01" }, b: UNKNOWN };
    expect(validate(vethPair.args, given)).toEqual({
      value: { a: { name: UNKNOWN, namespace: "blue", mac: "02:ab:00:00:00:01", up: true }, b: UNKNOWN },
      failures: [],
    });
    expect(reasons(vethPair.args, { a: { name: UNKNOWN, mtu: 1 }, b: UNKNOWN })).toEqual([
      "a.mtu: must be 68 to 65535; given was 1",
    ]);
    expect(reasons(vethPair.args, { a: { name: UNKNOWN, nam: 1 }, b: UNKNOWN })).toEqual([
      "a.nam: there is no such argument; did you mean 'name'?",
    ]);
  });

  it("passes inside lists and alternatives", () => {
    const given = { name: "br0", addresses: [{ address: UNKNOWN, nodad: true }, "10.0.0.1/24"] };
    expect(validate(linuxBridge.args, given).failures).toEqual([]);
    expect(reasons(linuxBridge.args, { name: "br0", addresses: [UNKNOWN, "10.0.0.1"] })[0]).toMatch(/^addresses\[1\]/);
  });
});

it("nearest finds a slip, and nothing where nothing is near", () => {
  expect(nearest("vlanFilterin", ["vlanFiltering", "vlanStats"])).toBe("vlanFiltering");
  expect(nearest("colour", ["mtu", "mac"])).toBeUndefined();
});
