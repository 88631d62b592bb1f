# SPDX-License-Identifier: GPL-2.0-or-later
#
# Commands that the kernel has no number for: they pass by RAW where the kernel was built with it, but
# for those that its own list keeps back, and nowhere else. Every test holds on both kinds of kernel.
plan 19

if zcat /proc/config.gz 2> /dev/null | grep -q '^CONFIG_CXL_MEM_RAW_COMMANDS=y'; then
	raw=yes no_raw='EPERM Operation not permitted; by RAW'
else
	raw=no no_raw='EOPNOTSUPP Operation not supported; it passes on'
fi

# not_taken USER ARGS...: admitted, but refused by this kernel, in one line; the device saw nothing.
not_taken() {
	user=$1
	shift
	ends 4 "was admitted, but the kernel does not take it: ${no_raw#* }" \
		as "$user" "fwadmit send $*" && [ "$(wc -l < /tmp/words)" = 1 ] || return 1
	ends 4 '"verdict": *"admit"' as "$user" "fwadmit -o json send $*" || return 1
	for pattern in '"status": *"refused"' '"device_code": *null' \
		"\"transport_error\": *\"${no_raw%% *}\""; do
		grep -q "$pattern" /tmp/words || return 1
	done
}

# by_raw USER ARGS...: passes, with what it returns in the file `answer`, or is not taken.
by_raw() {
	rm -f answer
	case $raw in
	yes) as "$1" "$(shift; echo "fwadmit send $* -O -")" > answer ;;
	no) not_taken "$@" ;;
	esac
}

# answered OFFSET PATTERN: 16 bytes of the answer match, or there is none on a kernel without RAW.
answered() {
	case $raw in
	yes) says "^$2" bytes answer "$1" 16 ;;
	no) [ ! -e answer ] ;;
	esac
}

check 'Get Event Interrupt Policy' by_raw reader "$volatile" get-event-interrupt-policy
check 'has the interrupts that the kernel has set, MSI for each log' answered 0 '.1.1.1.1'
check 'Get Event Records' by_raw reader "$volatile" get-event-records --selection=0
check 'has none: the kernel has fetched them' answered 16 '00000000000000000000000000000000$'
check 'the persistent device has another mailbox' \
	by_raw reader "$persistent" get-event-interrupt-policy
check 'embedded, root sends the same' by_raw root "/dev/cxl/$volatile" get-event-interrupt-policy

# The first Feature is Patrol Scrub: what can be done, a cycle in hours, how it runs. Where the kernel
# keeps the list from us, no Feature is declared.
scrub=96dad7d6-fde8-482b-a733-75774e06db8a
get_feature() {
	case $raw in
	yes) received answer reader "$@" && says '^03....00$' bytes answer 0 16 ;;
	no) refused undeclared reader "$@" ;;
	esac
}
check 'Get Supported Features' by_raw reader "$volatile" get-supported-features
check 'begins with Patrol Scrub' answered 8 "$(echo $scrub | tr -d -)"
check 'Get Feature, where its list could be read' \
	get_feature "$volatile" get-feature --uuid=$scrub --length=4

check 'what the kernel leaves out of RAW is not taken: Get Poison List' \
	not_taken reader "$volatile" get-poison-list --offset=0 --length=64
check 'and commands of security' not_taken reader "$volatile" get-security-state
check 'RAW is no way around the declaration' refused undeclared root "$volatile" cxl:0xc000
check 'nor around the grant' refused grant-scope reader "$volatile" set-timestamp --hex=0000000000000010

# By RAW the kernel does not wait for what goes on in the background: it tells us of a time-out.
begun() {
	case $raw in
	yes) ends 1 'whether the device executed it is not known' as root "fwadmit send $*" ;;
	no) not_taken root "$@" ;;
	esac
}
dd if=/dev/zero of=firmware bs=128 count=1 2> /dev/null
check 'what may go on in the background is not called done: Transfer FW' \
	begun "$volatile" transfer-fw --action=1 --slot=2 -i /tmp/firmware
check 'the mailbox carries on' received x reader "$volatile" get-fw-info

# The answer comes by the kernel's own number: a second way to the same clock.
cat > /etc/fwadmit/policy.d/raw.conf <<-END
	[grant clock]
	user = root
	device = $volatile
	scope = debug-write-full
	effects = policy
END
reload
check 'Set Timestamp by root, with a grant' by_raw root "$volatile" set-timestamp --hex=0000000000000010
received clock root "$volatile" get-timestamp
check 'Get Timestamp, which has a number, sees the change if there was one' \
	test "$(bytes clock 5 3 | sed 's/^000010$/yes/; t; s/.*/no/')" = $raw
rm /etc/fwadmit/policy.d/raw.conf
check 'without its file' reload
check 'the change is refused' refused grant-scope root "$volatile" set-timestamp --hex=0000000000000010
