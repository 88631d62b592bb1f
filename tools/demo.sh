#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh BUILD: the main job, on simulated devices, worth reading as a page. Touches nothing of yours.
set -euo pipefail
build=$(cd "$1" && pwd)
PATH=$build:$PATH
export LC_ALL=C COLUMNS=108 # of tables
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FWADMIT_STATE_DIR=$work/state # of the journal, too
cd "$work"

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi

head() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
text() { printf '%s\n' "$@" | fold -s -w 100; }

# show STATUS COMMAND..: runs it as typed, and checks that it ends as this page says.
show() {
	local want=$1 got=0
	shift
	printf '\n  $ %s\n' "$*"
	"$@" 2>&1 | fold -s -w 124 | sed 's/^/  /; s/ *$//' || got=${PIPESTATUS[0]}
	[ "$got" = "$want" ] || { echo "demo: '$*' exited with $got, not $want" >&2; exit 1; }
	[ "$got" = 0 ] || printf '  (exit %s)\n' "$got"
}

head "1. Devices"
text "Simulated CXL memory devices stand in for hardware: an honest one, and liars of many kinds."
show 0 fwadmit list --sim

head "2. The contract"
text "What the device declares for each command (its Command Effects Log), plus the least that the" \
	"specification demands, gives the effects; the effects give the scope that a caller needs."
show 0 fwadmit effects sim:honest

head "3. A read that is admitted"
text "Identify changes nothing. The gate's worker judges the request, sends exactly those bytes, and" \
	"passes the reply on."
show 0 fwadmit send sim:honest identify-memory-device
text "" "Why was it let through? explain tells, and sends nothing."
show 0 fwadmit explain sim:honest identify-memory-device

head "4. A write that is refused"
text "Set LSA overwrites the labels that say where data lives. The stock policy lets root and the" \
	"owner of a simulated device change what waits for a reset, and no more. Nothing is sent."
show 4 fwadmit send sim:honest set-lsa --offset=0 --hex=00112233
text "" "explain says more, and what would pass."
show 4 fwadmit explain sim:honest set-lsa --offset=0 --hex=00112233

head "5. The operator says yes"
text "A grant that names the effects, in a policy folder of our own:"
mkdir policy
cat >policy/labels.conf <<-'END'
	[grant labels]
	user = *
	device = sim:*
	scope = debug-write-full
	effects = config, data
END
sed 's/^/  /' policy/labels.conf
show 0 fwadmit policy check policy
show 0 fwadmit --policy=policy send sim:honest set-lsa --offset=0 --hex=00112233
text "" "It is for these effects, and for no others: Sanitize also changes the security state."
show 4 fwadmit --policy=policy send sim:honest sanitize

head "6. A device that lies"
text "This one leaves effects out, sets bits that nobody has defined, and lists a command twice. lint" \
	"holds its declarations against the specification; each finding names the clause of" \
	"spec/SECURITY-MODEL.md that it is about."
show 8 fwadmit lint sim:liar-spec
text "" "It does not get away with it. It declares that Set LSA changes nothing; the specification's" \
	"floor counts all the same, for a device can add caution and never take it away."
show 4 fwadmit explain sim:liar-spec set-lsa --offset=0 --hex=00112233

head "7. What was done is on record"
text "Each decision above that was about to send something went into a journal first, and was on disk" \
	"before the command that changes something went."
show 0 fwadmit log list
text "" "Who, why, and which bytes? show has all of one record."
seq=$(fwadmit log list -o json --effects | sed -n '/"completed"/s/.*"log list","seq":\([0-9]*\).*/\1/p')
show 0 fwadmit log show "$seq"
text "" "The journal is a chain of hashes that is signed now and then."
show 0 fwadmit log verify
text "" "Somebody who would rather not have been there edits a copy: the name of the program in the last decision."
cp -r state/journal copy
offset=$(grep -abo fwadmit copy/*.fwj | sed -n '/fwadmit$/p' | tail -n 1 | cut -d: -f1)
printf 'nobody_' | dd of="$(echo copy/*.fwj)" bs=1 seek="$offset" conv=notrunc status=none
show 8 fwadmit log verify --journal=copy
text "" "And were the decisions right? They are made again, by the declarations and the policy of then."
show 0 fwadmit log replay

head "Next"
text "README.md, and spec/SECURITY-MODEL.md for the clauses. Scripts add -o json to any of these" \
	"commands. On hardware: fwadmit effects /dev/nvme0 (as root), or start fwadmitd and add yourself" \
	"to group fwadmit-read."
