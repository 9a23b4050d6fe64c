import { Crowd } from "../../provider/host/crowd";

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** So many requests come, and a batch is closed with them; `answer` answers all of them. */
function come(crowd: Crowd, count: number) {
  const resolvers: (() => void)[] = [];
  const joined = Array.from({ length: count }, () => crowd.join(new Promise<void>((go) => resolvers.push(go))));
  crowd.closed();
  return async () => {
    for (const resolve of resolvers) resolve();
    await Promise.all(joined);
  };
}

/** Whether a wait of a second has ended. */
function waiting(crowd: Crowd) {
  const state = { over: false };
  void crowd.wait(1000).then(() => {
    state.over = true;
  });
  return state;
}

const later = () => jest.advanceTimersByTimeAsync(0);

test("nobody is waited for when as many wait as ever have, and have before", async () => {
  const crowd = new Crowd();
  for (let wave = 0; wave < 2; wave++) {
    const answer = come(crowd, 8);
    await answer();
  }
  const seven = come(crowd, 7);
  const [one, another] = [waiting(crowd), waiting(crowd)];
  await later();
  expect([one.over, another.over]).toEqual([false, false]);
  const last = come(crowd, 1);
  await later();
  expect([one.over, another.over, crowd.complete]).toEqual([true, true, true]);
  await seven();
  expect(crowd.complete).toBe(false);
  await last();
});

test("the first time says nothing: more may be on their way", async () => {
  const crowd = new Crowd();
  await come(crowd, 8)();
  come(crowd, 8);
  expect(crowd.complete).toBe(true);
  come(crowd, 1);
  const wait = waiting(crowd);
  await later();
  expect([crowd.complete, wait.over]).toEqual([false, false]);
  await jest.advanceTimersByTimeAsync(1000);
  expect(wait.over).toBe(true);
});

test("three at once say nothing, however often: a bridge may be followed by all its ports", async () => {
  const crowd = new Crowd();
  for (let wave = 0; wave < 5; wave++) await come(crowd, 3)();
  come(crowd, 3);
  expect(crowd.complete).toBe(false);
});

test("a request that fails leaves too", async () => {
  const crowd = new Crowd();
  await come(crowd, 4)();
  await come(crowd, 4)();
  const failing = Array.from({ length: 4 }, () => crowd.join(Promise.reject(new Error("no"))));
  expect(crowd.complete).toBe(true);
  await Promise.allSettled(failing);
  expect(crowd.complete).toBe(false);
});
