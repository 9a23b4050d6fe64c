import { laws } from "./laws";

laws(0);
