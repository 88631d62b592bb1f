# SPDX-License-Identifier: GPL-2.0-or-later
#
# The control plane, by systemd's own varlinkctl.
plan 32

control=/run/fwadmit/control.sock
i=org.fwadmit.Control

# call USER METHOD PARAMETERS
call() {
	as "$1" "varlinkctl -j call $control $2 '$3'"
}

check 'varlinkctl info' says 'fwadmitd' as stranger "varlinkctl info $control"
check 'list-interfaces' says "$i" as stranger "varlinkctl list-interfaces $control"
check 'list-methods' says "$i.CreateGrant" as stranger "varlinkctl list-methods $control"
check 'introspect: the interface is valid' ends 0 'method CreateGrant' as stranger \
	"varlinkctl introspect $control $i"
check 'GetInfo' ends 0 '"mode":"strict"' call stranger $i.GetInfo '{}'
check 'ListDevices knows who the drive is' ends 0 '"serial":"deadbeef"' call stranger $i.ListDevices '{}'
check 'what it declares is the baseline' ends 0 '"baseline":"seen"' call stranger $i.ListDevices '{}'
check 'GetProfile' ends 0 '"profile":"' call stranger $i.GetProfile '{"device":"nvme0"}'
check 'a wrong parameter is named' ends 1 '"parameter":"devise"' call root $i.Release '{"devise":"nvme0"}'

# everywhere USER REPLY: what each method that changes something answers the user.
everywhere() {
	while read -r method parameters; do
		ends 1 "$2" call "$1" "$i.$method" "$parameters" || return 1
	done <<-END
		CreateGrant {"user":["*"],"device":["*"],"scope":"debug-write-full","seconds":600}
		RevokeGrant {"name":"none"}
		Reload {}
		Quarantine {"device":"nvme0","reason":"smoke"}
		Release {"device":"nvme0"}
		Reprofile {"device":"nvme0"}
		AcceptBaseline {"device":"nvme0"}
	END
}
check 'a stranger may change nothing' everywhere stranger NotAuthorized
check 'nor may a member of fwadmit-read' everywhere reader NotAuthorized
check 'and nothing has changed' ends 0 '"grants":\[\]' call stranger $i.ListGrants '{}'
check 'a device that there is none of' ends 1 NoSuchDevice call root $i.GetProfile '{"device":"nvme9"}'
check 'a grant that there is none of' ends 1 NoSuchGrant call keeper $i.RevokeGrant '{"name":"none"}'
check 'a grant that makes no sense' ends 1 InvalidGrant call keeper $i.CreateGrant \
	'{"user":["*"],"device":["*"],"effects":["datta"],"seconds":60}'
check 'a method that there is none of' ends 1 MethodNotFound call root $i.Format '{}'

grant='{"name":"now","user":["stranger"],"device":["nvme0"],"scope":"debug-read-only","seconds":600}'
smart='nvme0 get-log-page --lid=2 --length=512'
check 'a member of fwadmit-admin may' ends 0 '"name":"now"' call keeper $i.CreateGrant "$grant"
check 'and it is in force' received x stranger "$smart"
check 'ListGrants' ends 0 '"created_by":1002' call stranger $i.ListGrants '{}'
check 'RevokeGrant' ends 0 . call keeper $i.RevokeGrant '{"name":"now"}'
check 'and it is not' refused no-grant stranger "$smart"

su stranger -s /bin/sh -c "exec varlinkctl -j --more call $control $i.Subscribe '{}'" > /tmp/events 2>&1 &
subscriber=$!
check 'Subscribe' wait_for 10 grep -q '"event":"subscribed"' /tmp/events
check 'Quarantine' ends 0 . call keeper $i.Quarantine '{"device":"nvme0","reason":"smoke"}'
check 'nothing reaches the drive' refused quarantined root "$smart"
check 'Release' ends 0 . call keeper $i.Release '{"device":"nvme0"}'
told() {
	grep -q '"event":"quarantined","device":"nvme0"' /tmp/events &&
		grep -q '"event":"released","device":"nvme0"' /tmp/events
}
check 'the subscriber was told' wait_for 10 told
kill $subscriber
check 'what is not quarantined is not released' ends 1 NotQuarantined call root $i.Release '{"device":"nvme0"}'
check 'Subscribe needs more' ends 1 ExpectedMore call stranger $i.Subscribe '{}'
check 'Reload' ends 0 '"policy_digest":"' call root $i.Reload '{}'
check 'Reprofile' ends 0 . call keeper $i.Reprofile '{"device":"nvme0"}'
check 'AcceptBaseline' wait_for 10 ends 0 '"digest":"' call keeper $i.AcceptBaseline '{"device":"nvme0"}'
check 'and the baseline is what an operator has accepted' \
	ends 0 '"baseline":"accepted"' call stranger $i.ListDevices '{}'
