import { imports } from "./import";
import { laws } from "./laws";

describe("laws", () => laws(0));
describe("import", () => imports(0));
