import { laws } from "./laws";

laws(1);
