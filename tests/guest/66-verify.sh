# SPDX-License-Identifier: GPL-2.0-or-later
#
# The verifier on the kernel's own devices, as root: what it sends unasked changes nothing, and what destroys
# it refuses until the device is named and nobody uses it.
plan 13

# 65 has ended it; alone this file has it from 20. What a daemon serves is no device for this.
{ kill "$daemon" && wait "$daemon"; } 2> /dev/null

# labels: what the kernel reads of the label area. state: of the drive's features.
labels() {
	cxl read-labels "$volatile" 2> /dev/null | sha256sum
}
state() {
	for fid in 1 2 4 7 8 11; do
		nvme get-feature /dev/nvme0 -f $fid -H
	done | sha256sum
}
nobody_verifies() {
	! grep -qs '^fwadmit-verify' /proc/[0-9]*/comm
}
verdict() {
	sed -n 's/.*"verdict": *"\([a-z-]*\)".*/\1/p' "$1/campaign.json" | head -n 1
}

before=$(labels)
check 'a plan for the memory device' ends 0 . fwadmit verify "/dev/cxl/$volatile" --plan
check 'a plan for the drive' ends 0 . fwadmit verify /dev/nvme0 --plan
# QEMU's device leaves out what the specification says: docs/findings.
check 'the memory device, by reading' \
	ends 8 'Clear Poison (CXL 4302h): leaves out' fwadmit verify "/dev/cxl/$volatile" --budget=2000 -O verified-mem
echo "# verdict on the memory device: $(verdict verified-mem)"
check 'its label area is as it was' test "$(labels)" = "$before"
before=$(state)
check 'the drive, by reading' ends 0 . fwadmit verify /dev/nvme0 --budget=2000 -O verified-nvme
echo "# verdict on the drive: $(verdict verified-nvme)"
check 'its features are as they were' test "$(state)" = "$before"

check 'nothing destructive without its serial number' \
	ends 1 'name it, with --serial=deadbeef' fwadmit verify /dev/nvme0 --probe=destructive
check 'nor with that of another' \
	ends 1 'serial number is deadbeef' fwadmit verify /dev/nvme0 --probe=destructive --serial=cafe
mkdir -p /disk
/usr/bin/mke2fs -q -F -t ext4 /dev/nvme0n1 && mount -t ext4 /dev/nvme0n1 /disk
check 'nor while it is mounted' \
	ends 1 'nvme0n1 is mounted at /disk' fwadmit verify /dev/nvme0 --probe=destructive --serial=deadbeef
check 'what is mounted is still there' test -d /disk/lost+found
umount /disk
check 'one command, once nobody uses it' \
	says 'set-features\|breach\|honest\|inconclusive' fwadmit verify /dev/nvme0 --probe=destructive --serial=deadbeef \
	--command=set-features --budget=500 -O verified-set
echo "# verdict on its Set Features: $(verdict verified-set)"
check 'it can be used by others afterwards' mount -t ext4 /dev/nvme0n1 /disk
umount /disk
check 'nobody holds a device any more' nobody_verifies
rm -r verified-*
