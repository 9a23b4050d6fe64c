import { convergeAddresses, type LiveAddress, liveAddress, shownAddresses } from "../../provider/model/address";

const at = (address: string, more: Partial<LiveAddress> = {}): LiveAddress => ({
  address,
  scope: "global",
  secondary: false,
  dynamic: false,
  kernelMade: false,
  tentative: false,
  dadFailed: false,
  ...more,
});

const steps = (want: string[], was: string[], live: LiveAddress[]) =>
  convergeAddresses({ device: "eth0", want, was, live, exact: false }).map(({ argv }) => argv.slice(2).join(" "));

// As the kernel does without promote_secondaries: the first of a subnet takes the others with it.
const both = [at("10.0.1.1/24"), at("10.0.1.2/24", { secondary: true })];

test("secondary addresses leave before their primary one, which would take them with it", () => {
  expect(steps([], ["10.0.1.1/24", "10.0.1.2/24"], both)).toEqual([
    "del 10.0.1.2/24 dev eth0",
    "del 10.0.1.1/24 dev eth0",
  ]);
});

test("those that stay, also foreign ones, are given back", () => {
  expect(steps([], ["10.0.1.1/24"], both)).toEqual([
    "add 10.0.1.2/32 dev eth0",
    "del 10.0.1.1/24 dev eth0",
    "replace 10.0.1.2/24 scope global dev eth0",
    "del 10.0.1.2/32 dev eth0",
  ]);
  expect(steps(["10.0.2.1/24"], ["10.0.1.2/24"], both)).toEqual([
    "del 10.0.1.2/24 dev eth0",
    "add 10.0.2.1/24 dev eth0",
  ]);
});

// With the last IPv4 address of a device, all routes through it go.
describe("a device keeps an IPv4 address while its addresses are exchanged", () => {
  test("the next one, alone in a subnet, before the last one leaves", () => {
    const sole = [at("10.0.1.1/24"), at("fd00::1/64")];
    expect(steps(["10.0.1.2/24", "fd00::2/64"], ["10.0.1.1/24", "fd00::1/64"], sole)).toEqual([
      "add 10.0.1.2/32 dev eth0",
      "del 10.0.1.1/24 dev eth0",
      "del fd00::1/64 dev eth0",
      "add 10.0.1.2/24 dev eth0",
      "add fd00::2/64 dev eth0 nodad",
      "del 10.0.1.2/32 dev eth0",
    ]);
    expect(steps(["10.0.1.2/32"], ["10.0.1.1/24"], [at("10.0.1.1/24")])).toContain("add 10.0.1.2/31 dev eth0");
  });

  test("not where another one stays, none comes, or none was there", () => {
    const other = [at("10.0.1.1/24"), at("10.9.0.1/24")];
    expect(steps(["10.0.1.2/24"], ["10.0.1.1/24"], other)).toEqual([
      "del 10.0.1.1/24 dev eth0",
      "add 10.0.1.2/24 dev eth0",
    ]);
    expect(steps([], ["10.0.1.1/24"], [at("10.0.1.1/24")])).toEqual(["del 10.0.1.1/24 dev eth0"]);
    expect(steps(["10.0.1.2/24"], ["fd00::1/64"], [at("fd00::1/64")])).toEqual([
      "del fd00::1/64 dev eth0",
      "add 10.0.1.2/24 dev eth0",
    ]);
  });

  // With an address, all routes go that have it as their source.
  test("each that comes back, also where another one stays", () => {
    const more = [...both, at("10.9.0.1/24")];
    expect(steps(["10.0.1.2/24", "10.0.1.1/24"], [], more)).toEqual([
      "add 10.0.1.2/32 dev eth0",
      "add 10.0.1.1/32 dev eth0",
      "del 10.0.1.2/24 dev eth0",
      "del 10.0.1.1/24 dev eth0",
      "add 10.0.1.2/24 dev eth0",
      "add 10.0.1.1/24 dev eth0",
      "del 10.0.1.2/32 dev eth0",
      "del 10.0.1.1/32 dev eth0",
    ]);
  });

  test("what a change that was cut off has left goes with the next", () => {
    const left = [at("10.0.1.2/32"), at("10.0.1.2/24"), at("10.0.1.9/32")];
    expect(steps(["10.0.1.2/24"], ["10.0.1.1/24"], left)).toEqual(["del 10.0.1.2/32 dev eth0"]);
  });
});

test.each<[string, object, boolean]>([
  ["fe80::5054:ff:fe12:3456", {}, true],
  ["fe80::200:5efe:c000:20b", {}, true],
  ["fe80::c000:20b", {}, true],
  ["fe80::8091:df67:be0f:d5ab", { "stable-privacy": true }, true],
  ["fe80::1", { protocol: "kernel_ll" }, true],
  ["fe80::1", {}, false],
  ["fe80::1:1", {}, false],
  ["fe80::f8d5:3d00:bb42:42e9", {}, false],
  ["fd00::5054:ff:fe12:3456", { scope: "global" }, false],
])("who made %s %j is told by its form", (local, more, kernelMade) => {
  const info = { family: "inet6", local, prefixlen: 64, scope: "link", ...more };
  expect(liveAddress(info).kernelMade).toBe(kernelMade);
});

test("of thousands on a device each is looked at some times, and not once for each other one", () => {
  let reads = 0;
  const many = 500;
  const live = Array.from({ length: many }, (_, i) => {
    const address = `10.${i >> 8}.${i & 255}.1/24`;
    const get = () => {
      reads++;
      return address;
    };
    return Object.defineProperty(at(address), "address", { enumerable: true, get });
  });
  const all = live.map(({ address }) => address);
  const others = all.map((address) => address.replace(/^10/, "11"));
  expect([steps(all, all, live), steps(others, all, live)].map((list) => list.length)).toEqual([0, 2 * many + 2]);
  expect(shownAddresses(all, live, true)).toEqual(all);
  expect(reads).toBeLessThan(30 * many);
});
