import { imports } from "./import";

imports(1);

// Most warnings are of what the laws do.
jest.mock("../../../provider/log", () => ({ warn() {}, tell() {} }));
