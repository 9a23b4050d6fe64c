#!/usr/bin/env node
import { closeAll } from "../host/pool";
import { hostnet } from "./program";

hostnet()
  .parseAsync()
  .catch((error: unknown) => {
    console.error(`hostnet: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  })
  .finally(closeAll);
