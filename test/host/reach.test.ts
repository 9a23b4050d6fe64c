import { type HostRef, reach, reachIfSame } from "../../provider/host/reach";
import { type ErrorCode, HostnetError } from "../../provider/model/errors";

let code: ErrorCode = "UNREACHABLE";
jest.mock("../../provider/host/batch", () => ({
  machine: async () => {
    throw new HostnetError(code, "refused");
  },
}));

const host = { name: "n1", address: "192.0.2.1" } as HostRef;
const nextOf = async (asked: Promise<unknown>) => {
  const { message } = await asked.then(
    () => new Error("it was reached"),
    (error: Error) => error,
  );
  return message.slice(message.indexOf("next: "));
};

test("who goes by the state is told that the program may say another way, or that the machine may be gone", async () => {
  for (code of ["UNREACHABLE", "AUTH"] as const) {
    const said = await nextOf(reachIfSame(host));
    expect(said).toMatch(
      /^next: Check .*\n +A refresh and a destroy go by .* in the state: .*`pulumi up` without --refresh/,
    );
    expect(said).toMatch(/\n +Is the machine gone for good.*HOSTNET_DECOMMISSIONED=n1/);
    // In an `up` it is the program's own way.
    expect(await nextOf(reach(host))).not.toContain("in the state");
  }
  code = "SHELL";
  expect(await nextOf(reachIfSame(host))).not.toContain("in the state");
});
