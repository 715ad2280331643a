/** How many times longer the chaos runs than in the gate: `CHAOS_SOAK=20 npx vitest run --project chaos` for an hour. */
export const SOAK = Math.max(1, Number(process.env.CHAOS_SOAK ?? 1))
