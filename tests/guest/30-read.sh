# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a user who cannot open the nodes reads through the gate is what root reads by the kernel.
plan 18

# A number of a little-endian field, in decimal.
number() {
	hex=
	for byte in $(bytes "$1" "$2" "$3" | sed 's/../& /g'); do
		hex=$byte$hex
	done
	printf '%d\n' "0x$hex"
}

# The value of a field in what cxl list prints.
listed() {
	cxl list -m "$volatile" -vvv 2> /dev/null | sed -n "s/.*\"$1\":\"*\([^\",]*\).*/\1/p" | head -n 1
}

check 'identify memory device' received identify reader "$volatile" identify-memory-device
check 'its firmware revision is what cxl-cli prints' \
	test "$(dd if=identify bs=16 count=1 2> /dev/null | tr -d '\0')" = "$(listed firmware_version)"
check 'its capacity is what cxl-cli prints' \
	test "$(($(number identify 16 8) * 268435456))" = "$(listed total_size)"
check 'its label area is as large as the kernel says' \
	test "$(number identify 56 4)" = "$(cat "/sys/bus/cxl/devices/$volatile/label_storage_size")"

check 'firmware information' received fw-info reader "$volatile" get-fw-info
check 'its first slot is what cxl-cli prints' \
	test "$(dd if=fw-info bs=16 skip=1 count=1 2> /dev/null | tr -d '\0')" = "$(listed slot_1_version)"

# Supported logs: a count and 6 reserved bytes, then entries of a UUID and a size; the CEL is first.
check 'supported logs' received logs reader "$volatile" get-supported-logs
check 'the first log is the CEL' test "$(bytes logs 8 16)" = 0da9c0b5bf414b788f7996b1623b3f17
cel_size=$(number logs 24 4)
check 'the CEL' received cel reader "$volatile" get-log --uuid=cel --offset=0 --length="$cel_size"
check 'all of it' test "$(wc -c < cel)" = "$cel_size"

# Each entry is an opcode and its effects; fwadmit lists them as "set", "opcode" and "declared_raw".
cel_as_listed() {
	xxd -p -c 4 cel | while read -r entry; do
		printf '%d %d\n' "0x$(echo "$entry" | cut -c 3-4)$(echo "$entry" | cut -c 1-2)" \
			"0x$(echo "$entry" | cut -c 7-8)$(echo "$entry" | cut -c 5-6)"
	done | sort
}
effects_listed() {
	as reader "fwadmit -o json effects $volatile" | tr ',' '\n' | sed '/"findings"/,$d' |
		sed -n 's/.*"opcode": *\([0-9]*\).*/\1/p; s/.*"declared_raw": *\([0-9]*\).*/\1/p' |
		paste -d ' ' - - | sort
}
check 'effects shows the CEL, entry by entry' test "$(effects_listed)" = "$(cel_as_listed)"

check 'the drive'"'"'s identity is what nvme-cli prints' \
	says "\"serial\": *\"$(nvme id-ctrl /dev/nvme0 | sed -n 's/^sn  *: *\([^ ]*\) *$/\1/p')\"" \
	as reader 'fwadmit -o json list'
check 'the temperature threshold is what nvme-cli prints' \
	says "\"device_result\": *$(($(nvme get-feature /dev/nvme0 -f 4 | sed 's/.*: *//')))," \
	as reader 'fwadmit -o json send nvme0 get-features --fid=4 --length=4096'

same() {
	received gate reader "$1" && eval "$2" > kernel && [ -s kernel ] && cmp gate kernel
}
check 'identify controller, as nvme-cli reads it' \
	same 'nvme0 identify --cns=1' 'nvme id-ctrl /dev/nvme0 -b'
check 'the SMART log, as nvme-cli reads it' \
	same 'nvme0 get-log-page --lid=2 --length=512' 'nvme smart-log /dev/nvme0 -o binary'
check 'the firmware slot log, as nvme-cli reads it' \
	same 'nvme0 get-log-page --lid=3 --length=512' 'nvme fw-log /dev/nvme0 -o binary'
check 'the effects log, as nvme-cli reads it' same 'nvme0 get-log-page --lid=5 --length=4096' \
	'nvme get-log /dev/nvme0 --log-id=5 --log-len=4096 -b'
check 'part of a log, as nvme-cli reads it' \
	same 'nvme0 get-log-page --lid=5 --offset=1024 --length=1024' \
	'nvme get-log /dev/nvme0 --log-id=5 --lpo=1024 --log-len=1024 -b'
