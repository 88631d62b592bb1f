# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests in this folder: busybox sh, sourced one after the other by `all` in one shell, as
# root. Each file begins with the number of its tests, `plan N`; each `check` is one of them.

count=0

# The number of tests of the file; `all` has added them up before.
plan() {
	:
}

# check DESCRIPTION COMMAND...: ok when the command succeeds. What it says is shown when it does not.
check() {
	description=$1
	shift
	count=$((count + 1))
	if "$@" > /tmp/said 2>&1; then
		echo "ok $count - $description"
	else
		echo "not ok $count - $description"
		echo "# failed: $*"
		sed 's/^/# /' /tmp/said | head -n 40
	fi
}

# fails_saying PATTERN COMMAND...: succeeds when the command fails and says why in these words.
fails_saying() {
	pattern=$1
	shift
	if "$@" > /tmp/failing 2>&1; then
		echo "it succeeded"
		return 1
	fi
	cat /tmp/failing
	grep -q -e "$pattern" /tmp/failing
}

# as USER COMMAND: a command line in the user's own shell, with the groups of /etc/group.
as() {
	su "$1" -s /bin/sh -c "$2"
}
