/** In `reset`: where it goes back to hangs on the other arguments, and `converge` knows. */
export const hangsOnOthers = "hangs on others";
