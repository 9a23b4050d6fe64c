import { imports } from "./import";
import { laws } from "./laws";

describe("laws", () => laws(1));
describe("import", () => imports(1));
