# SPDX-License-Identifier: GPL-2.0-or-later
#
# What changes a device, and who has no grant, is refused with the reason; the devices stay as they
# were.
plan 22

state() {
	cxl read-labels "$volatile" 2> /dev/null | sha256sum
	nvme id-ns /dev/nvme0 -n 1 -b | sha256sum
	nvme get-feature /dev/nvme0 -f 4
}
before=$(state)

printf 'fwadmit was here' > labels
check 'Set LSA is refused: the grant ends at reading' \
	refused grant-scope reader "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'Set LSA, claimed to be a read, is refused' \
	refused scope-too-low reader "$volatile" set-lsa --offset=0 -i /tmp/labels --scope=debug-read-only
check 'Set LSA by root is refused: the stock policy gives root no immediate change' \
	refused grant-scope root "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'Sanitize is refused' refused grant-scope reader "$volatile" sanitize
check 'Format is refused' refused grant-scope reader nvme0 format-nvm --nsid=1
check 'Format by root is refused' refused grant-scope root nvme0 format-nvm --nsid=1
check 'Set Features is refused' \
	refused grant-scope reader nvme0 set-features --fid=4 --cdw11=0x140
check 'a Get Log that creates telemetry is refused' \
	refused grant-scope reader nvme0 get-log-page --lid=7 --lsp=1 --length=512
dd if=/dev/zero of=block bs=512 count=1 2> /dev/null
check 'a write is refused' refused grant-scope reader nvme0 io:0x01 --nsid=1 -i /tmp/block
check 'a read of user data is refused' refused grant-scope reader nvme0 io:0x02 --nsid=1 --length=512
check 'a queue of the caller'"'"'s own is refused at any scope' \
	refused never root nvme0 admin:0x05 --scope=debug-write-full
check 'a command that the CEL does not list is refused' \
	refused undeclared root "$volatile" get-health-info
check 'a vendor command that nobody declared is refused' \
	refused undeclared root nvme0 admin:0xc0
check 'more of the CEL than there is is refused' refused payload-shape reader "$volatile" \
	get-log --uuid=cel --offset=0 --length=$((cel_size + 4))
check 'a log of another length than its command says is refused' refused payload-shape reader \
	nvme0 admin:0x02 --cdw10=0x007f0002 --length=4096

check 'a stranger cannot identify' refused no-grant stranger "$volatile" identify-memory-device
check 'a stranger cannot read the CEL' refused no-grant stranger "$volatile" \
	get-log --uuid=cel --offset=0 --length="$cel_size"
check 'a stranger cannot read SMART' refused no-grant stranger nvme0 get-log-page --lid=2 --length=512
check 'a stranger cannot read the effects log' \
	refused no-grant stranger nvme0 get-log-page --lid=5 --length=4096
check 'a stranger cannot change anything' \
	refused no-grant stranger "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'explain tells the reader the same, and what would pass' ends 4 debug-write-full \
	as reader "fwadmit -o json explain $volatile set-lsa --offset=0 -i /tmp/labels"
check 'the devices are as they were' test "$(state)" = "$before"
