import type { Context } from "hono";
import { refusal } from "../middleware/answer.ts";
import { BadQuery } from "./listing.ts";
import { TooBusy } from "./shared_answers.ts";

/** The answer, or why there is none. */
export async function sensible(context: Context, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof BadQuery) return refusal(context, 400, error.message);
    if (error instanceof TooBusy) {
      return refusal(context, 503, "Too many different lists are asked for: try again in a second", {
        "Retry-After": "1",
      });
    }
    throw error;
  }
}
