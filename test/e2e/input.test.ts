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

// The engine stops at the first refusal: one preview each.
it.each([
  [
    `new hostnet.LinuxBridge("a", { host, name: "a-name-of-16-char" });`,
    /name: must be 1 to 15 .*given was "a-name-of-16-char"/,
  ],
  [`new hostnet.Namespace("b", { host, name: "42" });`, /name: must not be digits only.*given was "42"/],
  [
    `new hostnet.LinuxBridge("c", { host, addresses: ["10.0.1.1/33"] });`,
    /addresses\[0\]: must be an address with its prefix length.*given was "10\.0\.1\.1\/33"/,
  ],
  [`new hostnet.VethPair("g", { host, a: { name: "x" }, b: { name: "x" } });`, /b\.name: must differ from a\.name/],
  [
    `new hostnet.LinuxBridge("h", { host, vlanFilterin: true });`,
    /vlanFilterin: there is no such argument; did you mean 'vlanFiltering'\?/,
  ],
  [
    `new hostnet.Host("j", { address: "127.0.0.1", privateKey: "TOPSECRET", port: 99999 });`,
    /port: must be 1 to 65535; given was 99999/,
  ],
  [
    `new hostnet.Host("dc2/nowhere", { address: "127.0.0.2" });`,
    /Host 'dc2\/nowhere' and Host 'nowhere' both declare a host called nowhere \[CONFLICT\]/,
  ],
])(
  "%s",
  async (rest, text) => {
    stack.write(program(rest));
    const { all } = await stack.preview({ expectFailure: true });
    expect(all).toMatch(text);
    expect(all).not.toContain("TOPSECRET");
  },
  900_000,
);

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
  expect(Date.now() - started).toBeLessThan(200_000);
}, 900_000);
