/** The command line: `npm run hicache -- COMMAND …`. */
import process from 'node:process';
import { AppError, reportOf } from '../src/shared/errors.ts';

type Command = (args: string[]) => Promise<void>;

/** Loaded only when they run, so that help and mistakes answer at once. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  generate: async () => (await import('./commands/generate.ts')).generateCommand,
  convert: async () => (await import('./commands/convert.ts')).convertCommand,
  costs: async () => (await import('./commands/costs.ts')).costsCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  calibrate: async () => (await import('./commands/calibrate.ts')).calibrateCommand,
  choices: async () => (await import('./commands/choices.ts')).choicesCommand,
  bench: async () => (await import('./commands/bench.ts')).benchCommand,
};

const HELP = `Usage: hicache COMMAND [options]

  generate "PROMPT" --out FILE.png   make a picture
  convert SOURCE… --out BUNDLE       make a bundle from a FLUX.1 checkpoint
  costs                              time the cache's own kernels at FLUX.1's size
  doctor                             show the GPU, its self-test and the backend that would run
  calibrate                          find where a model's steps are best computed
  bench                              compare ways to spend a budget of computed steps
  choices                            compare the automatic basis with other ways to choose

hicache COMMAND --help shows a command's options. With HICACHE_DEBUG=1 in the environment, an
internal error comes with the place where it arose.
`;

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    throw new AppError(
      'bad-request',
      `There is no command "${name}".`,
      `Commands: ${Object.keys(COMMANDS).join(', ')}.`,
    );
  }
  await (
    await command()
  )(args);
}

/** 2 for what the caller can put right on the command line, 1 for everything else. */
async function exitCode(): Promise<number> {
  try {
    await main(process.argv.slice(2));
    return 0;
  } catch (error) {
    const { code, message, hint } = reportOf(error);
    process.stderr.write(`${message}\n${hint}\n`);
    if (code === 'internal' && process.env.HICACHE_DEBUG) console.error(error);
    return code === 'bad-request' ? 2 : 1;
  }
}

// ONNX Runtime's worker threads and Dawn would keep the process alive.
process.exit(await exitCode());
