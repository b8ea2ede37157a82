import type { StepDots } from "./stepped.ts";

/** The dots of the step mode, once it has been fetched. */
export const stepHook: { dots: StepDots | null } = { dots: null };
