# SPDX-License-Identifier: GPL-2.0-or-later
#
# fwadmitd finds the devices by itself and serves each by a socket of its own.
plan 7

start_daemon

check 'fwadmitd serves all three devices' wait_for 10 test -S /run/fwadmit/nvme0.sock \
	-a -S "/run/fwadmit/$volatile.sock" -a -S "/run/fwadmit/$persistent.sock"
check 'status as an ordinary user' says "$volatile" as reader 'fwadmit status'
for name in nvme0 "$volatile" "$persistent"; do
	check "list shows $name" says "\"name\": *\"$name\"" as reader 'fwadmit -o json list'
done
check 'a second daemon on the same directory is refused' ends 1 . timeout 10 fwadmitd
check 'the first one carries on' received /tmp/x reader nvme0 identify --cns=1
