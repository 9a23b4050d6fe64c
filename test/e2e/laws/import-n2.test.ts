import { imports } from "./import";

imports(1);
