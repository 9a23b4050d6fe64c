import { Seen } from "../../provider/host/seen";
import { gratuitousArp as kind } from "../../provider/kinds/gratuitous-arp";
import type { HostnetError } from "../../provider/model/errors";
import { validate } from "../../provider/validate";
import { netns } from "./answers";

const context = { mark: "hostnet:a1b2:c3", owner: "a1b2", was: [] };
const addresses = ["10.0.1.1", "10.0.1.9"];

const want = (args: object = {}) => {
  const { value, failures } = validate(kind.args, { namespace: "blue", device: "eth0", addresses, ...args });
  expect(failures).toEqual([]);
  return value as never;
};

const announcement = (args?: object) => kind.observe(want(args)).find(({ key }) => key.startsWith("announce:"));

function converge(exitCode: number, stdout = "") {
  const said = (key: string) =>
    key === "netns"
      ? { exitCode: 0, stdout: JSON.stringify(netns("blue")), stderr: "" }
      : { exitCode, stdout, stderr: "" };
  const sections = kind.observe(want());
  const seen = new Seen(new Map(sections.map((section) => [section.key, { section, result: said(section.key) }])));
  const found = kind.find(want(), seen);
  return { found, steps: () => kind.converge(want(), found, context) };
}

test("announces each address, in the namespace, values as arguments", () => {
  const section = announcement();
  expect(section).toMatchObject({ slow: true, namespace: "blue" });
  expect(section?.argv.slice(3)).toEqual(["eth0", "2", ...addresses]);
  expect(section?.argv[2]).toContain('arping -q -U -c "$count" -w "$wait" -I "$0" "$address"');
});

test("has nothing more to do when arping took them, and says so", () => {
  const { found, steps } = converge(0);
  expect(steps()).toEqual([]);
  expect(found?.facts).toEqual({ announced: addresses });
});

test("fails with arping's words when the device has not the address", () => {
  const { steps } = converge(2, "arping: bind: Cannot assign requested address");
  try {
    steps();
    throw new Error("did not fail");
  } catch (error) {
    const { code, summary, message } = error as HostnetError;
    expect([code, summary]).toEqual(["NOT_CONVERGED", "10.0.1.1, 10.0.1.9 could not be announced on eth0"]);
    expect(message).toContain("Cannot assign requested address");
  }
});
