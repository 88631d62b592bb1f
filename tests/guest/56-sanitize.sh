# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel sanitizes a memory device, which goes on in the background and past the gate: meanwhile it
# takes no command, and nobody takes the device for broken.
plan 5

cat > /etc/fwadmit/policy.d/sanitize.conf <<-END
	[grant sanitize]
	user = root
	device = $volatile
	scope = debug-write-full
END
reload
check 'the kernel keeps Sanitize for itself' not_taken root "$volatile" sanitize
security=/sys/bus/cxl/devices/$volatile/security
echo 1 > "$security/sanitize"
check 'it sanitizes' says '^sanitize$' cat "$security/state"
check 'meanwhile the kernel takes no command, and that is what clients hear' \
	ends 4 'Device or resource busy' as reader "fwadmit send $volatile identify-memory-device"
check 'then it is done' wait_for 30 says '^disabled$' cat "$security/state"
rm /etc/fwadmit/policy.d/sanitize.conf
reload
check 'and the device is as before' ends 0 '"state": *"ready"' as reader 'fwadmit -o json status'
