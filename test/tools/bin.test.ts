import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { bin } from "../../package.json";
import { root } from "../../tools/root";

test("the build leaves `hostnet` executable: npx makes it so only the first time that it sees a folder", () => {
  accessSync(join(root, bin.hostnet), constants.X_OK);
});
