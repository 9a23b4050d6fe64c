#!/usr/bin/env node
import { Command } from "commander";
import { labCommand } from "./lab";

const program = new Command("hostnet")
  .description("The networking of Linux hosts over SSH: beside `pulumi up`")
  .enablePositionalOptions()
  .addCommand(labCommand());

program.parseAsync().catch((error: unknown) => {
  console.error(`hostnet: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
