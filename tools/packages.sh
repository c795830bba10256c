# SPDX-License-Identifier: ISC
#
# tools/packages.sh - Debian packages for quickstart and check; sourced.

# missing_packages NAME...: prints those that are not installed
missing_packages() {
	for package in "$@"; do
		dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null |
		    grep -q 'ok installed' || printf '%s ' "$package"
	done
}

# install_packages LOG NAME...: installs what is missing, as root or by
# sudo.  policy-rc.d is not touched: a server that its package starts is
# the machine's affair.
install_packages() {
	log=$1
	shift
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	printf 'installing %s\n' "$missing"
	# shellcheck disable=SC2086
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q \
	    >"$log" 2>&1 &&
	    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	    --no-install-recommends $missing >>"$log" 2>&1 && return 0
	tail -n 20 "$log"
	printf 'apt-get could not install: %s\n' "$missing"
	return 1
}
