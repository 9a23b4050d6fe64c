import { declared } from "../provider/graph/drawn";
import { render } from "../provider/graph/render";
import { settle } from "./generated";
import { runMain } from "./log";
import { declaredByMainExample } from "./program";

/** Draws the main example for README. After the build of what generate.ts has written, as a program is run for it. */
runMain(async () => {
  const picture = await render(declared(await declaredByMainExample()), "svg");
  settle([["docs/images/main-example.svg", picture]]);
  return process.exitCode as number | undefined;
});
