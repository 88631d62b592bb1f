# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Format changes what the gate has to know of a namespace: it reads the profile again.
plan 14

cat > /etc/fwadmit/policy.d/format.conf <<-END
	[grant format]
	group = fwadmit-read
	device = nvme0
	scope = debug-write-full
	effects = data, namespace-capability, exclusive
END
check 'a grant to format, read and write' reload
block() {
	head -c "$1" /dev/urandom > "block.$1"
}
block 512
block 4096
write='nvme0 io:0x01 --nsid=1 -i /tmp/block.'
read='nvme0 io:0x02 --nsid=1 --length='
check 'a block of 512 bytes is written' as reader "fwadmit send ${write}512"
check 'and read' received back reader "${read}512"
check 'and is what was written' cmp back block.512
check 'and what the kernel reads' cmp -n 512 /dev/nvme0n1 block.512

# 4096 bytes without metadata is format 4 of QEMU's drives.
connect reader nvme0
check 'formatted to blocks of 4096 bytes' as reader 'fwadmit send nvme0 format-nvm --nsid=1 --cdw10=4'
check 'the session carries on' answers 'admit, completed'
check 'the kernel sees it' wait_for 10 says '^4096$' cat /sys/block/nvme0n1/queue/logical_block_size
check 'a block of 512 bytes is none any more' \
	says 'whole blocks of 4096 bytes' as reader "fwadmit send ${read}512"
check 'a block of 4096 bytes is written' as reader "fwadmit send ${write}4096"
check 'and read' received back reader "${read}4096"
check 'and is what was written' cmp back block.4096
disconnect
as reader 'fwadmit send nvme0 format-nvm --nsid=1 --cdw10=0'
check 'formatted back' received back reader "${read}512"
rm /etc/fwadmit/policy.d/format.conf
check 'without its file the grant is over' reload
