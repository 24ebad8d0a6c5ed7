#!/bin/sh
# Makes sure that PostgreSQL's programs and PgBouncer are here: the tests start
# servers and poolers of their own from them.
set -eu
missing=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing=postgresql
[ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null 2>&1 || missing="$missing pgbouncer"
[ -n "$missing" ] || exit 0
install="apt-get install -y --no-install-recommends ${missing# }"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "${missing# } is missing; installing it: $install"
	export DEBIAN_FRONTEND=noninteractive
	# The packages make no cluster and start no service.
	mkdir -p /etc/postgresql-common
	[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
	fi
	apt-get update -qq && $install >/dev/null
	exit 0
fi
case "$missing" in
*postgresql*) echo "The tests need PostgreSQL, which is not installed. Install it with: sudo $install" >&2 && exit 1 ;;
*) echo "PgBouncer is not installed: the tests behind a pooler are skipped. Install it with: sudo $install" >&2 ;;
esac
