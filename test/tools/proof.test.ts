import { proofCommand, proofsOf, resultLines } from "../../tools/proof";

const proof = { host: "node1", namespace: "blue", to: "10.0.1.2", says: "blue on node1 reaches blue on node2" };

test("a stack without the output has nothing to prove", () => {
  expect(proofsOf({})).toEqual([]);
  expect(proofsOf(undefined)).toEqual([]);
});

test("the output is checked", () => {
  expect(proofsOf({ proof: [proof] })).toEqual([proof]);
  expect(() => proofsOf({ proof: [{ host: "node1" }] })).toThrow("not a list of");
  expect(() => proofsOf({ proof: "ping" })).toThrow("not a list of");
});

test("names are never shell text", () => {
  expect(proofCommand(proof)).toBe("ip netns exec 'blue' ping -c 3 -i 0.3 -W 2 '10.0.1.2'");
  expect(proofCommand({ ...proof, namespace: undefined, to: "1'; reboot" })).toContain("'1'\\''; reboot'");
});

test("ping's headings are left out", () => {
  const output = "PING 10.0.1.2\n64 bytes from 10.0.1.2: icmp_seq=1\n\n--- 10.0.1.2 ping statistics ---\n1 received\n";
  expect(resultLines(output)).toEqual(["64 bytes from 10.0.1.2: icmp_seq=1", "1 received"]);
});
