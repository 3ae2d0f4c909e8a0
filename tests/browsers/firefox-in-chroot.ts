/** Runs the chroot's Firefox with this process's arguments; lavapipe is its only GPU. */
import { openChroot } from '../../scripts/float16-chroot.ts';

/** Firefox's own sandboxes are of no use to root, and keep it from lavapipe's files. */
const UNCONFINED = { MOZ_DISABLE_CONTENT_SANDBOX: '1', MOZ_DISABLE_GPU_SANDBOX: '1' };

const chroot = await openChroot(['firefox-esr']);
process.exitCode = await chroot.run(['firefox-esr', ...process.argv.slice(2)], UNCONFINED);
