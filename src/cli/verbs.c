/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs. Help, the manual page and shell completion are made of this table.
 */
#include "cli/cli.h"

#define COMMAND_OPTIONS (CLI_SELECTORS | CLI_PAYLOAD | CLI_BIT(CLI_OPT_SCOPE))

const struct cli_verb cli_verbs[] = {
	{ "list", "", "show the devices",
	  "Shows each device that a running fwadmitd serves, or, without one, each CXL and NVMe "
	  "device of this machine that this user can open; with --sim the simulated ones. Exits "
	  "with 3 when there is none.",
	  CLI_BIT(CLI_OPT_SIM), 0, 0, cli_cmd_list },
	{ "status", "", "show the state of fwadmitd and its devices",
	  "Asks the running fwadmitd for its version, policy and journal, and for each device its "
	  "state, "
	  "baseline, drift, findings, and whose work runs on it; with --verbose also its node and "
	  "its "
	  "worker. Exits with 7 when none runs.",
	  0, 0, 0, cli_cmd_status },
	{ "monitor", "", "show what happens, as it happens",
	  "Shows what happens to devices, policy and grants, a line an event, until it is stopped; "
	  "with --output-format=json a JSON object a line.",
	  0, 0, 0, cli_cmd_monitor },
	{ "effects", "[DEVICE]", "show what a device declares, and what it takes",
	  "For each command: the effects that the device declares, those that the specification "
	  "adds (marked +), and the scope that the gate demands. Then what is wrong with the "
	  "declarations.",
	  CLI_SOURCE | CLI_BIT(CLI_OPT_SAVE), 0, 1, cli_cmd_effects },
	{ "lint", "[DEVICE]", "check a device's declarations",
	  "Checks the declarations against the specification and the security model. Exits with 8 "
	  "when there is an error among the findings.",
	  CLI_SOURCE, 0, 1, cli_cmd_lint },
	{ "explain", "[DEVICE] COMMAND", "show how the gate would decide, and why",
	  "Decides about a command as the gate would, by what the device declares, and says why "
	  "and what would pass. The command is not sent. Exits with 4 when it would be refused.",
	  COMMAND_OPTIONS | CLI_SOURCE | CLI_BIT(CLI_OPT_AS) | CLI_BIT(CLI_OPT_UNIT) |
		  CLI_BIT(CLI_OPT_DEVICE_NAME),
	  1, 2, cli_cmd_explain },
	{ "send", "DEVICE COMMAND", "send a command through the gate",
	  "Sends a command if the gate admits it, and shows the device's answer. Exits with 4 when "
	  "it is refused and with 5 when the device returns an error. An image for transfer-fw or "
	  "firmware-image-download, or a Feature for set-feature, that is longer than one command "
	  "takes is sent in parts (--length: bytes of each), and aborted if one of them fails.",
	  COMMAND_OPTIONS | CLI_BIT(CLI_OPT_DRY_RUN) | CLI_BIT(CLI_OPT_OUTPUT), 2, 2,
	  cli_cmd_send },
	{ "policy check", "[DIR]", "check the policy files",
	  "Reads the policy as the daemon does and shows errors and warnings with file and line; "
	  "with --verbose also grants that overlap, and grants for no device of this machine. "
	  "Exits with 8 when there is an error.",
	  0, 0, 1, cli_cmd_policy_check },
	{ "policy show", "DEVICE-NAME", "show the grants for a device",
	  "Shows the grants in the policy files that are for the device of that name; with --as "
	  "and --unit those that are for that user, or for its processes in that unit.",
	  CLI_BIT(CLI_OPT_AS) | CLI_BIT(CLI_OPT_UNIT), 1, 1, cli_cmd_policy_show },
	{ "policy test", "FILE", "check decisions against a table",
	  "Decides each row of a table as the gate would, by the policy files, and shows the rows "
	  "that come out otherwise than they say. Exits with 8 when there is one.",
	  0, 1, 1, cli_cmd_policy_test },
	{ "policy reload", "", "let fwadmitd read the policy files again",
	  "Every device has the new policy when this returns; one with an error is refused whole, "
	  "and the old one stays in force.",
	  0, 0, 0, cli_cmd_policy_reload },
	{ "grant create", "", "grant something for a time",
	  "Makes a grant that ends by itself after --for, also across restarts, suspend and "
	  "changes "
	  "of the clock. It needs --device, --for, one of --user, --group and --unit, and "
	  "--scope, --effects or both; --max-sessions and the rates count for each user. Shows the "
	  "grant's name. For root and "
	  "group fwadmit-admin.",
	  CLI_GRANT, 0, 0, cli_cmd_grant_create },
	{ "grant list", "", "show the time-limited grants",
	  "Shows the grants of `grant create` that have not ended; `policy show` has the others. "
	  "Exits with 3 when there is none.",
	  0, 0, 0, cli_cmd_grant_list },
	{ "grant revoke", "NAME", "end a time-limited grant now",
	  "Ends a grant of `grant create`, for running sessions, too. For root and group "
	  "fwadmit-admin.",
	  0, 1, 1, cli_cmd_grant_revoke },
	{ "quarantine", "DEVICE", "let no command through to a device",
	  "Refuses every command to the device of that name until it is released, also after a "
	  "restart and when it comes back under another name. For root and group fwadmit-admin.",
	  CLI_BIT(CLI_OPT_REASON), 1, 1, cli_cmd_quarantine },
	{ "release", "DEVICE", "end a device's quarantine",
	  "Lets commands through again to a device that an operator or the gate itself has put "
	  "into quarantine. For root and group fwadmit-admin.",
	  0, 1, 1, cli_cmd_release },
	{ "reprofile", "DEVICE", "read a device's declarations again",
	  "Lets fwadmitd read what the device declares, as after a reset or a change that nobody "
	  "told it. For root and group fwadmit-admin.",
	  0, 1, 1, cli_cmd_reprofile },
	{ "baseline save", "DEVICE", "save what a device declares, to pin it elsewhere",
	  "Writes the device's declarations, without its serial number, to a file: the one given, "
	  "or, "
	  "in the folder given or here, under the name by which fwadmitd looks for it in "
	  "/etc/fwadmit/baselines.",
	  CLI_BIT(CLI_OPT_OUTPUT), 1, 1, cli_cmd_baseline_save },
	{ "baseline diff", "DEVICE", "show what a device declares otherwise than it was accepted",
	  "Shows each declaration that is not as in the baseline that the gate has for devices of "
	  "this "
	  "model and firmware, or as in FILE. Exits with 8 on drift: when a command has appeared "
	  "or "
	  "lost an effect.",
	  CLI_BIT(CLI_OPT_FROM), 1, 1, cli_cmd_baseline_diff },
	{ "baseline accept", "DEVICE", "accept what a device declares now",
	  "Makes the device's present declarations the baseline for all devices of its model and "
	  "firmware. One that is pinned in /etc/fwadmit/baselines goes before it.",
	  0, 1, 1, cli_cmd_baseline_accept },
	{ "log list", "", "show what the journal has: who sent what, and what became of it",
	  "Shows, a line each, the decisions in the journal with their outcomes, and what "
	  "operators "
	  "and the gate did besides; with --all also what the journal says of itself, with "
	  "--output-format=json a JSON object a line. Reads fwadmitd's journal where it can, else "
	  "the user's own. Exits with 3 when nothing matches.",
	  CLI_RECORDS | CLI_BIT(CLI_OPT_LINES) | CLI_BIT(CLI_OPT_ALL) | CLI_BIT(CLI_OPT_NO_INDEX) |
		  CLI_BIT(CLI_OPT_FOLLOW),
	  0, 0, cli_cmd_log_list },
	{ "log show", "SEQ", "show one record of the journal",
	  "Shows all that the record of that number says, and whether its place in the chain of "
	  "hashes is right; with --hex its bytes.",
	  CLI_BIT(CLI_OPT_SHOW_HEX), 1, 1, cli_cmd_log_show },
	{ "log verify", "", "check that the journal is what was written",
	  "Checks numbers, chain, signatures and that nothing is missing, and says up to where the "
	  "journal is signed, and by which key. What was rolled back or forged whole only --key "
	  "and "
	  "--checkpoint show. Exits with 8 when something is wrong.",
	  CLI_BIT(CLI_OPT_FROM_SEQ) | CLI_BIT(CLI_OPT_TO_SEQ) | CLI_BIT(CLI_OPT_KEY) |
		  CLI_BIT(CLI_OPT_CHECKPOINT) | CLI_BIT(CLI_OPT_PROOF_FILE),
	  0, 0, cli_cmd_log_verify },
	{ "log export", "", "write records as JSON",
	  "Writes a JSON object a line for each record, those of the journal itself, too; or with "
	  "--proof one record with the proof that it is in the journal.",
	  CLI_RECORDS | CLI_BIT(CLI_OPT_LINES) | CLI_BIT(CLI_OPT_NO_INDEX) |
		  CLI_BIT(CLI_OPT_PROOF_SEQ),
	  0, 0, cli_cmd_log_export },
	{ "log checkpoint", "", "print the last signed checkpoint",
	  "Prints the last checkpoint as one line. Kept on another machine, `log verify "
	  "--checkpoint` shows with it that the journal was not rolled back or written anew.",
	  0, 0, 0, cli_cmd_log_checkpoint },
	{ "log replay", "", "judge again what was decided",
	  "Decides each recorded command again, by the declarations and the policy of then, and "
	  "shows the decisions that come out otherwise. Exits with 8 when there is one.",
	  CLI_RECORDS, 0, 0, cli_cmd_log_replay },
	{ "log index", "", "make `log list` fast on a long journal",
	  "Brings the index of the journal up to date: a file that can be removed at any time, and "
	  "that nothing depends on.",
	  CLI_BIT(CLI_OPT_REBUILD) | CLI_BIT(CLI_OPT_FOLLOW), 0, 0, cli_cmd_log_index },
	{ "verify", "DEVICE", "hold a device to its declarations: does it do what it says?",
	  "Sends commands to the device itself, watches what really changes, and shows what was "
	  "not "
	  "declared: made to happen again on a fresh device, with a control, and as short as it "
	  "gets. It holds the device alone, not through the gate. Exits with 8 when a finding "
	  "accuses the device, with --replay when it happened again. That nothing was found does "
	  "not say that there is nothing.",
	  CLI_VERIFY, 1, 1, cli_cmd_verify },
	{ "report", "FILE", "make a page of what verify found",
	  "Makes one HTML page, which needs nothing else, of a campaign or of the evidence of one "
	  "finding, as `verify --output` saves them.",
	  CLI_BIT(CLI_OPT_OUTPUT_PAGE), 1, 1, cli_cmd_report },
	{ "advisory import", "FILE", "put a signed advisory in force",
	  "Takes an advisory: what a kind of device does beside what it declares, or that a "
	  "command "
	  "is never to be sent. The gate counts it at once, for every device that fwadmitd serves; "
	  "where none runs, for what this user opens without it. It has to be signed by a key of "
	  "/etc/fwadmit/advisory-keys, or made here. For root and group fwadmit-admin.",
	  0, 1, 1, cli_cmd_advisory_import },
	{ "advisory list", "", "show the advisories",
	  "Shows the advisories that were imported, also those that are not in force, and why not. "
	  "Exits with 3 when there is none.",
	  0, 0, 0, cli_cmd_advisory_list },
	{ "advisory show", "ID", "show one advisory",
	  "Shows whom the advisory is about, what it adds or forbids, who has signed it, and the "
	  "evidence that it names.",
	  0, 1, 1, cli_cmd_advisory_show },
	{ "advisory remove", "ID", "take an advisory out",
	  "What it added or forbade counts no longer. Older editions of it are still refused. For "
	  "root and group fwadmit-admin.",
	  0, 1, 1, cli_cmd_advisory_remove },
	{ "advisory create", "EVIDENCE", "make an advisory of what verify found",
	  "Makes a signed advisory of an evidence file: it adds the effects that were seen and not "
	  "declared to the command, for devices of that vendor, model and firmware, and puts it in "
	  "force; with --output it is written to a file, for others to import.",
	  CLI_ADVISORY, 1, 1, cli_cmd_advisory_create },
	{ "advisory export", "ID", "write an advisory as others read them",
	  "Writes an advisory as a CSAF 2.0 document.",
	  CLI_BIT(CLI_OPT_FORMAT) | CLI_BIT(CLI_OPT_OUTPUT_PAGE), 1, 1, cli_cmd_advisory_export },
	{ 0 },
};
