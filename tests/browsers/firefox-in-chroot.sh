#!/bin/sh
# Firefox of the float16 chroot, as a program that Playwright can start.
exec npx --no-install tsx "$(dirname "$0")/firefox-in-chroot.ts" "$@"
