#!/usr/bin/env node
import { Command } from "commander";
import { closeAll } from "../host/pool";
import { discoverCommand } from "./discover";
import { driftCommand } from "./drift";
import { graphCommand } from "./graph";
import { importCommand } from "./import";
import { labCommand } from "./lab";

const program = new Command("hostnet")
  .description("The networking of Linux hosts over SSH: beside `pulumi up`")
  .enablePositionalOptions()
  .addCommand(discoverCommand())
  .addCommand(importCommand())
  .addCommand(driftCommand())
  .addCommand(graphCommand())
  .addCommand(labCommand());

program
  .parseAsync()
  .catch((error: unknown) => {
    console.error(`hostnet: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  })
  .finally(closeAll);
