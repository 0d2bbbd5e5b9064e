// Other programs, always by a list of arguments.

import { execFile } from "node:child_process";

/** What the program printed, without white space around it; fails when the program does. */
export function run(program: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<string>((done, failed) => {
    execFile(program, args, { maxBuffer: 32 * 1024 * 1024, ...options }, (error, out, complaints) => {
      if (error) failed(new Error(`${program} ${args.join(" ")}: ${complaints || error.message}`));
      else done(out.trim());
    });
  });
}
