import { gratuitousArp as kind } from "../../provider/kinds/gratuitous-arp";
import type { HostnetError } from "../../provider/model/errors";
import { validate } from "../../provider/validate";
import { answers, netns } from "./answers";

const context = { mark: "hostnet:a1b2:c3", owner: "a1b2", was: [] };
const addresses = ["10.0.1.1", "10.0.1.9"];

const want = (args: object = {}) => {
  const { value, failures } = validate(kind.args, { namespace: "blue", device: "eth0", addresses, ...args });
  expect(failures).toEqual([]);
  return value as never;
};

const announcement = (args?: object) => kind.observe(want(args)).find(({ key }) => key.startsWith("announce:"));

/** What the kind makes of a device with these flags and addresses; of none where it has no flags. */
function converge(flags: string[] | undefined, local = addresses, args: object = {}) {
  const link = {
    ifname: "eth0",
    flags,
    addr_info: local.map((address) => ({ family: "inet", local: address, prefixlen: 24 })),
  };
  const value = want(args);
  const seen = answers(kind.observe(value), { netns: netns("blue"), "links@blue": flags ? [link] : [] });
  const found = kind.find(value, seen);
  return { found, steps: () => kind.converge(value, found, context) };
}

test("announces each address, in the namespace, values as arguments, and waits for nothing", () => {
  const section = announcement();
  expect(section).toMatchObject({ namespace: "blue" });
  expect(section?.slow).toBeUndefined();
  expect(section?.argv.slice(3)).toEqual(["eth0", "2", ...addresses]);
  expect(section?.argv[2]).toContain('arping -q -U -c "$count" -w "$wait" -I "$0" "$address" >/dev/null 2>&1 &');
});

test("has nothing more to do where arping can send, and says so", () => {
  const { found, steps } = converge(["BROADCAST", "UP"]);
  expect(steps()).toEqual([]);
  expect(found?.facts).toEqual({ announced: addresses });
});

test.each([
  ["there is no such device", undefined, addresses, {}],
  ["the device is down", ["BROADCAST"], addresses, {}],
  ["the device does no ARP", ["POINTOPOINT", "NOARP", "UP"], addresses, {}],
  ["the device does no ARP", ["LOOPBACK", "UP"], addresses, {}],
  ["the device does not have 10.0.1.9", ["BROADCAST", "UP"], ["10.0.1.1"], {}],
  ["there is no namespace red", ["BROADCAST", "UP"], addresses, { namespace: "red" }],
])("fails where it cannot: %s", (why, flags, local, args) => {
  try {
    converge(flags, local, args).steps();
    throw new Error("did not fail");
  } catch (error) {
    const { code, summary } = error as HostnetError;
    expect([code, summary]).toEqual(["NOT_CONVERGED", `10.0.1.1, 10.0.1.9 could not be announced on eth0: ${why}`]);
  }
});
