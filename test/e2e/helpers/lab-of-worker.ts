/** Runs before each test file: the lab of this worker of jest, where tools/test.ts has brought up one for each. */
const labs = JSON.parse(process.env.HOSTNET_LABS ?? "[]") as Record<string, string>[];
Object.assign(process.env, labs[Number(process.env.JEST_WORKER_ID) - 1]);
