# SPDX-License-Identifier: GPL-2.0-or-later
#
# The stage is set: the kernel has bound the devices, the tools of the field see them, and an
# ordinary user cannot open a node.
plan 8

# The volatile device has serial 1234h, the persistent one 1235h; the kernel may number them either way.
mem_by_serial() {
	for found in /sys/bus/cxl/devices/mem*; do
		if [ "$(cat "$found/serial")" = "$1" ]; then
			echo "${found##*/}"
		fi
	done
}
volatile=$(mem_by_serial 0x1234)
persistent=$(mem_by_serial 0x1235)

check 'the volatile memory device is there' test -c "/dev/cxl/$volatile"
check 'the persistent memory device is there' test -c "/dev/cxl/$persistent"
check 'cxl-cli sees the volatile device' says '"ram_size":268435456' cxl list -m "$volatile"
check 'nvme-cli sees the drive' nvme id-ctrl /dev/nvme0
for user in reader stranger; do
	for node in "/dev/cxl/$volatile" /dev/nvme0; do
		check "$user cannot open $node" ends 1 'Permission denied' as "$user" "exec 3< $node"
	done
done
