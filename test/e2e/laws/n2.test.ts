import { laws } from "./laws";

// Most warnings are of what the laws do.
jest.mock("../../../provider/log", () => ({ warn() {}, tell() {} }));

laws(1);
