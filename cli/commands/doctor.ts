/** `hicache doctor`: what this machine's GPU is, whether it computes right, and what would run. */
import process from 'node:process';
import { inspectWebGpu, obstacleTo } from '../../src/runtime/choose.ts';
import { adapterName, type AdapterReport } from '../../src/gpu/device.ts';
import type { Attempt } from '../../src/runtime/webgpu/open.ts';
import { AppError } from '../../src/shared/errors.ts';
import { readArguments } from '../lib/args.ts';
import { vulkanInUse } from '../../src/node/gpu.ts';
import { nodeHost } from '../../src/node/ort.ts';

const HELP = `Usage: hicache doctor

Shows the GPU that WebGPU finds here, its features and limits, how ONNX Runtime's attention,
4-bit matrix multiplication and a small transformer block come out on it, and which backend
\`--backend auto\` would take.
`;

export async function doctorCommand(args: string[]): Promise<void> {
  const { values, positionals } = readArguments(args, []);
  if (positionals.length > 0) {
    throw new AppError('bad-request', `doctor takes no "${positionals[0]}".`, HELP);
  }
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const host = await nodeHost();
  const report = await inspectWebGpu(host);
  const obstacle = (await obstacleTo(host.gpu)) ?? report.problem;
  const lines = [
    `Node ${process.versions.node} on ${process.platform} ${process.arch}`,
    `Vulkan driver: ${vulkanInUse()}`,
    ...(report.adapter ? describeGpu(report.adapter) : ['No GPU']),
    ...report.attempts.map(describeAttempt),
    ...(report.problem === null ? [] : [`WebGPU cannot be used: ${report.problem}`]),
    obstacle === null
      ? '--backend auto takes webgpu: the GPU passes its self-test.'
      : `--backend auto takes cpu: ${obstacle}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function describeGpu(adapter: AdapterReport): string[] {
  const { vendor, architecture, device, software, features, limits } = adapter;
  const names = [vendor, architecture, device].filter((name) => name !== '').join(', ');
  return [
    `GPU: ${adapterName(adapter)} (${names})${software ? ', in software' : ''}`,
    `Features: ${features.join(', ')}`,
    'Limits:',
    ...Object.entries(limits).map(([name, value]) => `  ${name} ${value}`),
  ];
}

function describeAttempt({ subgroups, selfTest }: Attempt): string {
  const { precision, checks, tolerance, passed } = selfTest;
  const findings = checks.map(({ words, error, failure }) =>
    failure === undefined
      ? `${words} off by ${error.toExponential(1)}`
      : `${words} does not run: ${failure}`,
  );
  return (
    `Self-test ${passed ? 'passed' : 'FAILED'} in ${precision} ${subgroups ? 'with' : 'without'} ` +
    `subgroups: ${findings.join(', ')}; at most ${tolerance} is allowed.`
  );
}
