#!/bin/sh
# Makes sure that there is a C compiler, which the race detector needs: installs
# one if it may, else names the command.
set -eu
command -v cc >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev >/dev/null && exit 0
fi
echo "a C compiler is missing. Install it with: sudo apt-get install -y gcc libc6-dev" >&2
exit 1
