import { hostPlan, hostPlans } from "../../provider/cli/hosts";

test.each([
  ["192.0.2.1", { name: "192.0.2.1", address: "192.0.2.1" }],
  ["n1=ops@192.0.2.1:2222", { name: "n1", user: "ops", address: "192.0.2.1", port: 2222 }],
  ["fd00::1", { name: "fd00::1", address: "fd00::1" }],
  ["n1=ops@[::1]:22", { name: "n1", user: "ops", address: "::1", port: 22 }],
])("%s", (text, args) => {
  expect(hostPlan(text, {}).args).toMatchObject(args);
});

test.each(["192.0.2.1:", "node1:", "n1=", ":22"])("%s is no host", (text) => {
  expect(() => hostPlan(text, {})).toThrow();
});

test("two hosts of one name are refused: what is found on one would overwrite the other's", () => {
  expect(() => hostPlans(["n1=192.0.2.1", "n1=192.0.2.2"], {})).toThrow("two of the hosts are called n1");
  expect(hostPlans(["192.0.2.1", "n2=192.0.2.1"], {}).map(({ name }) => name)).toEqual(["192.0.2.1", "n2"]);
});
