# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices that go away, workers that die, clients in a crowd: each costs only itself.
plan 15

smart='nvme0 get-log-page --lid=2 --length=512'
identify="$volatile identify-memory-device"

crowd() {
	clients=
	for i in 1 2 3 4 5 6 7 8; do
		received "crowd.$i" reader "$smart" &
		clients="$clients $!"
	done
	for client in $clients; do
		wait "$client" || return 1
	done
	for i in 1 2 3 4 5 6 7 8; do
		[ "$(wc -c < crowd.$i)" = 512 ] || return 1
	done
}
check 'eight clients at once' crowd

# worker NAME: the process that serves the device.
worker() {
	for process in /proc/[0-9]*; do
		tr '\0' ' ' < "$process/cmdline" 2> /dev/null | grep -q "^[^ ]*fwadmit-worker.*$1" &&
			echo "${process#/proc/}"
	done
}
kill -9 "$(worker nvme0)"
check 'a worker that died is replaced' wait_for 10 received x reader "$smart"
check 'the others carry on' received x reader "$identify"

# one_error USER ARGS...: fails, though not as a refusal, and says why in one line.
one_error() {
	user=$1
	shift
	status=0
	as "$user" "fwadmit send $*" > words 2>&1 || status=$?
	cat words
	[ "$status" != 0 ] && [ "$status" != 4 ] && [ "$(wc -l < words)" = 1 ]
}

# Eight clients, and the driver lets go in their midst: none may crash, hang or be told nonsense.
storm() {
	clients=
	for i in 1 2 3 4 5 6 7 8; do
		(
			status=0
			as reader "timeout 20 fwadmit send $smart -O /dev/null" || status=$?
			[ $status -le 7 ]
		) > "storm.$i" 2>&1 &
		clients="$clients $!"
	done
	sleep 0.05
	echo "$bound" > /sys/bus/pci/drivers/nvme/unbind
	for client in $clients; do
		wait "$client" || return 1
	done
	cat storm.*
}

# The driver lets go of the device; the node stays with whoever has it open.
bound=$(basename "$(readlink -f /sys/class/nvme/nvme0/device)")
check 'clients of a drive that goes away in mid-call get an answer or an error' storm
check 'a drive that is gone is an error, in one line' one_error reader "$smart"
check 'the memory devices carry on' received x reader "$identify"
echo "$bound" > /sys/bus/pci/drivers/nvme/bind
check 'a drive that comes back is served again' wait_for 20 received x reader "$smart"

# The kernel may number it otherwise now.
rebound() {
	volatile=$(mem_by_serial 0x1234) && received x reader "$volatile identify-memory-device"
}
bound=$(basename "$(dirname "$(readlink -f "/sys/bus/cxl/devices/$volatile")")")
echo "$bound" > /sys/bus/pci/drivers/cxl_pci/unbind
check 'a memory device that is gone is an error, in one line' one_error reader "$identify"
check 'the drive carries on' received x reader "$smart"
check 'the daemon carries on' fwadmit status
echo "$bound" > /sys/bus/pci/drivers/cxl_pci/bind
check 'a memory device that comes back is served again' wait_for 20 rebound

check 'embedded, root reads the drive without the daemon' \
	received x root /dev/nvme0 get-log-page --lid=2 --length=512
check 'embedded, the reader gets no further than the node' \
	ends 1 'Permission denied' as reader 'fwadmit send /dev/nvme0 identify --cns=1'
check 'a node that is no such device is an error' ends 1 . fwadmit effects /dev/null

kill "$daemon"
status=0
wait "$daemon" || status=$?
check 'the daemon ends cleanly and takes its sockets along' \
	test "$status:$(find /run/fwadmit -name '*.sock' | wc -l)" = 0:0
