import { onOneHost } from "./helpers/declare";
import { createStack, type Stack } from "./helpers/stack";

/** Bad input is refused in preview. No host is reached: the address is one where nothing answers. */
const program = (rest: string) => `
const hostnet = require("pulumi-hostnet");
const host = new hostnet.Host("nowhere", { address: "127.0.0.1", port: 1 });
${rest}
`;

let stack: Stack;
beforeAll(async () => {
  stack = await createStack({ program: program("") });
}, 900_000);
afterAll(() => stack?.dispose(), 900_000);

it("with path, what was given, and what is allowed", async () => {
  stack.write(
    program(`
new hostnet.LinuxBridge("a", { host, name: "a-name-of-16-char" });
new hostnet.Namespace("b", { host, name: "42" });
new hostnet.LinuxBridge("c", { host, addresses: ["10.0.1.1/33"] });
new hostnet.LinuxBridge("d", { host, addresses: ["010.0.0.1/8"] });
new hostnet.LinuxBridge("e", { host, mac: "01:00:00:00:00:01" });
new hostnet.LinuxBridge("f", { host, mtu: 67 });
new hostnet.VethPair("g", { host, a: { name: "x" }, b: { name: "x" } });
new hostnet.LinuxBridge("h", { host, vlanFilterin: true });
new hostnet.Namespace("i", { host, quite: "other" });
new hostnet.Host("j", { address: "127.0.0.1", privateKey: "TOPSECRET", port: 99999 });
`),
  );
  const { all } = await stack.preview({ expectFailure: true });
  for (const text of [
    /name: must be 1 to 15 .*given was "a-name-of-16-char"/,
    /name: must not be digits only.*given was "42"/,
    /addresses\[0\]: must be an address with its prefix length.*given was "10\.0\.1\.1\/33"/,
    /addresses\[0\]: must be an address.*given was "010\.0\.0\.1\/8"/,
    /mac: must be unicast.*given was "01:00:00:00:00:01"/,
    /mtu: must be 68 to 65535; given was 67/,
    /b\.name: must differ from a\.name/,
    /vlanFilterin: there is no such argument; did you mean 'vlanFiltering'\?/,
    /quite: there is no such argument; allowed are name, sysctls/,
    /port: must be 1 to 65535; given was 99999/,
  ]) {
    expect(all).toMatch(text);
  }
  expect(all).not.toContain("TOPSECRET");
}, 900_000);

it("two resources that claim the same device, naming both", async () => {
  stack.write(
    program(
      `new hostnet.LinuxBridge("one", { host, name: "same" }); new hostnet.VethPair("two", { host, a: { name: "same" }, b: { name: "x" } });`,
    ),
  );
  const { all } = await stack.preview({ expectFailure: true });
  expect(all).toContain("VethPair 'two' and LinuxBridge 'one' both declare device same [CONFLICT]");
}, 900_000);

it("an unreachable host fails `up` within its deadline, naming host, cause and remedy", async () => {
  stack.write(onOneHost("n1", `new hostnet.Namespace("x", { host });`, { port: 1, connectTimeout: 5 }));
  const started = Date.now();
  const { all } = await stack.up({ expectFailure: true });
  expect(all).toMatch(/n1: .*\[UNREACHABLE\]/);
  expect(all).toMatch(/next: .*address, port/);
  expect(Date.now() - started).toBeLessThan(40_000);
}, 900_000);
