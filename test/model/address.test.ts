import { convergeAddresses, type LiveAddress } from "../../provider/model/address";

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
    "del 10.0.1.1/24 dev eth0",
    "replace 10.0.1.2/24 scope global dev eth0",
  ]);
  expect(steps(["10.0.2.1/24"], ["10.0.1.2/24"], both)).toEqual([
    "del 10.0.1.2/24 dev eth0",
    "add 10.0.2.1/24 dev eth0",
  ]);
});
