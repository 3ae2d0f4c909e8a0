/**
 * Ends the current task, so that messages which wait (new settings, a cancel) are handled before
 * the next step. A message port has no minimum delay, unlike timers in a worker.
 */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
