# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel that is locked down keeps what root may do to the devices; last, for it has no way back.
plan 5

cat > /etc/fwadmit/policy.d/change.conf <<-END
	[grant everything]
	user = root
	device = *
	scope = debug-write-full
END
echo integrity > /sys/kernel/security/lockdown
fwadmitd 2> /tmp/fwadmitd.log &
daemon=$!

check 'fwadmitd starts under lockdown' wait_for 10 received x root "$persistent identify-memory-device"
check 'reading passes' received x root nvme0 get-log-page --lid=2 --length=512
check 'a granted change is refused' refused lockdown root nvme0 set-features --fid=4 --cdw11=0x150
check 'and has not happened' says 0x0*13c nvme get-feature /dev/nvme0 -f 4
check 'the kernel lets nothing pass by RAW' not_taken root "$persistent" get-event-interrupt-policy
kill "$daemon"
