# SPDX-License-Identifier: GPL-2.0-or-later
#
# The journal on a disk that fails, and on one that forgets: dm-flakey below ext4. What could not be recorded
# was not sent; what the disk had promised and did not keep only a checkpoint kept elsewhere shows.
plan 26

cat > /etc/fwadmit/policy.d/change.conf <<-END
	[grant everything]
	user = root
	device = *
	scope = debug-write-full
END
mkdir -p /disk /copy

# disk HOW: from now on it is well, or has the feature of dm-flakey.
sectors=$(cat /sys/block/ram0/size)
table() {
	case $1 in
	well) echo "0 $sectors flakey /dev/ram0 0 3600 0" ;;
	*) echo "0 $sectors flakey /dev/ram0 0 0 3600 1 $1" ;;
	esac
}
disk() {
	table "$1" | dmsetup load journal &&
		dmsetup suspend --nolockfs journal &&
		dmsetup --noudevrules --noudevsync resume journal
}
# make_disk OPTIONS..: and the daemon's journal on it.
make_disk() {
	table well | dmsetup --noudevrules --noudevsync create journal &&
		/usr/bin/mke2fs -q -F -t ext4 "$@" /dev/dm-0 &&
		mount -t ext4 /dev/dm-0 /disk
}
serve() {
	fwadmitd --journal="$1/journal" 2> /tmp/fwadmitd.log &
	daemon=$!
	wait_for 20 change # the socket may be one that a killed daemon has left
}
stop() {
	kill "$daemon"
	wait "$daemon"
	wait_for 20 nobody_writes "$1"
}
nobody_writes() {
	! grep -qs '^fwadmit-journal' /proc/[0-9]*/comm
}

# Only with a record of it is anything changed; 13Dh and 150h are kelvins.
change() {
	as root "fwadmit send nvme0 set-features --fid=4 --cdw11=${1:-0x13d}"
}
verify() {
	fwadmit log verify --journal="$@"
}
last() {
	fwadmit -o json log verify --journal="$1" | sed -n 's/.*"last": *\([0-9]*\).*/\1/p'
}
kept() {
	sleep 1.5
	fwadmit log checkpoint --journal=/disk/journal > "$1" && [ -s "$1" ]
}

kill "$daemon" 2> /dev/null
wait "$daemon" 2> /dev/null

# --- it fails ----------------------------------------------------------------------------------------------

# Without a journal of its own ext4 goes on after an error.
check 'a disk for the journal' make_disk -O ^has_journal
check 'with its journal there a change passes' serve /disk
check 'the disk fails' disk error_writes
# The first one waits until it is known.
change 0x150 > /dev/null 2>&1
check 'a change is refused: it cannot be recorded' wait_for 3 refused journal root nvme0 set-features --fid=4 --cdw11=0x150
check 'and has not happened' says 0x0*13d nvme get-feature /dev/nvme0 -f 4
check 'status says so' says '^journal .*trouble' fwadmit status
check 'the disk is well again' disk well
check 'so is the journal, by itself' wait_for 6 change 0x13e
check 'and the change has happened' says 0x0*13e nvme get-feature /dev/nvme0 -f 4
check 'the daemon ends' stop
check 'the journal verifies' verify /disk/journal
check 'and tells of refusals for its own sake' says 'journal' fwadmit log list --journal=/disk/journal
umount /disk
dmsetup --noudevrules --noudevsync remove journal

# --- it forgets --------------------------------------------------------------------------------------------

check 'another disk for the journal' make_disk
check 'with its journal there too' serve /disk
for n in 1 2 3 4; do
	change 0x14$n > /dev/null 2>&1
done
check 'a checkpoint is kept elsewhere' kept /tmp/honest
acknowledged=$(last /disk/journal)
check 'the disk forgets what is written' disk drop_writes
for n in 1 2 3 4; do
	check "change $n passes all the same" change 0x15$n
done
check 'another checkpoint is kept elsewhere' kept /tmp/forgotten
dd if=/dev/ram0 of=/dev/ram1 bs=1M 2> /dev/null
check 'after a power cut' mount -t ext4 /dev/ram1 /copy
kill -9 "$daemon"
wait "$daemon" 2> /dev/null
check 'it is opened, and goes on' serve /copy
stop
check 'it verifies' verify /copy/journal
echo "# acknowledged while the disk was honest: $acknowledged records"
check 'what was acknowledged while the disk was honest is there' \
	verify /copy/journal --checkpoint=/tmp/honest
check 'what the disk forgot the checkpoint kept elsewhere shows' \
	ends 8 . fwadmit log verify --journal=/copy/journal --checkpoint=/tmp/forgotten
disk well
wait_for 30 nobody_writes
umount /disk /copy
dmsetup --noudevrules --noudevsync remove journal
rm /etc/fwadmit/policy.d/change.conf
