# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel that is locked down, while the gate runs, keeps what root may do to the devices; last, for it
# has no way back.
plan 6

cat > /etc/fwadmit/policy.d/change.conf <<-END
	[grant everything]
	user = root
	device = *
	scope = debug-write-full
END
start_daemon

check 'without lockdown a granted change passes' \
	wait_for 10 as root 'fwadmit send nvme0 set-features --fid=4 --cdw11=0x13d'
connect root nvme0
echo integrity > /sys/kernel/security/lockdown
check 'locked down, reading passes' answers 'admit, completed'
disconnect
check 'and of the memory device' received x root "$persistent identify-memory-device"
check 'a granted change is refused' refused lockdown root nvme0 set-features --fid=4 --cdw11=0x150
check 'and has not happened' says 0x0*13d nvme get-feature /dev/nvme0 -f 4
check 'the kernel lets nothing pass by RAW' not_taken root "$persistent" get-event-interrupt-policy
kill "$daemon"
