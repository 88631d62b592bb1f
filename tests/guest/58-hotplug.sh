# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices that are plugged in and pulled out. A device is who it says that it is, not where it is.
plan 20

smart='nvme1 get-log-page --lid=2 --length=512'
plug() { # SERIAL
	qmp device_add "{\"driver\":\"nvme\",\"id\":\"hot\",\"bus\":\"drive-slot\",\"serial\":\"$1\",\"drive\":\"spare\"}"
}
pull() {
	qmp device_del '{"id":"hot"}' && wait_for 20 test ! -e /run/fwadmit/nvme1.sock
}
back() { # SERIAL
	wait_for 20 plug "$1" && wait_for 20 known "$1"
}
known() {
	fwadmit -o json list | grep -q "\"serial\": *\"$1\""
}

check 'a drive is plugged in' back first
check 'and served' wait_for 10 received x reader "$smart"
check 'what it declares is that of its model' \
	says '"baseline":"seen"' varlinkctl -j call /run/fwadmit/control.sock org.fwadmit.Control.ListDevices '{}'
connect reader nvme1
check 'a session' answers 'admit, completed'
check 'it is pulled out' pull
check 'the session is told so' answers 'error: the device is gone'
check 'and that was all' answers 'lost: .*'
disconnect
check 'nobody else finds it' ends 3 nvme1 as reader "fwadmit send $smart"
check 'the other drive carries on' received x reader nvme0 identify --cns=1

check 'it is plugged in again' back first
check 'and served' wait_for 10 received x reader "$smart"
fwadmit quarantine nvme1 --reason=smoke
check 'quarantined, it gets nothing' refused quarantined reader "$smart"
check 'pulled out' pull
check 'another one comes in its place' back second
check 'which is not quarantined' wait_for 10 received x reader "$smart"
check 'pulled out' pull
check 'the first one is back' back first
check 'and still quarantined' wait_for 10 refused quarantined reader "$smart"
check 'until it is released' fwadmit release nvme1
check 'pulled out' pull
