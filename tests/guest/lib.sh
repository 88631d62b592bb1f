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
		head -n 40 /tmp/said | cut -c 1-400 | sed 's/^/# /'
	fi
}

# says PATTERN COMMAND...: succeeds when the command's output matches; its status is not looked at.
says() {
	pattern=$1
	shift
	"$@" > /tmp/words 2>&1
	cat /tmp/words
	grep -q -e "$pattern" /tmp/words
}

# as USER COMMAND: a command line in the user's own shell, with the groups of /etc/group.
as() {
	su "$1" -s /bin/sh -c "$2"
}

# ends STATUS PATTERN COMMAND...: both at once.
ends() {
	expected=$1
	pattern=$2
	shift 2
	status=0
	"$@" > /tmp/words 2>&1 || status=$?
	cat /tmp/words
	echo "exit status $status; expected $expected and a line with: $pattern"
	[ "$status" = "$expected" ] && grep -q -e "$pattern" /tmp/words
}

# refused REASON USER ARGS...: the gate refuses what the user sends, with status 4 and this reason.
refused() {
	reason=$1
	user=$2
	shift 2
	ends 4 "\"reason\": *\"$reason\"" as "$user" "fwadmit -o json send $*"
}

# received FILE USER ARGS...: the gate sends what the user asks for, and its answer is in FILE.
received() {
	file=$1
	user=$2
	shift 2
	as "$user" "fwadmit send $* -O -" > "$file" && [ -s "$file" ]
}

# wait_for SECONDS COMMAND...: tries the command until it succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	until "$@" > /dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# bytes FILE OFFSET LENGTH: as hex.
bytes() {
	xxd -p -s "$2" -l "$3" "$1" | tr -d '\n'
}

# start_daemon: fwadmitd, in the background; its process is `daemon`.
start_daemon() {
	fwadmitd 2> /tmp/fwadmitd.log &
	daemon=$!
}

# reload: what the files say is in force; the daemon takes them up on SIGHUP, in its own time.
reload() {
	before=$(fwadmit -o json status | sed 's/.*"policy_digest": *"\([0-9a-f]*\)".*/\1/')
	kill -HUP "$daemon"
	wait_for 5 policy_is_not "$before"
}
policy_is_not() {
	! fwadmit -o json status | grep -q "$1"
}

# connect USER DEVICE: a client that stays connected, until `disconnect`. answers PATTERN: it sends a
# Get Log Page for SMART, and what it says of that matches.
connect() {
	rm -f asks answers
	mkfifo asks
	: > answers
	as "$1" "exec session /run/fwadmit/$2.sock" < asks > answers 2>&1 &
	client=$!
	exec 5> asks
}
answers() {
	asked=$(wc -l < answers)
	echo >&5
	wait_for 20 answered_more_than "$asked"
	says "^$1\$" tail -n 1 answers
}
answered_more_than() {
	[ "$(wc -l < answers)" -gt "$1" ]
}
disconnect() {
	exec 5>&-
	wait "$client"
}

# qmp COMMAND ARGUMENTS: QEMU does it; fails with what it says when it does not. What does not bear the
# command's own number is an event. Before the port is raw it may send back some of QEMU's greeting:
# a byte FFh makes QEMU forget what it has read so far.
qmps=0
qmp() {
	if [ $qmps = 0 ]; then
		exec 6<> /dev/ttyS2
		stty raw -echo < /dev/ttyS2
		printf '\377' >&6
		ask_qemu qmp_capabilities '{}' > /dev/null
	fi
	ask_qemu "$@"
}
ask_qemu() {
	qmps=$((qmps + 1))
	echo "{\"execute\":\"$1\",\"arguments\":$2,\"id\":\"fwadmit$qmps\"}" >&6
	while read -r -t 30 answer <&6; do
		echo "$answer"
		case $answer in
		*'"id": "fwadmit'$qmps'"'*) break ;;
		esac
	done
	case $answer in
	*'"return"'*) ;;
	*) return 1 ;;
	esac
}
