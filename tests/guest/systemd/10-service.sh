# SPDX-License-Identifier: GPL-2.0-or-later
#
# fwadmitd as it is installed, run by systemd; and grants to units, which systemd made.
plan 40

all_served() {
	[ -S /run/fwadmit/nvme0.sock ] && [ -S /run/fwadmit/mem0.sock ] && [ -S /run/fwadmit/mem1.sock ]
}
smart='get-log-page --lid=2 --length=512'

check 'sysusers makes the groups' systemd-sysusers
for group in fwadmit-read fwadmit-admin; do
	check "$group is there" grep -q "^$group:" /etc/group
done
check 'tmpfiles makes the journal' systemd-tmpfiles --create fwadmit.conf
sed -i 's/^fwadmit-read:.*/&reader/; s/^fwadmit-admin:.*/&keeper/' /etc/group

check 'systemctl start fwadmitd' systemctl start fwadmitd
check 'serves all three devices' wait_for 30 all_served
no_complaint() {
	journalctl -q --no-pager -u fwadmitd -o cat > /tmp/log
	cat /tmp/log
	grep -q 'fwadmitd' /tmp/log && ! grep -i 'cannot\|unknown\|not permitted\|denied\|SO_PEERPIDFD\|Landlock' /tmp/log
}
check 'and finds nothing amiss' no_complaint
check 'nobody else writes its state' says '^711 root$' stat -c '%a %U' /var/lib/fwadmit
check 'or reads it' says '^700 root$' stat -c '%a %U' /var/lib/fwadmit/baselines
check 'but the journal, which is for administrators' says '^2750 root fwadmit-admin$' \
	stat -c '%a %U %G' /var/lib/fwadmit/journal
check 'with all its files' says '^640 root fwadmit-admin$' stat -c '%a %U %G' /var/lib/fwadmit/journal/*.fwj
check 'and not its key' says '^600 root' stat -c '%a %U' /var/lib/fwadmit/journal/key
check 'it is written' says '^journal /var/lib/fwadmit/journal, ok' fwadmit status
check 'its sockets are for all' says '^755$' stat -c %a /run/fwadmit
check 'the reader reads the drive' received x reader "nvme0 $smart"
check 'and a memory device' received x reader "mem0 identify-memory-device"
check 'the stranger does not' refused no-grant stranger "nvme0 $smart"
in_unit() { # UNIT
	tr -d ' \n' < /tmp/explained | grep -q "\"unit\":\"$1\""
}
fwadmit -o json explain nvme0 $smart > /tmp/explained
check 'explain names the unit that this runs in' in_unit fwadmit-tests.service

cat > /etc/fwadmit/policy.d/exporter.conf <<-END
	[grant exporter]
	unit = exporter.service
	device = nvme*
	scope = debug-read-only
END
digest() {
	fwadmit -o json status | sed -n 's/.*"policy_digest": *"\([0-9a-f]*\)".*/\1/p'
}
before=$(digest)
check 'systemctl reload fwadmitd' systemctl reload fwadmitd
other_digest() {
	[ "$(digest)" != "$before" ]
}
check 'takes up a grant to a unit' wait_for 5 other_digest

# run_unit UNIT STATUS COMMAND...: as nobody, in a unit of that name; it ends with that status.
run_unit() {
	unit=$1
	expected=$2
	shift 2
	rm -f /tmp/out
	systemd-run -q --unit="$unit" -p User=nobody -p Type=oneshot -p RemainAfterExit=yes \
		-p StandardOutput=file:/tmp/out -p StandardError=file:/tmp/out "$@" || :
	cat /tmp/out
	status=$(systemctl show -P ExecMainStatus "$unit")
	systemctl stop "$unit" 2> /dev/null
	systemctl reset-failed "$unit" 2> /dev/null
	echo "exit status $status; expected $expected"
	[ "$status" = "$expected" ]
}
check 'nobody in the unit exporter reads' run_unit exporter 0 fwadmit send nvme0 $smart -O /tmp/nothing
check 'no more than the grant says' run_unit exporter 4 fwadmit send nvme0 set-features --fid=4 --cdw11=0x140
check 'on no other device' run_unit exporter 4 fwadmit send mem0 identify-memory-device
check 'nobody in another unit does not' run_unit other 4 fwadmit send nvme0 $smart
check 'nor in one whose name begins so' run_unit exporter2 4 fwadmit send nvme0 $smart
check 'nor outside' refused no-grant nobody "nvme0 $smart"
check 'nor in a scope that is called so' ends 4 no-grant \
	systemd-run -q --scope --unit=exporter --uid=nobody fwadmit send nvme0 $smart

# A user's own manager makes units of any name, below the unit that the user was given.
check 'a user has a manager of his own' systemctl start user@1001.service
theirs() {
	as stranger "XDG_RUNTIME_DIR=/run/user/1001 systemd-run --user -q --collect --unit=$1 -p Type=oneshot \
		-p StandardOutput=file:/tmp/theirs -p StandardError=file:/tmp/theirs $2"
	cat /tmp/theirs
}
rm -f /tmp/theirs
check 'whose unit exporter is none of the system' says no-grant theirs exporter "fwadmit send nvme0 $smart"
rm -f /tmp/theirs
theirs exporter "fwadmit -o json explain nvme0 $smart" > /tmp/explained 2>&1
check 'it is all his manager' in_unit user@1001.service
systemctl stop user@1001.service

check 'a grant for a time' as keeper \
	'fwadmit -q grant create --user=stranger --device=nvme0 --effects=none --for=1h --name=hour'
main_pid() {
	systemctl show -P MainPID fwadmitd
}
pid=$(main_pid)
systemctl kill --kill-whom=main -s KILL fwadmitd
started_again() {
	[ "$(main_pid)" != 0 ] && [ "$(main_pid)" != "$pid" ] && fwadmit status
}
check 'killed, it is started again' wait_for 30 started_again
check 'and the grant is in force' wait_for 30 received x stranger "nvme0 $smart"
check 'no worker of the one before is left' test "$(pidof fwadmit-worker | wc -w)" = 3
check 'systemctl restart' systemctl restart fwadmitd
check 'and the grant is in force still' wait_for 30 received x stranger "nvme0 $smart"
check 'it is not exposed' says 'exposure level' systemd-analyze security --no-pager fwadmitd
sed -n 's/.*\(Overall.*\)/# \1/p' /tmp/words
check 'systemctl stop' systemctl stop fwadmitd
check 'leaves nothing' test "$(systemctl show -P Result fwadmitd):$(ls /run/fwadmit 2> /dev/null)" = success:
check 'but its state' test -e /var/lib/fwadmit/grants/hour.conf
