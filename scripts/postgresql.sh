#!/bin/sh
# Makes sure that PostgreSQL's programs are here: the tests start a server of
# their own from them.
set -eu
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; then
	exit 0
fi
install='apt-get install -y --no-install-recommends postgresql'
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "PostgreSQL is missing; installing it: $install"
	# No cluster is made or started by the package: the tests make their own.
	export DEBIAN_FRONTEND=noninteractive
	mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	apt-get update -qq && $install >/dev/null
	exit 0
fi
echo "The tests need PostgreSQL, which is not installed. Install it with: sudo $install" >&2
exit 1
