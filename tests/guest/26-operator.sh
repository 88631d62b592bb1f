# SPDX-License-Identifier: GPL-2.0-or-later
#
# What operators do while it runs, as clients see it who stay connected; clocks that are set; and what
# holds when the daemon is killed and started again.
plan 31

keeper() {
	as keeper "fwadmit $*"
}
grant="-q grant create --user=stranger --device=nvme0 --effects=none"

connect stranger nvme0
check 'a session of a stranger'"'"'s' answers 'no-grant, refused'
check 'a member of fwadmit-admin grants an hour' keeper "$grant --for=1h --name=hour --ticket=CHG-1"
check 'the session has it at once' answers 'admit, completed'
check 'and it is listed, with its ticket' says '"ticket": *"CHG-1"' as stranger 'fwadmit -o json grant list'

# now [SECONDS]: the wall clock, or one so many seconds away.
now() {
	date -u -d "@$(($(date +%s) + ${1:-0}))" "+${2:-%Y-%m-%d %H:%M:%S}"
}
left() {
	seconds=$(fwadmit -o json grant list | sed -n 's/.*"seconds_left": *\([0-9]*\).*/\1/p')
	echo "$seconds s left"
	[ "$seconds" -gt 3000 ] && [ "$seconds" -le 3600 ]
}
date -u -s "$(now 7200)" > /dev/null
check 'two hours later by the wall clock it holds' answers 'admit, completed'
check 'and has as long to go as before' left
date -u -s "$(now -180000)" > /dev/null
check 'two days earlier, too' answers 'admit, completed'
check 'and has no longer to go' left
keeper grant revoke hour
check 'revoked, it is over for the session' answers 'no-grant, refused'

check 'a grant for five seconds' keeper "$grant --for=5s --name=short"
check 'admits' answers 'admit, completed'
date -u -s "$(now -3600)" > /dev/null
sleep 5
check 'and ends, though the clock was set back an hour' answers '\(no-grant\|grant-expired\), refused'
date -u -s "$(now 176400)" > /dev/null

cat > /etc/fwadmit/policy.d/until.conf <<-END
	[grant until]
	user = stranger
	device = nvme*
	scope = debug-read-only
	until = $(now 3600 %Y-%m-%dT%H:%M:%SZ)
END
check 'a policy file with an end by the wall clock' reload
check 'admits' answers 'admit, completed'
date -u -s "$(now 7200)" > /dev/null
check 'until that clock is set beyond it' wait_for 5 answers 'grant-expired, refused'
date -u -s "$(now -7200)" > /dev/null
check 'and again when it is set back' wait_for 5 answers 'admit, completed'
rm /etc/fwadmit/policy.d/until.conf
check 'without its file' reload
check 'it is over' answers 'no-grant, refused'

limits='--commands-per-second=1 --max-sessions=1'
check 'a grant of one command a second, in one session' keeper "$grant --for=1h --name=slow $limits"
# Whose second is not over yet may take one more, and pays for it later: that is two at once.
at_once() {
	printf '\n\n\n\n\n\n' >&5
	wait_for 20 answered_more_than $(($(wc -l < answers) + 5))
	tail -n 6 answers
	tail -n 6 answers | grep -q '^rate, refused$'
}
check 'does not admit six at once' at_once
sleep 2.2
check 'but one more a moment later' answers 'admit, completed'
sleep 1.2
check 'another session gets nothing' \
	refused rate stranger nvme0 get-log-page --lid=2 --length=512
keeper grant revoke slow
disconnect

# As after a crash: nobody had time to tidy up.
keeper "$grant --for=1h --name=kept"
check 'a device is quarantined' keeper quarantine nvme0 --reason=smoke
kill -9 "$daemon"
wait "$daemon" 2> /dev/null
start_daemon
check 'started again, fwadmitd serves the devices' wait_for 10 fwadmit status
check 'the quarantine holds' wait_for 10 refused quarantined root nvme0 identify --cns=1
check 'and says why' says smoke as reader 'fwadmit status'
check 'the reader cannot release it' ends 4 . as reader 'fwadmit release nvme0'
check 'a member of fwadmit-admin can' keeper release nvme0
check 'and what was granted before holds' received x stranger nvme0 get-log-page --lid=2 --length=512
keeper grant revoke kept

# The unit that a process is in, as the kernel names it: SO_PEERPIDFD, and /proc by Landlock's leave.
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/system.slice/exporter.service
in_unit() {
	as stranger 'fwadmit -o json explain nvme0 identify --cns=1' | tr -d ' \n' |
		grep -q "\"as\":{\"uid\":1001,\"gid\":1001,$1\"comm\":\"fwadmit\"}"
}
check 'explain says whom the gate takes somebody for' in_unit ''
check 'and which unit he is in' sh -c '
	echo 0 > /sys/fs/cgroup/system.slice/exporter.service/cgroup.procs
	su stranger -s /bin/sh -c "fwadmit -o json explain nvme0 identify --cns=1" | tr -d "\n" |
		grep "\"unit\": *\"exporter.service\""'
