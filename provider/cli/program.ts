import { Command } from "commander";
import { ownPackage } from "../import/project";
import { discoverCommand } from "./discover";
import { driftCommand } from "./drift";
import { graphCommand } from "./graph";
import { importCommand } from "./import";
import { labCommand } from "./lab";

/** `hostnet`, with all that it can do. */
export const hostnet = () =>
  new Command("hostnet")
    .description("The networking of Linux hosts over SSH: beside `pulumi up`")
    .version(ownPackage().version, "--version", "print the version")
    .enablePositionalOptions()
    .addCommand(discoverCommand())
    .addCommand(importCommand())
    .addCommand(driftCommand())
    .addCommand(graphCommand())
    .addCommand(labCommand());
