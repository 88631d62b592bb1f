# SPDX-License-Identifier: GPL-2.0-or-later
#
# A memory device of the same model and firmware as the others that declares more than they do: QEMU's
# with dynamic capacity.
plan 15

check 'it is plugged in' qmp device_add '{"driver":"cxl-type3","id":"odd","bus":"memory-slot",
	"volatile-dc-memdev":"dc2","num-dc-regions":2,"sn":4662}'
odd_one() {
	odd=$(mem_by_serial 0x1236) && [ "$odd" ] && [ -S "/run/fwadmit/$odd.sock" ]
}
check 'and served' wait_for 20 odd_one
check 'what all of them declare is admitted' wait_for 10 received x reader "$odd identify-memory-device"
check 'status shows its drift' says 'declared otherwise than in the baseline' as reader 'fwadmit status'
check 'and a finding' says "^$odd: finding: declares other commands than" as reader 'fwadmit status'

# Get Dynamic Capacity Configuration, 4800h: no kernel number, so that it is for RAW.
dc='get-dynamic-capacity-configuration --hex=0100'
check 'what only it declares is refused' refused drift reader "$odd $dc"
check 'but not to root' by_raw root "$odd $dc"
check 'baseline diff shows it' ends 8 appeared as reader "fwadmit baseline diff $odd"
check 'the reader cannot accept it' ends 4 . as reader "fwadmit baseline accept $odd"
check 'a member of fwadmit-admin can' as keeper "fwadmit baseline accept $odd"
check 'then it is not refused' by_raw reader "$odd $dc"
check 'and its declarations are the baseline' ends 0 . as reader "fwadmit baseline diff $odd"
check 'the others carry on' received x reader "$volatile identify-memory-device"

check 'it is pulled out' qmp device_del '{"id":"odd"}'
check 'and not served any more' wait_for 20 test ! -e "/run/fwadmit/$odd.sock"
