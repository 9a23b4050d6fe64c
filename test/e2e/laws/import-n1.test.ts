import { imports } from "./import";

imports(0);
