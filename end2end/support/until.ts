// Waiting for what has no event of its own.

/** Asks again and again until there is an answer other than undefined, null or false; fails after `seconds`. */
export async function until<T>(what: string, ask: () => Promise<T> | T, seconds = 60): Promise<NonNullable<T>> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`In vain waited ${seconds} s for: ${what}`);
    await pause(50);
  }
}

/** A moment between two looks. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
