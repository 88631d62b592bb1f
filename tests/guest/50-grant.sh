# SPDX-License-Identifier: GPL-2.0-or-later
#
# An operator's grant lets a change pass, on the devices and with the effects that it names and no
# others; it ends with its file.
plan 18

cat > /etc/fwadmit/policy.d/change.conf <<-END
	[grant labels]
	user = root
	device = $volatile, $persistent
	scope = debug-write-full
	effects = data, config

	[grant temperature]
	group = fwadmit-read
	device = nvme*
	scope = debug-write-full
	effects = controller-capability, config, policy
END
check 'the grant is in force' reload

set_lsa() {
	as "$1" "fwadmit send $2 set-lsa --offset=0 -i /tmp/labels"
}
check 'Set LSA by root passes' set_lsa root "$volatile"
check 'Get LSA by root passes' received lsa root "$volatile" get-lsa --offset=0 --length=1024
check 'and shows the change' cmp -n 16 lsa labels
cxl read-labels "$volatile" -o kernel-lsa 2> /dev/null
check 'cxl-cli sees the same bytes' cmp -n 1024 kernel-lsa lsa
check 'the reader still cannot' \
	refused grant-scope reader "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'the stranger still cannot' \
	refused no-grant stranger "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'the kernel keeps the labels of a persistent device for itself' \
	ends 4 'Device or resource busy' set_lsa root "$persistent"

# 13Ch kelvin is 43 degrees Celsius; QEMU's own threshold is 157h.
check 'Set Features by the reader passes' \
	as reader 'fwadmit send nvme0 set-features --fid=4 --cdw11=0x13c'
check 'nvme-cli sees the change' says 0x0*13c nvme get-feature /dev/nvme0 -f 4
check 'Format by the reader is refused: the grant names other effects' \
	refused grant-effects reader nvme0 format-nvm --nsid=1
check 'Format by root is refused: the grant is for memory devices' \
	refused grant-scope root nvme0 format-nvm --nsid=1

echo 'scope = everything' >> /etc/fwadmit/policy.d/change.conf
kill -HUP "$daemon"
check 'a policy with an error is reported with file and line' \
	wait_for 5 grep -q 'change.conf:12' /tmp/fwadmitd.log
check 'the old one stays in force' set_lsa root "$volatile"
check 'policy check finds it too' ends 8 'change.conf:12' fwadmit policy check

rm /etc/fwadmit/policy.d/change.conf
check 'without its file' reload
check 'the grant is over' refused grant-scope root "$volatile" set-lsa --offset=0 -i /tmp/labels
check 'no node was ever opened to anybody' test \
	"$(stat -c %a "/dev/cxl/$volatile" "/dev/cxl/$persistent" /dev/nvme0 | uniq)" = 600
