import { conduct } from "../provider/inquiry";
import type { Question } from "../provider/model/question";

const asked: string[] = [];

jest.mock("../provider/host/reach", () => ({
  reach: async ({ name }: { name: string }) => ({
    observe: async () => {
      if (name === "away") throw new Error("no route to host");
      asked.push(name);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return `seen of ${name}`;
    },
  }),
}));

const question = (name: string) => ({ host: { name }, sections: [] }) as unknown as Question;

function* about(...turns: string[][]): Generator<Question[], unknown, unknown[]> {
  const answers: unknown[] = [];
  for (const names of turns) answers.push(yield names.map(question));
  return answers;
}

it("puts the questions of each turn to their hosts, and gives the answers in their order", async () => {
  expect(await conduct(about(["n1", "n2"], ["n1"]) as never)).toEqual([["seen of n1", "seen of n2"], ["seen of n1"]]);
});

it("throws into the inquiry what keeps a host from answering; it may go on", async () => {
  function* brave(): Generator<Question[], unknown, unknown[]> {
    try {
      yield [question("away")];
    } catch (error) {
      return [(error as Error).message, yield [question("n1")]];
    }
    return undefined;
  }
  expect(await conduct(brave() as never)).toEqual(["no route to host", ["seen of n1"]]);
});

it("conducts one at a time, whatever became of the one before", async () => {
  asked.length = 0;
  const inquiries = [about(["a"], ["a"]), about(["b"], ["away"]), about(["c"], ["c"])];
  const ended = await Promise.allSettled(inquiries.map((inquiry) => conduct(inquiry as never)));
  expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(asked).toEqual(["a", "a", "b", "c", "c"]);
});

it("lets one without questions wait for none", async () => {
  const slow = conduct(about(["a"], ["b"]) as never);
  asked.length = 0;
  await conduct(about() as never);
  expect(asked).not.toContain("b");
  await slow;
});
